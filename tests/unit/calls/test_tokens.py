"""Tokens: shared by instances, refreshed by one of them, and never lost, whatever the server does."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from causeway.aws.client import AwsError
from causeway.calls.grants import GrantKey
from causeway.calls.keeping import Keeper
from causeway.calls.outcome import Refused
from causeway.calls.proof import make_means
from causeway.calls.tokens import LEASE, NotAuthorized, Wanted
from causeway.calls.transport import Transport
from causeway.settings.clock import SettableClock, SystemClock
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from tests.support.calls import LOOPBACK, make_api, make_plan
from tests.support.crashes import Crash, Effects
from tests.support.memory_aws import MemoryAws
from tests.support.target import Reply
from tests.support.token_server import Answers, TokenServer
from tests.support.tokens import DatedSecrets, Instance, close_all, oauth, seal_with

DAY = 86_400


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def server(clock):
    with TokenServer(clock.now) as running:
        yield running


@pytest.fixture
def memory(clock):
    memory = MemoryAws(clock)
    seal_with(memory)
    return memory


@pytest.fixture
def secrets(clock):
    return DatedSecrets(clock, secret="s3cret", refresh="refresh-0")


@pytest.fixture
def instance(memory, secrets, clock, server):
    """Makes instances with the same state."""

    def make(**changes):
        return Instance(memory, secrets, clock, oauth(server.url, **changes))

    return make


def rotating(instance):
    return instance(grant="refresh_token", refresh_token="refresh")


class TestSharing:
    def test_a_token_is_asked_for_once_and_used_by_all_instances(self, instance, server):
        assert {instance().token() for _ in range(5)} == {"access-1"}
        assert len(server.requests) == 1

    def test_an_instance_reads_the_state_only_when_it_has_to(self, instance, memory):
        one = instance()
        one.token()
        calls = memory.count("dynamodb")
        for _ in range(10):
            one.token()
        assert memory.count("dynamodb") == calls

    def test_many_threads_ask_once(self, instance, server):
        one = instance()
        server.delay = 0.1
        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(lambda _: one.token(), range(64))) == {"access-1"}
        assert len(server.requests) == 1

    def test_many_instances_at_once_ask_once(self, memory, secrets, server):
        server.delay, server.now = 0.2, time.time
        clock = SystemClock()
        instances = [Instance(memory, secrets, clock, oauth(server.url)) for _ in range(8)]
        start = threading.Barrier(len(instances))

        def run(one):
            start.wait()
            return one.token()

        with ThreadPoolExecutor(len(instances)) as pool:
            assert set(pool.map(run, instances)) == {"access-1"}
        assert len(server.requests) == 1

    def test_a_token_is_refreshed_before_it_ends(self, instance, clock, server):
        one, other = instance(), instance()
        one.token()
        clock.advance(3600 - 301)
        assert one.token() == "access-1"
        clock.advance(2)
        assert (one.token(), other.token()) == ("access-2", "access-2")
        assert len(server.requests) == 2

    def test_a_token_of_a_short_life_is_refreshed_in_its_last_fifth(self, instance, clock, server):
        server.answers = Answers(lasts=10)
        one = instance()
        one.token()
        clock.advance(7)
        assert one.token() == "access-1"
        clock.advance(2)
        assert one.token() == "access-2"

    def test_while_one_refreshes_the_others_use_what_is_still_good(self, instance, clock, server):
        one, other = instance(), instance()
        one.token()
        clock.advance(3400)
        assert other.grants.lease(other.wanted.key, other.grants.read(other.wanted.key), seconds=LEASE)
        assert one.token() == "access-1"
        assert len(server.requests) == 1

    def test_a_failed_refresh_does_not_matter_while_the_token_is_good(self, instance, clock, server):
        one = instance()
        one.token()
        clock.advance(3400)
        server.before = lambda _: Reply(500)
        assert one.token() == "access-1"
        clock.advance(300)
        with pytest.raises(Refused):
            one.token()

    def test_another_scope_is_another_token(self, instance, server):
        assert instance(scope="read").token() != instance(scope="write").token()
        assert [request["scope"] for request in server.requests] == ["read", "write"]

    def test_nothing_that_is_stored_tells_a_token(self, instance, memory):
        rotating(instance).token()
        instance().token()
        text = str(memory.tables["state"])
        assert "access-" not in text
        assert "refresh-0" not in text
        assert "s3cret" not in text

    def test_a_sealed_token_cannot_be_put_in_another_systems_place(self, instance, memory):
        one = instance()
        one.token()
        ((_, item),) = memory.tables["state"].items()
        other = GrantKey("other", one.wanted.key.part)
        memory.tables["state"][other.id, other.part] = item | {"id": {"S": other.id}}
        assert one.grants.read(other).grant is None

    def test_a_lost_sealing_key_costs_nothing_but_a_new_token(self, instance, memory):
        instance().token()
        memory._secretsmanager_get_secret_value = lambda _: {"SecretString": "l" * 64, "CreatedDate": 0.0}
        assert instance().token() == "access-2"

    def test_an_access_token_expires_from_the_table_and_a_refresh_token_never(self, instance, memory):
        instance().token()
        rotating(instance).token()
        by_expiry = sorted("expires_at" in item for item in memory.tables["state"].values())
        assert by_expiry == [False, True]


class TestEnds:
    """What the state says of the end of a refresh token, which the watchdog reads."""

    @pytest.fixture
    def told(self, memory):
        def read():
            (item,) = memory.tables["state"].values()
            return tuple(
                float(item[name]["N"]) for name in ("refresh_until", "refresh_lasts") if name in item
            )

        return read

    def test_an_end_that_stays_is_that_of_its_whole_life(self, instance, clock, server, told):
        end = clock.now() + 90 * DAY
        server.answers.make = lambda fields: fields | {"refresh_token_expires_in": int(end - clock.now())}
        for _ in range(3):
            rotating(instance).token()
            assert told() == (pytest.approx(end, abs=1), 90 * DAY)
            clock.advance(20 * DAY + 0.7)

    def test_an_end_that_is_prolonged_begins_a_life(self, instance, clock, server, told):
        server.rotates = True
        server.answers.make = lambda fields: fields | {"refresh_expires_in": 90 * DAY}
        for _ in range(3):
            rotating(instance).token()
            assert told() == (clock.now() + 90 * DAY, 90 * DAY)
            clock.advance(20 * DAY)

    def test_a_server_that_says_no_more_of_a_token_has_not_changed_it(self, instance, clock, server, told):
        server.answers.make = lambda fields: fields | {"refresh_token_expires_in": 90 * DAY}
        rotating(instance).token()
        before = told()
        server.answers.make = lambda fields: fields
        clock.advance(DAY)
        rotating(instance).token()
        assert told() == before
        server.rotates = True
        clock.advance(DAY)
        rotating(instance).token()
        assert told() == (), "of a new one nothing is known"


class TestRefusedBySystem:
    def test_a_401_refreshes_the_token_once(self, instance, server):
        one = instance()
        one.call(server.target.url)
        server.revoke_access()
        assert one.call(server.target.url).status == 200
        assert list(server.called.items()) == [("access-1", 2), ("access-2", 1)]

    def test_a_401_after_another_instance_refreshed_takes_its_token(self, instance, server):
        one, other = instance(), instance()
        one.call(server.target.url)
        other.call(server.target.url)
        server.revoke_access()
        one.call(server.target.url)
        other.call(server.target.url)
        assert len(server.requests) == 2

    def test_a_401_that_a_new_token_does_not_cure_is_a_refusal_and_not_a_storm(self, instance, server):
        one = instance()
        server.target.on("/api", Reply(401))
        for _ in range(5):
            with pytest.raises(Refused, match="401"):
                one.call(server.target.url)
        assert len(server.requests) == 2

    def test_many_threads_with_a_401_refresh_once(self, instance, server):
        one = instance()
        one.call(server.target.url)
        server.revoke_access()
        with ThreadPoolExecutor(8) as pool:
            statuses = set(pool.map(lambda _: one.call(server.target.url).status, range(16)))
        assert statuses == {200}
        assert len(server.requests) == 2


class TestRotation:
    def test_the_successor_is_used_next(self, instance, clock, server):
        server.rotates = True
        one, other = rotating(instance), rotating(instance)
        for refresher in (one, other, one, other):
            refresher.token()
            clock.advance(3500)
        assert [request["refresh_token"] for request in server.requests] == [
            "refresh-0",
            "refresh-1",
            "refresh-2",
            "refresh-3",
        ]
        assert not server.revoked

    def test_a_server_that_does_not_rotate_is_given_the_same_one(self, instance, clock, server):
        one = rotating(instance)
        for _ in range(3):
            one.token()
            clock.advance(3500)
        assert {request["refresh_token"] for request in server.requests} == {"refresh-0"}

    def test_it_is_stored_before_the_access_token_is_used(self, instance, memory, server):
        server.rotates = True
        one = rotating(instance)
        memory._dynamodb_update_item = broken_after(memory._dynamodb_update_item, 1)
        with pytest.raises(AwsError):
            one.call(server.target.url)
        assert not server.called

    def test_it_is_kept_in_memory_until_it_can_be_stored(self, instance, memory, clock, server):
        server.rotates = True
        one, working = rotating(instance), memory._dynamodb_update_item
        memory._dynamodb_update_item = broken_after(working, 1)
        with pytest.raises(AwsError):
            one.token()
        memory._dynamodb_update_item = working
        assert one.token() == "access-1"
        clock.advance(3500)
        assert rotating(instance).token() == "access-2"
        assert not server.revoked

    def test_of_a_stored_and_an_operators_the_newer_wins(self, instance, secrets, clock, server):
        server.rotates = True
        one = rotating(instance)
        one.token()
        clock.advance(3500)
        one.token()
        secrets.put("refresh", "refresh-new")
        server.current.add("refresh-new")
        clock.advance(3500)
        one.token()
        clock.advance(3500)
        one.token()
        asked = [request["refresh_token"] for request in server.requests]
        assert asked == ["refresh-0", "refresh-1", "refresh-new", "refresh-3"]

    def test_an_operators_that_was_put_anew_unchanged_is_not_newer(self, instance, secrets, clock, server):
        server.rotates = True
        rotating(instance).token()
        clock.advance(3500)
        secrets.put("refresh", "refresh-0")
        rotating(instance).token()
        assert not server.revoked

    def test_an_operators_that_is_not_good_does_not_cost_the_stored_one(
        self, instance, secrets, clock, server
    ):
        server.rotates = True
        rotating(instance).token()
        clock.advance(3500)
        secrets.put("refresh", "mistyped")
        assert rotating(instance).token() == "access-3"
        clock.advance(3500)
        assert rotating(instance).token() == "access-4"
        assert [request["refresh_token"] for request in server.requests].count("mistyped") == 1

    def test_a_grant_outlives_a_change_of_scope(self, instance, server):
        server.rotates = True
        rotating(instance).token()
        instance(grant="refresh_token", refresh_token="refresh", scope="more").token()
        assert not server.revoked

    def test_a_lost_grant_says_what_to_do_and_asks_no_more_for_a_while(self, instance, server):
        server.revoked = True
        instances = [rotating(instance) for _ in range(5)]
        for one in instances:
            with pytest.raises(NotAuthorized, match="causeway authorize ledger"):
                one.token()
        assert len(server.requests) == 1

    def test_a_new_authorization_ends_it(self, instance, secrets, clock, server):
        server.revoked = True
        with pytest.raises(NotAuthorized):
            rotating(instance).token()
        clock.advance(60)
        server.revoked = False
        server.current.add("refresh-again")
        secrets.put("refresh", "refresh-again")
        assert rotating(instance).token().startswith("access-")


class TestRaces:
    def test_a_slow_instance_whose_lease_has_passed_saves_what_it_got(self, instance, clock, server):
        """The other one is refused, since the token was used already, reads again, and goes on with what it finds."""
        server.rotates = True
        slow, other = rotating(instance), rotating(instance)
        exchange, seen = slow.transport.exchange, []

        def late(*arguments, **named):
            answer = exchange(*arguments, **named)
            clock.advance(LEASE + 1)
            stored = other.grants.read(other.wanted.key)
            assert other.grants.lease(other.wanted.key, stored, seconds=LEASE)  # it takes over
            seen.append(stored)
            return answer

        slow.transport.exchange = late
        assert slow.token() == "access-1"
        assert other.token() == "access-1"
        assert len(server.requests) == 1

    def test_invalid_grant_is_believed_only_after_reading_again(self, instance, clock, server):
        server.rotates = server.grace = True
        first, second = rotating(instance), rotating(instance)
        exchange = second.transport.exchange

        def overtaken(*arguments, **named):
            second.transport.exchange = exchange
            clock.advance(LEASE + 1)  # its own lease passes before it asks
            first.token()
            server.grace = False
            server.revoked = False
            answer = exchange(*arguments, **named)
            assert answer.status == 400
            server.revoked = False
            return answer

        second.transport.exchange = overtaken
        assert second.token() == "access-1"

    def test_two_that_were_granted_at_once_leave_the_later_one(self, instance, clock, server):
        server.rotates = server.grace = True
        one, two = rotating(instance), rotating(instance)
        exchange = one.transport.exchange

        def overtaken(*arguments, **named):
            clock.advance(LEASE + 1)
            assert two.token() == "access-1"
            clock.advance(0.1)
            return exchange(*arguments, **named)

        one.transport.exchange = overtaken
        one.token()
        clock.advance(3500)
        assert rotating(instance).token()
        assert not server.revoked


class TestServerTrouble:
    @pytest.mark.parametrize(
        ("reply", "kind", "retry_after"),
        [
            (Reply(500), "http", None),
            (Reply(503, headers={"Retry-After": "7"}), "http", 7),
            (Reply(429, {"error": "slow_down"}), "http", None),
            (Reply(drop="unanswered"), "timeout", None),
            (Reply(200, {"error": "temporarily_unavailable"}), "http", None),
            (Reply(200, "<html>"), "http", None),
        ],
    )
    def test_it_is_a_refusal_to_be_tried_again(self, instance, server, reply, kind, retry_after):
        server.before = lambda _: reply
        with pytest.raises(Refused) as caught:
            instance().call(server.target.url)
        refused = caught.value
        assert (refused.kind, refused.retry, refused.retry_after) == (kind, True, retry_after)
        assert "s3cret" not in str(refused)
        assert not server.called

    def test_it_is_over_when_the_server_is_back(self, instance, clock, server):
        one = instance()
        server.before = lambda number: Reply(500) if number == 1 else None
        with pytest.raises(Refused):
            one.token()
        clock.advance(2)
        assert one.token() == "access-1"

    def test_a_slow_server_is_waited_for_only_so_long_as_there_is_time(self, memory, secrets, server):
        server.now, server.delay = time.time, 3.0
        one = Instance(memory, secrets, SystemClock(), oauth(server.url))
        begun = time.monotonic()
        with pytest.raises(Refused) as caught:
            one.token(within=1.2)
        assert caught.value.kind == "timeout"
        assert time.monotonic() - begun < 2

    def test_a_wrong_client_secret_is_ours_to_mend(self, instance, server):
        server.before = lambda _: Reply(
            401, {"error": "invalid_client", "error_description": "s3cret is wrong"}
        )
        with pytest.raises(NotAuthorized, match="answered 401 invalid_client") as caught:
            instance().token()
        assert "s3cret" not in str(caught.value)

    def test_a_refusal_is_not_asked_for_again_at_once(self, instance, server):
        server.before = lambda _: Reply(401, {"error": "invalid_client"})
        one = instance()
        for _ in range(5):
            with pytest.raises(NotAuthorized):
                one.token()
        assert len(server.requests) == 1

    def test_a_lost_answer_is_asked_for_again_while_the_server_takes_the_one_before(
        self, instance, clock, server
    ):
        server.rotates = server.grace = True
        server.lose = lambda number: number == 1
        one = rotating(instance)
        with pytest.raises(Refused):
            one.token()
        clock.advance(2)
        assert one.token()
        assert not server.revoked

    def test_who_waits_for_another_instance_gives_up_in_time(self, instance):
        one, other = instance(), instance()
        assert other.grants.lease(other.wanted.key, other.grants.read(other.wanted.key), seconds=LEASE)
        with pytest.raises(Refused, match="another instance"):
            one.token(within=5)

    def test_a_lease_ends_by_itself(self, instance):
        one, other = instance(), instance()
        assert other.grants.lease(other.wanted.key, other.grants.read(other.wanted.key), seconds=LEASE)
        assert one.token(within=60) == "access-1"


def broken_after(working, count):
    """An operation that works so many times."""
    left = [count]

    def operation(parameters):
        left[0] -= 1
        if left[0] < 0:
            raise AwsError("InternalServerError", "", 500)
        return working(parameters)

    return operation


@pytest.mark.parametrize(("grace", "after"), [(False, False), (False, True), (True, False), (True, True)])
def test_a_refresh_that_is_cut_off_anywhere_loses_no_grant(  # noqa: PLR0917
    memory, secrets, clock, server, grace, after
):
    """Only where a strict server has taken the old token and its answer died with the process can nobody help."""
    server.rotates, server.grace = True, grace
    auth = oauth(server.url, grant="refresh_token", refresh_token="refresh")
    at, lost = 0, []
    while True:
        memory.tables["state"].clear()
        server.current, server.revoked = {"refresh-0"}, False
        server.used.clear()
        effects = Effects([at], after=after)
        dying = Instance(effects.wrap(memory), secrets, clock, auth)
        dying.tokens._transport = effects.wrap(dying.transport)
        with suppress(Crash):
            dying.token()
        if not effects.crashes:
            break
        clock.advance(LEASE + 1)
        try:
            assert Instance(memory, secrets, clock, auth).token(within=120).startswith("access-")
        except NotAuthorized:
            lost.append(effects.seen[at])
            clock.advance(60)
            server.revoked = False
            server.current.add("refresh-x")
            secrets.put("refresh", "refresh-x")
            assert Instance(memory, secrets, clock, auth).token(within=120)  # authorized again
            secrets.put("refresh", "refresh-0")
        clock.advance(4000)
        at += 1
    assert at >= 5
    answered_but_not_stored = ["exchange"] if after else ["call.dynamodb.UpdateItem"]
    assert lost == ([] if grace else answered_but_not_stored)


class OneAtATime:
    """DynamoDB carries out the writes of an item one after the other; moto's threads do not."""

    def __init__(self, aws):
        self._aws = aws
        self._lock = threading.Lock()

    def call(self, *arguments):
        with self._lock:
            return self._aws.call(*arguments)


def test_processes_share_a_token_over_a_real_table(cloud, server):
    """As the functions make them, over moto: two objects of each, as two instances have."""
    aws = OneAtATime(cloud.aws)
    server.rotates, server.now = True, time.time
    cloud.put_secret("refresh", "refresh-0", "out")
    cloud.put_secret("secret", "s3cret", "out")
    auth = oauth(server.url, grant="refresh_token", refresh_token="refresh")
    start = threading.Barrier(4)

    def run(_):
        transport, clock = Transport(), SystemClock()
        secrets = Secrets(cloud.aws, prefix=cloud.secrets_prefix, direction="out", clock=clock)
        means = make_means(aws, cloud.settings, secrets, clock, transport)
        start.wait()
        try:
            return means.tokens.token(Wanted("ledger", auth, tuple(LOOPBACK)), until=time.time() + 20)
        finally:
            transport.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(4))) == {"access-1"}
    assert len(server.requests) == 1
    assert not server.revoked


class TestIdle:
    @pytest.fixture
    def keeper(self, instance, server):
        one = rotating(instance)
        plan = make_plan(make_api(server.target.url, auth=one.auth))
        return lambda: Keeper(plan, one.means, logger()).run(until=one.means.clock.now() + 45)

    def test_a_refresh_token_that_nobody_used_for_a_day_is_used(self, keeper, clock, server):
        server.rotates = True
        assert keeper() == 0
        assert len(server.requests) == 1
        clock.advance(86_000)
        assert keeper() == 0
        assert len(server.requests) == 1
        clock.advance(500)
        keeper()
        assert [request["refresh_token"] for request in server.requests] == ["refresh-0", "refresh-1"]

    def test_one_that_lasts_less_than_two_days_is_used_in_half_its_life(self, keeper, clock, server):
        server.answers.make = lambda fields: fields | {"refresh_expires_in": 1800}
        assert keeper() == 0
        clock.advance(890)
        assert keeper() == 0
        assert len(server.requests) == 1
        clock.advance(20)
        keeper()
        assert len(server.requests) == 2

    def test_one_that_calls_use_is_left_alone(self, keeper, instance, clock, server):
        for _ in range(30):
            rotating(instance).token()
            clock.advance(3400)
        asked = len(server.requests)
        keeper()
        assert len(server.requests) == asked

    def test_it_is_kept_alive_by_the_new_one_even_where_calls_have_one_in_memory(
        self, keeper, instance, clock, server
    ):
        server.rotates = True
        one = rotating(instance)
        one.token()
        clock.advance(90_000)
        keeper()
        assert one.token() == "access-2"
        assert not server.revoked

    def test_what_fails_is_told_and_costs_nobody_else_anything(self, keeper, server, caplog):
        server.revoked = True
        assert keeper() == 1
        assert "causeway authorize ledger" in caplog.records[-1].reason
        assert "refresh-0" not in caplog.text

    def test_an_instance_remembers_when_to_look_again(self, instance, memory, clock, server):
        one = rotating(instance)
        keeper = Keeper(make_plan(make_api(server.target.url, auth=one.auth)), one.means, logger())
        keeper.run(until=clock.now() + 45)
        calls = memory.count("dynamodb")
        for _ in range(10):
            clock.advance(60)
            keeper.run(until=clock.now() + 45)
        assert memory.count("dynamodb") == calls

    def test_without_time_nothing_is_begun(self, instance, server):
        one = rotating(instance)
        plan = make_plan(make_api(server.target.url, auth=one.auth))
        assert Keeper(plan, one.means, logger()).run(until=one.means.clock.now() + 10) == 0
        assert not server.requests

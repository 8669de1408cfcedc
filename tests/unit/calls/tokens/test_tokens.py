"""Tokens: shared by instances, refreshed by one of them, and never lost, whatever the server does."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.calls.asking import NotAuthorized
from causeway.calls.connection import Identity
from causeway.calls.grants import GrantKey
from causeway.calls.outcome import Refused
from causeway.calls.tokens import LEASE
from causeway.settings.clock import SystemClock
from causeway.settings.secrets import SecretsUnavailable
from tests.support.target import Reply
from tests.support.token_server import Answers
from tests.support.tokens import Instance, oauth, rotating

DAY = 86_400


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
        start = threading.Barrier(len(instances), timeout=20)

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

    def test_who_failed_keeps_no_other_instance_waiting(self, instance, clock, server):
        server.before = lambda number: Reply(500) if number == 1 else None
        with pytest.raises(Refused):
            instance().token()
        failed = clock.now()
        assert instance().token() == "access-1"
        assert clock.now() == failed

    def test_a_server_is_not_asked_whose_answer_could_not_be_waited_for(self, instance, server):
        with pytest.raises(SecretsUnavailable, match="no time is left"):
            instance().token(within=0.9)
        assert server.requests == []

    def test_it_is_shown_the_systems_certificate(self, instance):
        one = instance()
        shown = []
        exchange = one.transport.exchange

        def seen(request, *, identity, **named):
            shown.append(identity)
            return exchange(request, **named)

        one.transport.exchange = seen
        identity = Identity("certificate", "key")
        one.wanted = one.wanted._replace(identity=identity)
        one.token()
        assert shown == [identity]

    @pytest.mark.parametrize("error", ["invalid_client", "invalid_grant"])
    def test_a_refusal_that_concerns_no_refresh_token_is_believed_at_once(
        self, instance, clock, server, error
    ):
        server.before = lambda _: Reply(400, {"error": error})
        begun = clock.now()
        with pytest.raises(NotAuthorized, match=r"put another secret$"):
            instance().token()
        assert clock.now() == begun

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

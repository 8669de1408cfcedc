"""Refresh tokens that are another one each time: no race, crash or lost answer loses the grant."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from causeway.aws.client import AwsError
from causeway.calls.asking import NotAuthorized, Wanted
from causeway.calls.proof import make_means
from causeway.calls.tokens import LEASE, Tokens
from causeway.calls.transport import Transport
from causeway.settings.clock import SystemClock
from causeway.settings.secrets import Secrets
from tests.support.calls import LOOPBACK
from tests.support.crashes import Crash, Effects
from tests.support.tokens import Instance, oauth, rotating

DAY = 86_400


def broken_after(working, count):
    """An operation that works so many times."""
    left = [count]

    def operation(parameters):
        left[0] -= 1
        if left[0] < 0:
            raise AwsError("InternalServerError", "", 500)
        return working(parameters)

    return operation


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
        dying.tokens = Tokens(dying.grants, secrets, clock, effects.wrap(dying.transport))
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
    aws, settings = OneAtATime(cloud.aws), cloud.settings
    server.rotates, server.now = True, time.time
    cloud.put_secret("refresh", "refresh-0", "out")
    cloud.put_secret("secret", "s3cret", "out")
    auth = oauth(server.url, grant="refresh_token", refresh_token="refresh")
    start = threading.Barrier(4, timeout=20)

    def run(_):
        transport, clock = Transport(), SystemClock()
        secrets = Secrets(cloud.aws, prefix=cloud.secrets_prefix, direction="out", clock=clock)
        means = make_means(aws, settings, secrets, clock, transport)
        start.wait()
        try:
            return means.tokens.token(Wanted("ledger", auth, tuple(LOOPBACK)), until=time.time() + 20)
        finally:
            transport.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(4))) == {"access-1"}
    assert len(server.requests) == 1
    assert not server.revoked

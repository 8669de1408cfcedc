"""Refresh tokens that nobody uses are used, before they end for that."""

from __future__ import annotations

import pytest

from causeway.calls.keeping import Keeper
from causeway.telemetry.logs import logger
from tests.support.calls import make_api, make_plan
from tests.support.tokens import rotating

DAY = 86_400


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

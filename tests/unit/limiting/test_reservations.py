"""Reserving: how many writes it takes, and what becomes of races."""

import pytest

from causeway.aws.table import Table
from causeway.limiting.rates import Rate
from causeway.limiting.reservations import AHEAD, Reservations
from causeway.settings.clock import SettableClock
from tests.support.memory_aws import MemoryAws

RATE = [Rate(20, 1.0)]


@pytest.fixture
def aws():
    return MemoryAws(SettableClock())


def reservations(aws):
    return Reservations(Table(aws, "state"), aws.clock)


def test_a_whole_batch_is_one_write(aws):
    mine = reservations(aws)
    assert len(mine.reserve("ledger", RATE, 10)) == 10
    assert len(mine.reserve("ledger", RATE, 10)) == 10
    assert [operation for _, operation in aws.calls] == ["UpdateItem"] * 2


def test_who_was_not_there_is_told_by_one_write_that_fails(aws):
    first = reservations(aws).reserve("ledger", RATE, 10)
    aws.calls.clear()
    second = reservations(aws).reserve("ledger", RATE, 10)
    assert min(second) > max(first)
    assert [operation for _, operation in aws.calls] == ["UpdateItem"] * 2


def test_none_is_given_out_beyond_fifteen_minutes_and_asking_again_writes_nothing(aws):
    mine = reservations(aws)
    slow = [Rate(1, 60.0)]
    assert len(mine.reserve("ledger", slow, 100)) == 15
    aws.calls.clear()
    assert mine.reserve("ledger", slow, 100) == []
    assert aws.calls == []
    aws.clock.advance(AHEAD)
    assert len(mine.reserve("ledger", slow, 100)) == 15


def test_a_high_limit_is_spread_over_several_items(aws):
    mine = reservations(aws)
    fast = [Rate(2000, 1.0)]
    for _ in range(60):
        assert len(mine.reserve("ledger", fast, 10)) == 10
    assert len(aws.tables["state"]) == 4


def test_systems_do_not_share_their_limits(aws):
    mine = reservations(aws)
    assert mine.reserve("ledger", RATE, 1) == mine.reserve("shop", RATE, 1)

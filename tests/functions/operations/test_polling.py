"""A poll that somebody wants now: what is sent, and how far it is."""

import pytest

from causeway.operations.polling import NoSuchPollError, Polls
from causeway.polling.cursors import CursorError
from tests.support.polling import NOW, PollStage, plan_with


@pytest.fixture
def stage():
    stage = PollStage(plan_with(paginate="link"))
    for number in range(15):
        stage.api.put(f"r{number:03}", at=NOW - 3600 + number)
    return stage


@pytest.fixture
def polls(stage):
    tools = stage.tools
    return Polls(
        tools.plan,
        state=tools.state,
        ticks=tools.ticks,
        aws=stage.memory,
        bucket="payloads",
        clock=stage.clock,
    )


def test_the_next_regular_run_is_run_now_and_its_slot_is_covered(stage, polls):
    tick = polls.start(polls.find("shop", "orders"))
    assert polls.progress(tick).state == "waiting"
    stage.until_quiet()
    done = polls.progress(tick)
    assert (done.state, done.records, done.queued) == ("done", 15, 15)
    assert done.read_until == "2023-11-14T22:20:00.000Z"
    assert stage.minute() == 0
    stage.clock.advance(30)
    tick = polls.start(polls.find("shop", "orders"))
    stage.until_quiet()
    assert polls.progress(tick).queued == 0


def test_a_run_under_way_and_one_that_failed_are_told(stage, polls):
    stage.api.seconds = 45.0
    tick = polls.start(polls.find("shop", "orders"))
    stage.invoke()
    assert (polls.progress(tick).state, polls.progress(tick).records) == ("running", 10)
    stage.api.before = lambda _: (500, {})
    stage.until_quiet()
    failed = polls.progress(tick)
    assert failed.state == "failed"
    assert "500" in failed.reason


def test_a_backfill_is_followed_by_its_own_state(stage, polls):
    tick = polls.start(
        polls.find("shop", "orders"), since="2023-11-14T21:20:05Z", until="2023-11-14T21:20:07Z"
    )
    stage.until_quiet()
    done = polls.progress(tick)
    assert (done.state, done.queued) == ("done", 3)
    assert stage.state() is None


def test_what_cannot_be_read_is_said_before_anything_is_sent(stage, polls):
    poll = polls.find("shop", "orders")
    with pytest.raises(CursorError, match="not a time"):
        polls.start(poll, since="yesterday")
    with pytest.raises(CursorError, match="not a time"):
        polls.start(poll, since="2023-11-14", until="tomorrow")
    with pytest.raises(CursorError, match="since is after until"):
        polls.start(poll, since="2023-11-14", until="2023-11-13T23:59:59Z")
    with pytest.raises(CursorError, match="no cursor"):
        polls.start(_without_cursor(poll), since="2023-11-14")
    assert stage.invoke() is False


def _without_cursor(poll):
    return {name: value for name, value in poll.items() if name != "cursor"}


def test_a_poll_that_is_not_there_is_said_with_those_that_are(stage, polls):
    with pytest.raises(NoSuchPollError, match="it has: shop orders"):
        polls.find("shop", "customers")
    stage.tools.plan.record["integrations"].pop("orders-copy")
    unread = Polls(
        type(stage.tools.plan)(stage.tools.plan.record),
        state=stage.tools.state,
        ticks=stage.tools.ticks,
        aws=stage.memory,
        bucket="payloads",
        clock=stage.clock,
    )
    with pytest.raises(NoSuchPollError, match="no integration takes"):
        unread.find("shop", "orders")

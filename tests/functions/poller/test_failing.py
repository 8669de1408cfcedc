"""What happens to a run whose page does not come: tried again, told, gone on with, begun anew; and slots that pass."""

import json
from itertools import pairwise

import pytest

from causeway.delivery.transforms import TransformFailed
from causeway.polling.ticks import PollQueue, read_tick
from tests.support.polling import DELIVERIES, NOW, POLLS, PollStage, plan_with

FAILED = (500, {})


def stage_with(count=15, **changes):
    stage = PollStage(plan_with(paginate="link", **changes))
    for number in range(count):
        stage.api.put(f"r{number:03}", at=NOW - 3600 + number)
    return stage


def asked_at(stage):
    """Note when requests come."""
    times = []
    answer = stage.api.before

    def before(number):
        times.append(stage.clock.now())
        return answer(number)

    stage.api.before = before
    return times


def told(caplog):
    return [record.reason for record in caplog.records if record.message == "poll failed"]


def test_a_failed_page_is_fetched_again_after_1_2_4_seconds_and_at_most_a_minute():
    stage = stage_with()
    stage.api.before = lambda number: FAILED if number < 8 else None
    times = asked_at(stage)
    stage.slot()
    waits = [round(later - earlier) for earlier, later in pairwise(times)]
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert stage.versions() == stage.api.versions


def test_retry_after_is_a_floor():
    stage = stage_with()
    stage.api.before = lambda number: (429, {"retry-after": "100"}) if number == 1 else None
    times = asked_at(stage)
    stage.slot()
    assert times[2] - times[1] >= 100
    assert stage.versions() == stage.api.versions


@pytest.mark.parametrize("how", [FAILED, (404, {}), "timeout", "connection"])
def test_a_page_that_fails_until_the_next_slot_is_due_fails_the_run_and_that_is_told(how, caplog):
    stage = stage_with()
    stage.api.before = lambda _: how
    times = asked_at(stage)
    stage.slot(until=NOW + 1200)
    assert len(told(caplog)) == 1
    assert NOW + 1100 < times[-1] < NOW + 1200
    assert stage.state()["failure"]["reason"] == told(caplog)[0]
    assert "orders" in told(caplog)[0]


def test_the_next_slot_goes_on_with_the_page_that_failed():
    stage = stage_with(35)
    stage.api.before = lambda number: FAILED if 2 <= number < 30 else None
    stage.slot()
    before = stage.state()["open"]
    assert before["request"]["number"] == 3
    stage.api.before = lambda _: None
    asked = len(stage.api.requests)
    stage.slot()
    assert "after" in stage.api.requests[asked][1], "the third page, and not the first"
    assert stage.versions() == stage.api.versions
    assert "failure" not in stage.state()


def test_a_page_that_is_refused_for_good_begins_the_run_anew_which_loses_nothing():
    """A cursor of the server's that has expired would fail for ever."""
    stage = stage_with(35)
    stage.api.before = lambda number: (410, {}) if number >= 2 else None
    stage.slot()
    assert "open" not in stage.state()
    stage.api.before = lambda _: None
    stage.slot()
    assert {event["id"] for event in stage.events()} == {f"r{number:03}@1" for number in range(35)}


def test_a_run_that_fails_for_three_slots_begins_anew():
    stage = stage_with(35)
    stage.api.before = lambda number: FAILED if number >= 1 else None
    for failed in (1, 2):
        stage.slot()
        assert stage.state()["open"]["failed"] == failed
    stage.slot()
    assert "open" not in stage.state()


def test_an_answer_without_a_list_of_records_is_a_failure_and_never_no_news(caplog):
    stage = stage_with(records="body.rows")
    stage.slot()
    assert stage.queued() == []
    assert "`body.rows` is null" in told(caplog)[0]
    assert stage.state()["stored"]["until"] < NOW


def test_what_parses_an_answer_may_fail_and_its_words_which_may_quote_it_are_not_told(caplog, monkeypatch):
    def fails(name, body, headers):
        raise TransformFailed("transforms.shop:read raised ValueError: secret") from ValueError("secret")

    monkeypatch.setattr("causeway.polling.fetching.transforms.parse", fails)
    stage = stage_with()
    stage.tools.plan.systems["shop"]["polls"]["orders"]["parse"] = "transforms.shop:read"
    stage.slot()
    assert told(caplog) == ["parse failed: ValueError"]


def test_a_queue_that_takes_nothing_moves_no_cursor():
    stage = stage_with()
    call = stage.memory.call

    def failing(service, operation, parameters):
        if operation == "SendMessageBatch":
            raise stage_error()
        return call(service, operation, parameters)

    stage.memory.call = failing
    stage.slot()
    assert "finished" not in stage.state()
    stage.memory.call = call
    stage.slot()
    assert stage.versions() == stage.api.versions


def stage_error():
    from causeway.aws.client import AwsError

    return AwsError("ServiceUnavailable", "", 503)


def test_a_state_that_cannot_be_written_brings_the_message_back_soon():
    stage = stage_with()
    call = stage.memory.call

    def failing(service, operation, parameters):
        if operation == "UpdateItem" and parameters["TableName"] == "state":
            raise stage_error()
        return call(service, operation, parameters)

    stage.memory.call = failing
    stage.minute()
    stage.invoke()
    (message,) = stage.memory.queues[POLLS]
    assert message.visible_at == stage.clock.now() + 30
    stage.memory.call = call
    stage.until_quiet()
    assert stage.versions() == stage.api.versions


def test_an_outage_is_made_up_by_one_run_and_slots_that_it_covers_are_dropped():
    stage = stage_with()
    for _ in range(12):
        stage.clock.advance(600)
        stage.minute()
    assert len(stage.memory.queues[POLLS]) == 12
    stage.until_quiet()
    assert len(stage.api.requests) == 2, "two pages, once"
    assert stage.invocations == 12


def test_two_ticks_of_a_slot_are_one_message():
    stage = stage_with()
    assert stage.minute() == 1
    assert stage.minute() == 0
    stage.deploy(stage.tools.plan)  # another instance, which does not know of it
    stage.minute()
    assert len(stage.memory.queues[POLLS]) == 1


def test_a_minute_that_was_missed_is_made_up_by_the_next():
    stage = stage_with(every=None, cron="30 6 * * *")
    stage.clock.set(NOW + 86400)
    assert stage.minute() == 1, "whenever the slot was"
    stage.until_quiet()
    assert stage.minute() == 0


def test_a_slot_whose_message_is_lost_is_sent_again():
    stage = stage_with()
    stage.minute()
    stage.memory.queues[POLLS].clear()
    stage.clock.advance(301)
    assert stage.minute() == 1


def test_an_unfinished_run_whose_message_is_lost_gets_another_one():
    stage = stage_with(25, every="1d")
    stage.api.seconds = 45.0
    stage.minute()
    stage.invoke()
    stage.memory.queues[POLLS].clear()
    assert stage.minute() == 0
    stage.clock.advance(301)
    assert stage.minute() == 1
    stage.until_quiet()
    assert stage.versions() == stage.api.versions
    stage.clock.advance(301)
    assert stage.minute() == 0


def test_a_poll_that_nobody_takes_is_not_read():
    stage = stage_with()
    plan = stage.tools.plan
    del plan.record["integrations"]["orders-copy"]
    stage.deploy(type(plan)(plan.record))
    assert stage.minute() == 0


def test_a_poll_that_the_map_no_longer_has_and_a_message_of_another_kind_are_done_with(caplog):
    stage = stage_with()
    stage.memory.call(
        "sqs",
        "SendMessage",
        {"QueueUrl": POLLS, "MessageBody": "{}", "MessageGroupId": "x", "MessageDeduplicationId": "x"},
    )
    tick = {"format": 1, "system": "shop", "poll": "gone", "slot": NOW}
    PollQueue(stage.memory, POLLS).send(tick)
    stage.until_quiet()
    messages = [record.message for record in caplog.records]
    assert messages[:2] == ["unreadable message", "a poll that the map does not have"]


def test_two_invocations_that_overlap_do_not_both_move_the_cursor(caplog):
    """SQS lets none overlap; a process that was thought to be dead might."""
    stage = stage_with(35)
    other = PollStage(stage.tools.plan)
    other.clock, other.memory, other.aws = stage.clock, stage.memory, stage.memory
    other.deploy(stage.tools.plan)
    stage.tick(NOW)
    stage.api.after = lambda number, _: meddle(stage) if number == 1 else None
    stage.until_quiet()
    assert "not its own any more" in [record.message for record in caplog.records]
    assert {event["id"] for event in stage.events()} == {f"r{number:03}@1" for number in range(35)}


def meddle(stage):
    table = stage.memory.tables["state"]
    table["poll#shop/orders", "state"]["version"] = {"N": "99"}


RETAINED = {
    "retention": "30d",
    "every": "1d",
    "cursor": {"field": "updated_at", "param": "since", "start": "now"},
}


def test_a_cursor_older_than_what_the_api_keeps_is_told_and_not_passed_over(caplog):
    stage = stage_with(**RETAINED)
    stage.slot(after=86400.0)
    assert stage.metrics.total("PollGaps") == 0
    stage.clock.advance(29 * 86400)
    stage.slot(after=86400.0)
    assert stage.metrics.total("PollGaps") == 0
    stage.clock.advance(31 * 86400)
    stage.slot(after=86400.0)
    assert stage.metrics.total("PollGaps") == 1
    (line,) = [record for record in caplog.records if "records may be lost" in record.message]
    assert line.seconds > 86400
    stage.slot(after=86400.0)
    assert stage.metrics.total("PollGaps") == 1


def test_a_system_that_wants_to_be_left_alone_is_and_that_is_no_failure(caplog):
    stage = stage_with()
    stage.api.before = lambda number: (503, {"retry-after": "900"}) if number == 0 else None
    stage.slot()
    assert len(told(caplog)) == 1, "it is not back before the next slot"
    asked = len(stage.api.requests)
    stage.slot()
    assert stage.clock.now() >= NOW + 600 + 900
    assert len(stage.api.requests) == asked + 3, "the run that waited, and that of the slot"
    assert len(told(caplog)) == 1
    assert stage.versions() == stage.api.versions


def test_calls_of_a_poll_keep_to_the_systems_limits():
    limited = {"base_url": "https://shop.example.com", "rate_limit": {"requests": 1, "per": "10s"}}
    stage = PollStage(plan_with(paginate="link", system={"api": limited}))
    for number in range(55):
        stage.api.put(f"r{number:03}", at=NOW - 3600 + number)
    times = asked_at(stage)
    stage.slot()
    assert len(times) == 6
    assert all(later - earlier >= 9.9 for earlier, later in pairwise(times))
    assert stage.versions() == stage.api.versions


def test_a_changed_format_of_the_cursor_is_told_and_reads_nothing_wrong(caplog):
    stage = stage_with()
    stage.slot()
    opaque = {"field": "id", "param": "since", "format": "opaque"}
    stage.deploy(plan_with(paginate="link", cursor=opaque))
    asked = len(stage.api.requests)
    stage.slot()
    assert len(stage.api.requests) == asked
    assert "put the cursor's format back" in told(caplog)[0]


BACKFILL = {"id": "1-abc", "since": "2023-11-01T00:00:00Z", "until": "2023-11-14T21:30:00Z"}


def test_a_backfill_reads_a_time_again_beside_the_regular_runs():
    stage = stage_with(35)
    stage.slot()
    regular = stage.state()
    stage.memory.queues[DELIVERIES].clear()
    stage.tick(backfill=BACKFILL)
    stage.until_quiet()
    done = stage.state("backfill#1-abc")
    ids = {event["id"] for event in stage.events()}
    assert ids == {f"r{number:03}@1" for number in range(35)}, "whatever was seen"
    assert done["finished"]["records"] == 35
    assert stage.state() == regular
    assert read_tick(json.dumps({"format": 1, "system": "s", "poll": "p", "slot": 1, "backfill": BACKFILL}))


def test_a_backfill_ends_where_it_is_told_to():
    stage = stage_with(35)
    stage.tick(backfill={**BACKFILL, "until": "2023-11-14T21:20:10Z"})
    stage.until_quiet()
    assert len(stage.queued()) == 11


def test_a_backfill_that_makes_no_sense_is_told_and_ends():
    stage = stage_with()
    stage.tick(backfill={"id": "1-abc", "since": "yesterday"})
    stage.until_quiet()
    assert "2026-11-22" in stage.state("backfill#1-abc")["failure"]["reason"]
    assert stage.api.requests == []

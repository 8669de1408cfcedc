"""What a poll reads, remembers and queues, run by run."""

import json
from itertools import pairwise

import pytest

from causeway.polling.seen import MOST
from tests.support.polling import NOW, PAGINATE, PollStage, plan_with

DAY = 86400.0


def filled(stage, count, *, first=0, every=7.0):
    for number in range(first, first + count):
        stage.api.put(f"r{number:03}", at=NOW - 3600 + number * every)


@pytest.mark.parametrize("paging", PAGINATE)
def test_the_first_run_brings_all_records_and_later_ones_what_is_new(paging):
    stage = PollStage(paging=paging)
    filled(stage, 35)
    stage.minute()
    stage.until_quiet()
    assert stage.versions() == stage.api.versions
    stage.slot()
    assert len(stage.queued()) == 35
    stage.api.put("r001")
    stage.api.put("r900")
    stage.slot()
    assert stage.versions() == stage.api.versions
    assert [event["id"] for event in stage.events()[-2:]] == ["r001@2", "r900@1"]
    assert "open" not in stage.state()


def test_an_event_is_the_record_of_its_system_and_time():
    stage = PollStage()
    stage.api.put("r1", at=NOW - 60, total="9.50")
    stage.slot()
    (message,) = stage.queued()
    event = message["event"]
    assert (message["system"], message["integration"], event["source"]) == ("shop", "orders-copy", "shop")
    assert (event["id"], event["type"], event["time"]) == (
        "r1@1",
        "orders/updated",
        "2023-11-14T22:19:00.000Z",
    )
    assert event["data"] == {
        "id": "r1",
        "version": 1,
        "updated_at": "2023-11-14T22:19:00.000Z",
        "total": "9.50",
    }


@pytest.mark.parametrize("exclusive", [False, True])
def test_ties_at_the_boundary_are_neither_missed_nor_repeated(exclusive):
    stage = PollStage(exclusive=exclusive)
    at = NOW + 600
    stage.api.put("a", at=at)
    stage.slot()
    stage.api.put("b", at=at)  # in the very second that was the highest
    stage.slot()
    assert stage.versions() == stage.api.versions


def test_what_is_committed_late_is_read_within_the_lookback():
    cursor = {"field": "updated_at", "param": "since", "start": "2023-01-01T00:00:00Z", "lookback": "20m"}
    stage = PollStage(plan_with(cursor=cursor))
    stage.api.put("late", at=NOW + 10, late=900)
    stage.api.put("newer", at=NOW + 500)
    stage.slot()
    assert [event["data"]["id"] for event in stage.events()] == ["newer"]
    stage.slot()
    stage.slot()
    assert stage.versions() == stage.api.versions


def test_a_repeat_is_dropped_however_long_ago_it_was_first_seen():
    """The journal forgets a delivery after `dedupe_for`; what the window reaches back to is remembered as long."""
    cursor = {"field": "updated_at", "param": "since", "start": "2023-01-01T00:00:00Z", "lookback": "40d"}
    stage = PollStage(plan_with(cursor=cursor, every="1d"))
    stage.api.put("old", at=NOW - 60)
    for _ in range(30):
        stage.slot(after=DAY)
    assert len(stage.queued()) == 1
    assert len(stage.api.requests) == 30


def test_what_is_remembered_goes_when_no_window_reaches_back_to_it():
    stage = PollStage()
    for slot in range(20):
        for number in range(15):
            stage.api.put(f"r{slot}-{number}")
        stage.slot()
    assert stage.versions() == stage.api.versions
    items, size = stage.seen()
    assert items <= 3
    assert size <= 3 * 15 * 12


def test_an_old_backlog_leaves_next_to_nothing_behind():
    stage = PollStage()
    filled(stage, 500)
    stage.slot()
    assert len(stage.queued()) == 500
    assert stage.seen() == (1, 12)


def test_a_list_without_a_cursor_is_known_by_its_ids_and_what_left_it_is_forgotten():
    stage = PollStage(plan_with(cursor=None), paging="none")
    filled(stage, 12)
    for _ in range(5):
        stage.slot()
    assert len(stage.queued()) == 12
    assert stage.seen() == (1, 12 * 12)
    stage.api.rows.clear()
    for _ in range(3):
        stage.slot()
    assert stage.seen() == (0, 0)


def test_a_newest_first_list_is_read_as_far_as_there_is_something_new():
    poll = {"paginate": {"page": "page", "stop_when": "seen"}, "cursor": None}
    stage = PollStage(plan_with(**poll), paging="page", newest_first=True)
    filled(stage, 95)
    stage.slot()
    assert len(stage.queued()) == 95
    before = len(stage.api.requests)
    for number in range(12):
        stage.api.put(f"new{number}")
    stage.slot()
    assert stage.versions() == stage.api.versions
    assert len(stage.api.requests) - before == 3, "two pages with news, and the one after them"
    for _ in range(10):
        stage.slot()
    assert stage.versions() == stage.api.versions
    assert stage.seen()[1] <= MOST * 12


def test_a_newest_first_list_with_a_cursor_remembers_no_more_than_its_window():
    poll = {
        "paginate": {"page": "page", "stop_when": "seen"},
        "cursor": {"field": "updated_at", "start": "2023-01-01T00:00:00Z"},
    }
    stage = PollStage(plan_with(**poll), paging="page", newest_first=True, ignores_since=True)
    filled(stage, 95)
    stage.slot()
    before = len(stage.api.requests)
    for number in range(12):
        stage.api.put(f"new{number}")
    for _ in range(3):
        stage.slot()
    assert stage.versions() == stage.api.versions
    assert len(stage.api.requests) - before <= 3 + 2 * 3
    assert stage.seen()[1] <= 2 * 12 * 12


def test_windows_are_read_in_slices_until_now():
    cursor = {"start": "2023-11-10T00:00:00Z", "window": "1d"}
    query = {"since": "${since}", "until": "${until}"}
    stage = PollStage(plan_with(cursor=cursor, query=query), paging="none")
    for day in range(5):
        stage.api.put(f"r{day}", at=NOW - day * DAY)
    stage.slot()
    assert stage.versions() == stage.api.versions
    spans = [(query["since"], query["until"]) for _, query, _ in stage.api.requests]
    assert len(spans) == 5
    assert all(following <= until for (_, until), (following, _) in pairwise(spans))
    assert stage.state()["finished"]["records"] == 5


def test_since_and_until_are_those_of_the_run_on_each_of_its_pages():
    query = {"since": "${since}", "until": "${until}"}
    cursor = {"field": "updated_at", "start": "2023-11-14T00:00:00Z"}
    stage = PollStage(plan_with(cursor=cursor, query=query, paginate=PAGINATE["cursor"]), paging="cursor")
    stage.api.seconds = 2.0
    filled(stage, 45)
    stage.slot()
    assert len({(query["since"], query["until"]) for _, query, _ in stage.api.requests}) == 1
    assert len(stage.api.requests) == 5


@pytest.mark.parametrize("pages", [3, 60])
def test_what_numbered_pages_skip_because_rows_change_is_read_after_all(pages, caplog):
    """Whether the list comes to rest while it is read anew, or never does."""
    stage = PollStage(plan_with(paginate=PAGINATE["page"]), paging="page", size=5)
    filled(stage, 30)
    stage.api.after = lambda number, rows: change_one(stage, rows) if number < pages else None
    for _ in range(6):
        stage.slot()
    assert stage.versions() == stage.api.versions
    gave_in = [record for record in caplog.records if "changes faster" in getattr(record, "reason", "")]
    assert bool(gave_in) == (pages == 60)


def change_one(stage, rows):
    """A row of this page whose version has been queued moves to the list's end, and all after it move up."""
    queued = stage.versions()
    known = [row for row in stage.api.rows.values() if (row.id, row.version) in queued]
    if known:
        stage.api.put(min(known, key=lambda row: row.updated_at).id)


def test_records_in_a_batch_are_one_event():
    stage = PollStage(plan_with(batch=10, paginate="link"), size=25)
    filled(stage, 35)
    stage.slot()
    assert [len(event["data"]) for event in stage.events()] == [10, 10, 5, 10]
    stage.slot()
    assert len(stage.queued()) == 4


def test_an_unchanged_list_is_asked_for_but_not_sent_again():
    stage = PollStage(plan_with(cursor=None), paging="none")
    stage.api.etags = True
    filled(stage, 3)
    for _ in range(3):
        stage.slot()
    assert ["if-none-match" in headers for _, _, headers in stage.api.requests] == [False, True, True]
    assert stage.metrics.total("PollRecords") == 3
    stage.api.put("r000")
    stage.slot()
    assert stage.versions() == stage.api.versions


DIFF = {"cursor": None, "version": None, "diff": {"ignore": ["updated_at"], "deleted": True}}


@pytest.mark.parametrize("paging", ["link", "none"])
def test_only_what_changed_in_a_list_becomes_an_event_and_what_is_gone(paging):
    stage = PollStage(plan_with(**DIFF, paginate=PAGINATE[paging]), paging=paging)
    filled(stage, 25)
    stage.slot()
    assert len(stage.queued()) == 25
    stage.slot()
    assert len(stage.queued()) == 25
    stage.api.put("r003", at=NOW - 3600 + 21, total=5)
    del stage.api.rows["r007"]
    stage.slot()
    changed, gone = stage.events()[25:]
    run = stage.state()["run"]
    assert (changed["id"], changed["data"]["total"]) == (f"r003@{run}", 5)
    assert (gone["id"], gone["data"]) == (f"r007@{run}", {"id": "r007", "_deleted": True})
    lists = [key for _, key in stage.memory.objects if "/list/" in key]
    assert all(f"/list/{run}/" in key for key in lists), "earlier lists are taken away"
    assert not [key for _, key in stage.memory.objects if "/turn/" in key]


def test_a_run_that_is_not_done_in_time_goes_on_in_the_next_invocation():
    stage = PollStage()
    stage.api.seconds = 5.0
    filled(stage, 200)
    stage.slot()
    assert stage.versions() == stage.api.versions
    assert stage.invocations > 2
    assert len(stage.api.requests) == 20, "no page is read twice"
    assert stage.state()["finished"]["records"] == 200


def test_a_state_that_no_item_can_hold_lies_in_the_bucket():
    stage = PollStage(plan_with(paginate=PAGINATE["cursor"]), paging="cursor")
    stage.api.seconds = 45.0
    filled(stage, 15)
    whole = stage.api._page
    stage.api._page = lambda query: large(whole(query))
    stage.minute()
    stage.invoke()
    item = next(item for key, item in stage.memory.tables["state"].items() if key[1] == "state")
    assert item["state_at"]["S"].startswith("polls/shop/orders/state/")
    stage.api._page = lambda query: whole({**query, "after": query["after"].strip("x")})
    stage.until_quiet()
    assert stage.versions() == stage.api.versions
    assert not [key for _, key in stage.memory.objects if "/state/" in key]


def large(answer):
    page, headers, body = answer
    return page, headers, {**body, "next": body["next"] + "x" * 250_000} if "next" in body else body


def test_an_api_that_does_not_know_since_is_told(caplog):
    stage = PollStage(ignores_since=True)
    filled(stage, 5)
    stage.slot()
    assert "a record is not as the map says" not in caplog.text
    stage.slot()
    reasons = [record.reason for record in caplog.records if "not as the map says" in record.message]
    assert "from before ${since}" in reasons[0]


def test_records_are_counted_and_the_lag_is_told():
    stage = PollStage()
    filled(stage, 15)
    stage.slot()
    assert stage.metrics.total("PollRecords") == 15
    assert stage.metrics.last("PollLag") < 2
    stage.api.before = lambda _: (500, {})
    stage.slot()
    assert 590 < stage.metrics.last("PollLag") < 1200


def test_the_line_of_the_books_names_poll_run_and_page(caplog):
    stage = PollStage()
    filled(stage, 12)
    stage.slot()
    lines = [record.__dict__ for record in caplog.records if record.message == "received"]
    assert [(line["poll"], line["page"], line["accepted"]) for line in lines] == [
        ("orders", 1, {"orders-copy": 10}),
        ("orders", 2, {"orders-copy": 2}),
    ]
    assert json.dumps(stage.state())

"""Lists of deliveries: newest first, whole, each once; and the overview of integrations."""

import base64
import json

import pytest

from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.events.identity import delivery_id
from causeway.operations.deliveries import BadQueryError, Deliveries, Query
from causeway.operations.overview import Overview
from causeway.settings.clock import rfc3339
from tests.support.deliveries import NOW, Stage, plan_of

NAME = "orders-to-ledger"
OUTCOMES = {"delivered": 200, "dead": 400, "waiting": 500}


@pytest.fixture
def stage():
    """Thirty deliveries that ended in three ways over three hours, ten at each of three moments."""
    stage = Stage(plan_of(errors={"retry": {"first": 1e5, "factor": 1.0, "max": 1e5}}))
    for number in range(30):
        stage.target.on("/entries", list(OUTCOMES.values())[number % 3])
        stage.accept(f"evt_{number}")
        stage.invoke()
        if number % 10 == 9:
            stage.clock.advance(3600)
    return stage


@pytest.fixture
def deliveries(stage):
    return Deliveries(Table(stage.memory, "journal"), stage.clock)


def all_pages(deliveries, query, limit):
    cursor, found = None, []
    while True:
        page = deliveries.page(query, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_pages_bring_everything_once_newest_first(deliveries, limit):
    found = all_pages(deliveries, Query([NAME]), limit)
    assert len({item["id"] for item in found}) == len(found) == 30
    times = [item["accepted_at"] for item in found]
    assert times == sorted(times, reverse=True)


def test_deliveries_of_one_moment_are_all_there_however_pages_fall(stage):
    stage = Stage()
    stage.target.on("/entries", 400)
    for number in range(40):
        stage.accept(f"evt_{number}", acceptance=str(number))
    for message in stage.memory.queues["https://sqs/deliveries"]:
        message.body = message.body.replace(str(stage.clock.now()), str(NOW))
    while stage.invoke():
        pass
    deliveries = Deliveries(Table(stage.memory, "journal"), stage.clock)
    assert len({item["accepted_at"] for item in all_pages(deliveries, Query([NAME]), 7)}) == 1
    assert len({item["id"] for item in all_pages(deliveries, Query([NAME]), 7)}) == 40


@pytest.mark.parametrize("status", OUTCOMES)
def test_a_status_is_a_third_of_them(deliveries, status):
    found = all_pages(deliveries, Query([NAME], status=status), 4)
    assert [item["status"] for item in found] == [status] * 10


def test_a_class_of_errors_and_a_span_of_time(deliveries):
    dead = deliveries.page(Query([NAME], status="dead", error="http")).items
    assert len(dead) == 10
    assert dead[0]["reason"] == "ledger answered 400 to POST /entries"
    assert deliveries.page(Query([NAME], error="dns")).items == []
    hour = deliveries.page(Query([NAME], since=NOW + 3000, until=NOW + 4000)).items
    assert len(hour) == 10
    assert {item["accepted_at"] > rfc3339(NOW + 3000) for item in hour} == {True}


def test_what_was_delivered_longer_ago_is_found_when_it_is_asked_for(stage, deliveries):
    stage.clock.advance(2 * 86400)
    assert deliveries.page(Query([NAME], status="delivered")).items == []
    assert len(deliveries.page(Query([NAME], status="delivered", since=NOW)).items) == 10


def test_one_delivery_has_its_attempts_and_says_whether_it_can_be_replayed(deliveries):
    found = deliveries.find(delivery_id("shop", "evt_1", NAME))
    assert (found["status"], found["event_id"], found["event_kept"]) == ("dead", "evt_1", True)
    assert [entry["outcome"] for entry in found["attempts"]] == ["dead"]
    assert deliveries.find(delivery_id("shop", "evt_0", NAME))["event_kept"] is False
    assert deliveries.find("0" * 32) is None


def test_what_happened_to_an_event_is_a_look_up(deliveries):
    (found,) = deliveries.of_event("shop", "evt_2", [NAME, "another"])
    assert (found["integration"], found["status"]) == (NAME, "waiting")


def cursor_of(*said):
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


@pytest.mark.parametrize(
    ("query", "cursor", "part"),
    [
        (Query([NAME], status="lost"), None, "status"),
        (Query([NAME], since=NOW + 1, until=NOW), None, "since"),
        (Query([NAME]), "x", "cursor"),
        (Query([NAME]), cursor_of(rfc3339(NOW)), "cursor"),
        (Query([NAME]), cursor_of(rfc3339(NOW), 5), "cursor"),
        (Query([NAME]), cursor_of(rfc3339(NOW), None), "cursor"),
        (Query([NAME]), cursor_of("2023-11-14T22:13:20Z", "00"), "cursor"),
        (Query([NAME]), cursor_of("0001-01-01T00:00:00+14:00", "00"), "cursor"),
    ],
)
def test_a_query_that_makes_no_sense_is_an_error_of_its_own(deliveries, query, cursor, part):
    with pytest.raises(BadQueryError) as refused:
        deliveries.page(query, cursor=cursor)
    assert refused.value.part == part


@pytest.mark.parametrize("since", [NOW + 9000, NOW + 86400])
def test_where_no_time_is_left_there_is_nothing(deliveries, since):
    """A cursor that is before `since`, or a `since` to come: to DynamoDB such a span is a mistake."""
    page = deliveries.page(Query([NAME], since=since), cursor=cursor_of(rfc3339(NOW), ""))
    assert (page.items, page.cursor) == ([], None)
    assert deliveries.page(Query([NAME], since=NOW + 86400)).items == []


def test_the_overview_counts_and_says_how_old_the_oldest_is(stage):
    state = Table(stage.memory, "state")
    pauses = Pauses(state, stage.clock)
    overview = Overview(journal=Table(stage.memory, "journal"), state=state, pauses=pauses, clock=stage.clock)
    (found,) = overview.integrations([NAME])
    assert (found.state, found.waiting, found.dead) == ("active", 10, 10)
    assert found.oldest == pytest.approx(NOW, abs=5)
    assert found.last_event == pytest.approx(NOW + 2 * 3600, abs=10)
    pauses.pause(NAME, by="ann", reason="why")
    (found,) = overview.integrations([NAME])
    assert (found.state, found.pause.reason) == ("paused", "why")
    pauses.resume(NAME, by="ann")
    assert overview.integrations([NAME])[0].state == "resuming"


def test_an_integration_without_deliveries_has_nothing_to_show(stage):
    state = Table(stage.memory, "state")
    overview = Overview(
        journal=Table(stage.memory, "journal"),
        state=state,
        pauses=Pauses(state, stage.clock),
        clock=stage.clock,
    )
    (found,) = overview.integrations(["another"])
    assert (found.last_event, found.oldest, found.waiting, found.dead, found.delivered) == (
        None,
        None,
        0,
        0,
        0,
    )

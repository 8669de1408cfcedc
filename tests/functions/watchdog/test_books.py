"""The books: each hour is counted once it is half an hour past, and what is missing is told until it is found."""

from __future__ import annotations

import itertools
import json

import pytest

from causeway.acceptance.lines import PART, Accepted
from causeway.aws.dynamodb import to_item
from causeway.aws.errors import AwsError
from causeway.aws.table import Table
from causeway.operations.books import HOUR, Book
from causeway.operations.ledger import SLICES, Kept, Ledger
from causeway.settings.clock import from_rfc3339
from causeway.settings.environment import Settings
from causeway.watching.checks import books as checking
from causeway.watching.world import Means, World
from tests.support.deliveries import FIFO, QUEUE, Stage
from tests.support.logs import Logs, nowhere
from tests.support.watching import Recorded

TEN = from_rfc3339("2026-11-23T10:00:00Z")


@pytest.fixture
def stage():
    stage = Stage()
    stage.clock.set(TEN)
    return stage


@pytest.fixture
def logs(stage):
    return Logs(stage.memory)


class Keeper:
    def __init__(self, stage):
        self.clock = stage.clock
        self.metrics = Recorded(stage.clock)
        settings = Settings(
            {
                "CAUSEWAY_LOG_GROUPS": "webhook,poller",
                "CAUSEWAY_DELIVERIES_URL": QUEUE,
                "CAUSEWAY_DELIVERIES_FIFO_URL": FIFO,
            }
        )
        tools = stage.tools
        self.state = Table(stage.memory, "state")
        self.means = Means(
            tools.plan, settings, stage.memory, tools.table, self.state, self.metrics, stage.clock
        )

    def look(self):
        return list(checking.books(World(self.means, self.clock.now() + 45), self.clock.now()))

    def at(self, text):
        self.clock.set(from_rfc3339(f"2026-11-23T{text}:00Z"))
        return self.look()

    @property
    def unaccounted(self):
        return self.metrics.of("Unaccounted")


@pytest.fixture
def keeper(stage, logs):
    return Keeper(stage)


def deliver(stage, logs, event_id):
    message = stage.first_message(event_id)
    stage.send([message])
    logs.received(stage.clock.now(), message)
    stage.until_quiet()


def test_an_hour_whose_books_close_is_told_to_nobody(stage, logs, keeper):
    deliver(stage, logs, "evt_1")
    deliver(stage, logs, "evt_2")
    assert keeper.at("11:31") == []
    assert keeper.unaccounted == [0]
    (kept,) = Ledger(keeper.state).between(TEN, TEN)
    assert kept.books["orders-to-ledger"].delivered == kept.books["orders-to-ledger"].accepted == 2


def test_what_was_accepted_and_is_nowhere_is_told(stage, logs, keeper):
    deliver(stage, logs, "evt_1")
    logs.received(stage.clock.now(), count=3)
    (finding,) = keeper.at("11:31")
    assert finding.what == "3 deliveries of orders-to-ledger cannot be accounted for"
    assert finding.level == "critical"
    assert finding.since == TEN
    assert keeper.unaccounted == [3]


def test_and_which_events_these_are(stage, logs, keeper):
    """The first ten: to be found at the provider by their ids, and in the log by those of their deliveries."""
    deliver(stage, logs, "evt_1")
    lost = nowhere(12)
    logs.received(stage.clock.now(), *lost)
    (finding,) = keeper.at("11:31")
    assert [each["delivery"] for each in finding.detail["lost"]] == [each["delivery"] for each in lost[:10]]
    for each in lost[:10]:
        assert each["event"]["id"] in finding.cause
    assert len(finding.cause) < 400, "or it is cut"
    assert finding.value == 12
    (kept,) = Ledger(keeper.state).between(TEN, TEN)
    assert [each.delivery for each in kept.books["orders-to-ledger"].lost] == [
        each["delivery"] for each in lost[:10]
    ]


def test_a_receiver_that_was_cut_off_before_its_line_hides_nothing(stage, logs, keeper):
    """More is known than lines say, and less: of the same integration and hour."""
    stage.accept("evt_1")
    stage.until_quiet()
    logs.received(stage.clock.now())
    (finding,) = keeper.at("11:31")
    assert finding.value == 1
    (kept,) = Ledger(keeper.state).between(TEN, TEN)
    book = kept.books["orders-to-ledger"]
    assert (book.accepted, book.accounted, book.unaccounted, book.surplus) == (1, 1, 1, 1)


def test_what_is_kept_of_an_hour_fits_into_an_item_however_many_miss_something(keeper):
    accepted = Accepted("0" * 32, "0" * 16, "e" * 256)
    books = {
        name: Book(name, TEN, accepted=10, unaccounted=10, lost=(accepted,) * 10)
        for name in (f"an-integration-{number:04d}" for number in range(1000))
    }
    Ledger(keeper.state).write(Kept(TEN, 26, set(books), TEN, books))
    (item,) = keeper.state.parts("books#hours")
    assert len(json.dumps(to_item(item))) < 400_000, "what DynamoDB counts is less"
    (kept,) = Ledger(keeper.state).between(TEN, TEN)
    assert sum(len(book.lost) for book in kept.books.values()) == 300


def test_until_it_turns_up(stage, logs, keeper):
    message = stage.first_message("evt_1")
    logs.received(stage.clock.now(), message)
    assert keeper.at("11:31")
    stage.send([message])
    stage.until_quiet()
    assert keeper.at("11:42") == []
    assert keeper.unaccounted == [1, 0]


def test_what_lies_on_the_queue_is_not_lost(stage, logs, keeper):
    logs.received(stage.clock.now(), count=2)
    logs.on_queue = 2
    assert keeper.at("11:31") == []
    logs.on_queue = 1
    (finding,) = keeper.at("11:42")
    assert finding.value == 1


def test_but_what_lies_there_hours_later_is_something_else(stage, logs, keeper):
    """On the queues of a stack that is at work there are always some: they hide no loss for good."""
    logs.received(stage.clock.now(), count=2)
    logs.on_queue = 50
    assert keeper.at("11:31") == []
    assert keeper.at("15:59") == []
    (finding,) = keeper.at("16:01")
    assert finding.value == 2
    assert "50 messages on the queues may be some of them" in finding.cause


def test_an_hour_is_looked_at_when_it_is_half_an_hour_past_and_not_before(stage, logs, keeper):
    logs.received(stage.clock.now())
    assert keeper.at("11:29") == []
    assert keeper.at("11:31")


def test_all_that_accept_are_asked_and_lines_that_are_late_count(logs, keeper):
    logs.received(TEN + 10, group="poller")
    logs.received(TEN + HOUR + 200, accepted_at=TEN + HOUR - 1)
    logs.received(TEN + HOUR + 250)  # the next hour's
    (finding,) = keeper.at("11:31")
    assert finding.value == 2


def test_logs_are_read_once(stage, logs, keeper):
    logs.received(stage.clock.now())
    keeper.at("11:31")
    asked = logs.asked
    assert asked == 2 * SLICES
    keeper.at("11:32")
    keeper.at("11:45")
    assert logs.asked == asked


def test_logs_that_are_long_are_read_in_several_runs(stage, logs, keeper, monkeypatch):
    logs.received(TEN + 10)
    logs.received(TEN + HOUR - 10, group="poller")
    slow = stage.memory._logs_filter_log_events

    def filter_(parameters):
        stage.clock.advance(6)
        return slow(parameters)

    monkeypatch.setattr(stage.memory, "_logs_filter_log_events", filter_)
    runs = 0
    stage.clock.set(from_rfc3339("2026-11-23T11:31:00Z"))
    while not (found := keeper.look()):
        runs += 1
        assert runs < SLICES
    assert found[0].value == 2
    assert logs.asked == 2 * SLICES


def test_an_hour_may_have_more_than_an_item_or_a_run_has_room_for(stage, logs, keeper, monkeypatch):
    monkeypatch.setattr(checking, "HELD", 2 * PART)
    for number in range(4):
        logs.received(TEN + number * 300, count=PART + 1)
        logs.received(TEN + number * 300, integration="another")
    known = stage.first_message("evt_1")
    stage.send([known])
    logs.received(TEN + HOUR - 1, known, accepted_at=TEN)
    stage.until_quiet()
    (finding,) = keeper.at("11:31")
    assert finding.value == 4 * (PART + 1) + 4
    (kept,) = Ledger(keeper.state).between(TEN, TEN)
    assert kept.books["orders-to-ledger"].accepted == 4 * (PART + 1) + 1
    assert (
        len(list(keeper.state.parts("books#accepted#orders-to-ledger#2026-11-23T10:00:00.000Z"))) == 3 + 3 + 1
    )


def test_logs_that_are_throttled_again_and_again_are_read_to_their_end_all_the_same(
    stage, logs, keeper, monkeypatch
):
    """Each run fails at its third question, and says so; the next one goes on where that one stood."""
    logs.received(TEN + 10)
    logs.received(TEN + HOUR - 10, group="poller")
    asked = itertools.count(1)

    def throttled(parameters):
        if next(asked) % 3 == 0:
            raise AwsError("ThrottlingException", "Rate exceeded", 400)
        return logs.filter(parameters)

    monkeypatch.setattr(stage.memory, "_logs_filter_log_events", throttled)
    failures = 0
    stage.clock.set(from_rfc3339("2026-11-23T11:31:00Z"))
    for _ in range(2 * SLICES):
        try:
            found = keeper.look()
        except AwsError:
            failures += 1
        else:
            break
    assert failures == SLICES - 1, "two slices a run"
    assert found[0].value == 2


def test_a_log_group_that_is_not_there_fails_the_check_and_closes_no_book(stage, logs, keeper, monkeypatch):
    def missing(_):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.", 400)

    monkeypatch.setattr(stage.memory, "_logs_filter_log_events", missing)
    with pytest.raises(AwsError):
        keeper.at("11:31")
    assert keeper.unaccounted == []
    assert Ledger(keeper.state).last(stage.clock.now()) is None


def test_of_an_hour_that_does_not_close_the_journal_is_not_asked_each_minute(stage, logs, keeper):
    logs.received(stage.clock.now())
    keeper.at("11:31")
    before = stage.memory.count("dynamodb")
    keeper.at("11:32")
    assert stage.memory.count("dynamodb") == before + 1


def test_the_books_of_hundreds_are_closed_by_several_runs_and_of_those_only_who_accepted_anything(
    stage, logs, keeper, monkeypatch
):
    names = [f"flow-{number:03d}" for number in range(100)]
    plan = stage.tools.plan
    one = plan.integrations["orders-to-ledger"]
    plan.record["integrations"] = plan.integrations = {name: one | {"name": name} for name in names}
    logs.received(TEN, *(message for name in names[:60] for message in nowhere(integration=name)))
    query = stage.memory._dynamodb_query
    asked = set()

    def slowly(parameters):
        if parameters["TableName"] == "journal":
            asked.add(parameters["ExpressionAttributeValues"][":hash"]["S"])
            stage.clock.advance(0.02)
        return query(parameters)

    monkeypatch.setattr(stage.memory, "_dynamodb_query", slowly)
    stage.clock.set(from_rfc3339("2026-11-23T11:31:00Z"))
    missing = []
    while not missing or missing[-1] < 60:
        began = stage.clock.now()
        (finding,) = keeper.look()
        assert stage.clock.now() - began < 15 + 16 * 33 * 0.02 + 1, "no run goes far beyond its time"
        missing.append(finding.value)
        assert len(missing) < 10
    assert missing == [32, 60]
    assert not [each for each in asked if "flow-06" in each], "who accepted nothing is not asked for"


def test_of_an_hour_that_does_not_close_only_who_misses_something_is_asked_again(stage, logs, keeper):
    deliver(stage, logs, "evt_1")
    logs.received(stage.clock.now(), integration="another")
    assert keeper.at("11:31")
    before = stage.memory.count("dynamodb", "Query")
    assert keeper.at("11:42")
    asked = stage.memory.count("dynamodb", "Query") - before
    assert asked == 1 + 2 + 33, "the hours; what was accepted, and what of it is missing; and one book"


def test_an_hour_in_which_the_watchdog_did_not_run_is_made_up_for(stage, logs, keeper):
    keeper.at("11:31")
    logs.received(from_rfc3339("2026-11-23T11:10:00Z"))
    (finding,) = keeper.at("14:31")
    assert finding.since == TEN + HOUR


def test_the_last_hour_is_there_for_whoever_shows_it(stage, logs, keeper):
    deliver(stage, logs, "evt_1")
    keeper.at("11:31")
    kept = Ledger(keeper.state).last(stage.clock.now())
    assert (kept.hour, kept.unaccounted) == (TEN, 0)

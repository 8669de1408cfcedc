"""A short storm over a local cloud of its own; and that whatever does not hold would be noticed.

The long ones are for the command line: ``python -m tests.chaos.storm --deliveries 2000``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from causeway.events.identity import delivery_id
from causeway.operations.books import Book
from tests.chaos.storm.__main__ import cloud_for, summary
from tests.chaos.storm.judging import PLACES, SYSTEM, Evidence, judge
from tests.chaos.storm.run import go_through, names
from tests.chaos.storm.target import WEATHER, Storm
from tests.support.faults import BUSY, GONE, LOST, OK, Fault, soon
from tests.support.faulty_target import Exchange

if TYPE_CHECKING:
    from pathlib import Path

SEED = 5


def test_a_storm_loses_nothing_and_a_build_that_forgets_deliveries_is_noticed(tmp_path: Path) -> None:
    events, more = names(10), names(2, "lost")
    with Storm(SEED, [*events, *more]) as storm, cloud_for(tmp_path, storm) as cloud:
        result = go_through(cloud, storm, events, seed=SEED, seconds=180)
        assert result.finished, summary(result, SEED)
        assert not result.findings, summary(result, SEED)
        assert result.kills.total() > 0
        assert len({each.fault.name for each in storm.exchanges}) > 5

        broken = go_through(cloud, storm, more, seed=SEED, seconds=60, lose=2, kill=False)
    assert broken.lost == 2
    noticed = {finding.rule for finding in broken.findings}
    assert noticed == {"delivered", "done once", "the books close"}
    missing = [finding for finding in broken.findings if finding.rule == "delivered"]
    assert len(missing) == 2
    # The hour's books have the first run in them, too: nothing of it hides what is missing now.
    lost = [each.delivery for book in broken.evidence.books for each in book.lost]
    assert sorted(set(lost)) == sorted(finding.delivery for finding in missing)
    shown = summary(broken, SEED)
    for finding in missing:
        assert finding.delivery in shown
        assert "was never asked" in shown
        assert "journal:  null" in shown


def calm(count: int = 4) -> Evidence:
    """What there would be to see of a day without a cloud: two customers, each event delivered at once."""
    events = {name: f"c{number % 2}" for number, name in enumerate(names(count))}
    exchanges, items = [], {}
    for number, (event, customer) in enumerate(events.items()):
        for integration, places in PLACES.items():
            id_ = delivery_id(SYSTEM, event, integration)
            items[id_] = {"id": id_, "status": "delivered", "ticket": "0000.000001"}
            for place in places:
                step = place.removeprefix(f"/{integration}")
                exchanges.append(
                    Exchange(place, event, id_ + step, 10.0 * number, 10.0 * number, OK, customer)
                )
    return Evidence(events, exchanges, items)


def instead(evidence: Evidence, place: str, event: str, *others: Exchange) -> Evidence:
    """The same with other exchanges of one delivery at one place."""
    kept = [each for each in evidence.exchanges if (each.place, each.event) != (place, event)]
    return replace(evidence, exchanges=[*kept, *others])


def exchange(place: str, event: str, at: float, fault: Fault = OK, key: str = "") -> Exchange:
    own = delivery_id(SYSTEM, event, place.split("/")[1])
    return Exchange(place, event, key or own, at, at, fault, "c0")


EVENT, NEXT = names(3)[0], names(3)[2]
"""Two events of one customer, one after the other."""


def rules(evidence: Evidence) -> set[str]:
    return {finding.rule for finding in judge(evidence)}


class TestJudging:
    def test_nothing_is_wrong_with_a_calm_day(self) -> None:
        assert judge(calm()) == []

    @pytest.mark.parametrize("status", ["waiting", "running", "dead", None])
    def test_every_delivery_is_delivered(self, status: str | None) -> None:
        evidence = calm()
        id_ = delivery_id(SYSTEM, EVENT, "plain")
        items = {key: item for key, item in evidence.items.items() if key != id_}
        if status:
            items[id_] = {"id": id_, "status": status, "ticket": "0000.000001"}
        (finding,) = judge(replace(evidence, items=items))
        assert (finding.rule, finding.delivery) == ("delivered", id_)
        assert (status or "not in the journal") in finding.expected

    def test_what_is_said_to_be_delivered_has_been_done(self) -> None:
        assert rules(instead(calm(), "/stepped/reserve", EVENT)) == {"done once"}
        assert rules(instead(calm(), "/plain", EVENT, exchange("/plain", EVENT, 0, BUSY))) == {"done once"}

    def test_what_was_done_twice_was_done_under_one_key(self) -> None:
        again = [exchange("/plain", EVENT, 0, LOST), exchange("/plain", EVENT, 2)]
        assert judge(instead(calm(), "/plain", EVENT, *again)) == []
        again = [exchange("/plain", EVENT, 0, LOST), exchange("/plain", EVENT, 2, key="another")]
        assert rules(instead(calm(), "/plain", EVENT, *again)) == {"done once", "one key"}

    def test_no_attempt_comes_before_its_retry_after(self) -> None:
        def after(seconds: float) -> Evidence:
            first = exchange("/throttled", EVENT, 0, soon(503, 3))
            return instead(calm(), "/throttled", EVENT, first, exchange("/throttled", EVENT, seconds))

        assert rules(after(3.1)) == set()
        assert rules(after(2.9)) == {"Retry-After"}

    def test_a_system_that_wants_no_calls_gets_none_from_other_deliveries(self) -> None:
        evidence = instead(
            calm(),
            "/throttled",
            EVENT,
            exchange("/throttled", EVENT, 0, soon(503, 12)),
            exchange("/throttled", EVENT, 13),
        )
        assert rules(evidence) == set(), "who heard it was killed before it was written down"
        id_ = delivery_id(SYSTEM, EVENT, "throttled")
        refused = {"outcome": "refused", "at": -0.1, "seconds": 0.1}
        items = {**evidence.items, id_: {**evidence.items[id_], "attempts": [refused]}}
        evidence = replace(evidence, items=items)
        assert rules(evidence) == {"left alone"}, "of the next event, after 10 s"

    def test_a_paused_target_is_not_called(self) -> None:
        assert rules(replace(calm(), pauses={"gone": [(1.0, 15.0)]})) == {"paused"}
        assert rules(replace(calm(), pauses={"gone": [(6.0, 15.0)]})) == set(), "not all had heard of it"

    def test_nothing_overtakes_what_was_accepted_before_it_with_the_same_key(self) -> None:
        late = [exchange("/ordered", EVENT, 0, BUSY), exchange("/ordered", EVENT, 21)]
        (finding,) = judge(instead(calm(), "/ordered", EVENT, *late))
        assert (finding.rule, finding.event) == ("in order", NEXT)

    def test_what_was_given_up_and_replayed_may_be_late(self) -> None:
        evidence = instead(calm(), "/ordered", EVENT, exchange("/ordered", EVENT, 50))
        id_ = delivery_id(SYSTEM, EVENT, "ordered")
        replayed = {id_: {"id": id_, "status": "delivered", "ticket": "0001.000001"}}
        assert judge(replace(evidence, items={**evidence.items, **replayed})) == []

    def test_the_books_close(self) -> None:
        book = Book("plain", 0.0, accepted=5, delivered=5, unaccounted=1)  # and one that no line says
        assert rules(replace(calm(), books=[book])) == {"the books close"}
        assert rules(replace(calm(), books=[replace(book, unaccounted=0)])) == set()


class TestTarget:
    def test_what_a_delivery_meets_is_decided_by_the_seed_alone(self) -> None:
        events = names(50)

        def met(seed: int) -> list[list[Fault]]:
            storm = Storm(seed, events)
            return [storm.faults(place, event) for place in WEATHER for event in events]

        assert met(1) == met(1) != met(2)

    def test_every_fault_is_met_in_a_long_storm(self) -> None:
        events = names(400)
        storm = Storm(1, events)
        for place, weather in WEATHER.items():
            found = {fault for event in events for fault in storm.faults(place, event)}
            assert found >= set(weather.faults)
        assert sum(GONE in storm.faults("/gone", event) for event in events) == 6

"""What the reading is judged by: that whatever does not hold would be noticed, and that its API is what real ones are.

The reading itself is for the command line: ``python -m tests.chaos.reading``. In simulated time it is among the
tests (``test_polling.py``).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.events.identity import delivery_id
from causeway.settings.clock import rfc3339
from tests.chaos.reading import asking
from tests.chaos.reading.asking import Client, Told
from tests.chaos.reading.judging import Evidence, judge
from tests.chaos.reading.lists import PAGINATE, List, Version
from tests.chaos.reading.shop import Asked
from tests.chaos.reading.world import SHOP
from tests.support.faults import BUSY, LOST, OK, Fault, soon
from tests.support.faulty_target import Exchange

ONE, OTHER = "r1@1", "r2@1"
BATCH = "0123456789abcdef"


def exchange(
    event: str, *, at: float = 10.0, fault: Fault = OK, key: str = "", name: str = "link", body: Any = None
) -> Exchange:
    """A record that arrives, or a batch."""
    id_, _, version = event.partition("@")
    own = key or delivery_id(SHOP, event, name)
    return Exchange(
        f"/arrived/{name}", event, own, at, at, fault, body or {"id": id_, "version": int(version)}
    )


def batch(event: str = BATCH, *, ids: str = "34") -> Exchange:
    """Records that arrive together."""
    return exchange(event, name="page", body=[{"id": f"r{id_}", "version": 1} for id_ in ids])


def calm(*exchanges: Exchange) -> Evidence:
    """What there is to see when all went well: a list with two records, and one with a batch of two."""
    seen = exchanges or (exchange(ONE), exchange(OTHER), batch())
    versions = {("link", "r1", 1): Version(5), ("link", "r2", 1): Version(5)}
    versions |= {("page", "r3", 1): Version(5), ("page", "r4", 1): Version(5)}
    items = {each.key: item(each) for each in seen}
    again = {key: {"state": "done", "records": 2, "queued": 0} for key in PAGINATE}
    return Evidence(versions, seen, items, again=again)


def item(one: Exchange, status: str = "delivered", **more: Any) -> dict[str, Any]:
    return {"id": one.key, "system": SHOP, "event_id": one.event, "status": status, **more}


def rules(evidence: Evidence) -> list[str]:
    return [finding.rule for finding in judge(evidence)]


class TestJudging:
    def test_nothing_is_wrong_when_all_went_well(self) -> None:
        assert judge(calm()) == []

    def test_every_version_arrives(self) -> None:
        assert rules(calm(exchange(ONE), batch())) == ["arrived"]
        assert rules(calm(exchange(ONE), exchange(OTHER, fault=BUSY), batch())) == ["arrived"], "it was asked"
        assert rules(calm(exchange(ONE), exchange(OTHER), batch(ids="3"))) == ["arrived"]

    def test_a_version_that_was_replaced_before_it_could_be_read_may_be_missing(self) -> None:
        evidence = calm(exchange(ONE), batch())
        gone = {("link", "r2", 1): Version(5, missable=True)}
        assert rules(replace(evidence, versions={**evidence.versions, **gone})) == []

    def test_nothing_arrives_that_was_never_shown(self) -> None:
        assert rules(calm(exchange(ONE), exchange(OTHER), batch(), exchange("r1@2"))) == ["arrived"]

    def test_a_version_is_of_one_event_alone(self) -> None:
        assert rules(calm(exchange(ONE), exchange(OTHER), batch(), batch("f" * 16, ids="4"))) == [
            "in one event"
        ]

    def test_an_event_is_done_under_the_key_of_its_delivery(self) -> None:
        evidence = calm(exchange(ONE), exchange(OTHER), batch())
        wrong = exchange(ONE, at=11.0, fault=LOST, key="another")
        assert rules(replace(evidence, exchanges=[*evidence.exchanges, wrong])) == ["one key"]

    def test_what_is_done_is_not_asked_for_again(self) -> None:
        evidence = calm(exchange(ONE), exchange(OTHER), batch(), exchange(ONE, at=21.0))
        assert rules(evidence) == ["done once"]
        killed = replace(evidence, killed=[(10.5, "ProcessorFunction")])
        assert rules(killed) == [], "who knew it was killed"
        assert rules(replace(evidence, killed=[(10.5, "PollerFunction")])) == ["done once"]
        key = exchange(ONE).key
        unheard = item(exchange(ONE), attempts=[{"outcome": "refused", "at": 9.0, "seconds": 2.0}])
        assert rules(replace(evidence, items={**evidence.items, key: unheard})) == [], "nobody knew it"

    def test_an_answer_that_was_lost_is_asked_for_again(self) -> None:
        assert rules(calm(exchange(ONE, fault=LOST), exchange(ONE, at=12.0), exchange(OTHER), batch())) == []

    @pytest.mark.parametrize("status", ["waiting", "running", "dead"])
    def test_the_journal_says_that_it_is_delivered(self, status: str) -> None:
        evidence = calm()
        other = {exchange(ONE).key: item(exchange(ONE), status)}
        assert rules(replace(evidence, items={**evidence.items, **other})) == ["delivered"]
        without = {key: each for key, each in evidence.items.items() if key not in other}
        assert rules(replace(evidence, items=without)) == ["delivered"]

    def test_the_journal_knows_nothing_that_did_not_arrive(self) -> None:
        evidence = calm()
        more = exchange("r9@1")
        assert rules(replace(evidence, items={**evidence.items, more.key: item(more)})) == ["delivered"]

    def test_a_page_comes_no_sooner_than_the_api_has_said(self) -> None:
        asked = [Asked("link", 1.0, soon(429, 2)), Asked("page", 1.5, OK), Asked("link", 2.5, OK)]
        evidence = replace(calm(), asked=asked)
        assert rules(evidence) == ["Retry-After"]
        assert rules(replace(evidence, killed=[(1.2, "PollerFunction")])) == [], "who heard it was killed"
        assert rules(replace(calm(), asked=[*asked[:2], Asked("link", 3.1, OK)])) == []

    def test_nothing_is_left_and_a_last_reading_has_no_news(self) -> None:
        assert rules(replace(calm(), left=2)) == ["nothing left"]
        news = {"link": {"state": "done", "queued": 1}, "page": {"state": "failed", "queued": 0}}
        assert rules(replace(calm(), again=news)) == ["nothing left"] * 2


class TestJudgingRequests:
    @staticmethod
    def rules(client: Client, *exchanges: Exchange) -> list[str]:
        return [finding.rule for finding in asking.judge([client], exchanges, within=5.0)]

    @staticmethod
    def served(**changes: Any) -> Client:
        client = Client(7, [Told(0, 1.0), Told(202, 3.1)], "d7", later=True, status=200)
        client.reply = {"done": f"key:reader/{client.key}"}
        for name, value in changes.items():
            setattr(client, name, value)
        return client

    @staticmethod
    def called(place: str = "/office", key: str = "d7", fault: Fault = OK) -> Exchange:
        return Exchange(place, "key:reader/ask-0007", key, 1.0, 1.0, fault, {"number": 7})

    def test_nothing_is_wrong_with_a_client_that_was_served(self) -> None:
        step = self.called("/office/reserve", "d7/reserve")
        assert self.rules(self.served(), step, self.called(fault=LOST), self.called()) == []

    def test_whatever_is_wrong_is_found(self) -> None:
        step, target = self.called("/office/reserve", "d7/reserve"), self.called()
        assert self.rules(self.served(told=[Told(200, 5.1)]), step, target) == ["in time"]
        assert self.rules(self.served(status=0, reply={}), step, target) == ["replied"]
        assert self.rules(self.served(reply={"done": "key:reader/ask-0008"}), step, target) == ["replied"]
        assert self.rules(self.served(), target) == ["done once"]
        assert self.rules(self.served(), step) == ["done once"]
        assert self.rules(self.served(), step, self.called(fault=BUSY)) == ["done once"]
        assert self.rules(self.served(), step, target, self.called(key="d8")) == ["done once"]


SINCE = rfc3339(0.0)


def first(paging: str) -> dict[str, str]:
    return {"since": SINCE} | {"page": {"page": "1"}, "offset": {"offset": "0"}}.get(paging, {})


def read_through(
    found: List, *, now: float = 100.0, change: Any = lambda _: None
) -> Counter[tuple[str, int]]:
    """All that the pages show, one after the other; rows may change after each."""
    query, seen = first(found.paging), Counter[tuple[str, int]]()
    while True:
        page = found.read(query, now)
        found.was_shown(query, page)
        seen.update((each["id"], each["version"]) for each in page.records)
        if page.more is None:
            return seen
        change(page)
        query = {"since": SINCE, {"page": "page", "offset": "offset"}.get(found.paging, "after"): page.more}


class TestList:
    @pytest.mark.parametrize("paging", PAGINATE)
    @given(times=st.lists(st.integers(1, 6), max_size=30), size=st.integers(1, 7))
    def test_pages_show_every_row_once(self, paging: str, times: list[int], size: int) -> None:
        found = List(paging, size)
        for number, at in enumerate(times):
            found.put(f"r{number}", at)
        assert read_through(found) == Counter({(f"r{number}", 1): 1 for number in range(len(times))})

    def test_a_late_row_shows_when_it_is_time(self) -> None:
        found = List("link", 10)
        found.put("r1", 5, visible_at=20.0)
        assert (read_through(found, now=19.0), found.is_whole()) == (Counter(), False)
        assert (read_through(found, now=20.0), found.is_whole()) == (Counter({("r1", 1): 1}), True)

    @pytest.mark.parametrize("paging", PAGINATE)
    def test_what_was_read_before_it_is_replaced_has_to_arrive(self, paging: str) -> None:
        found = List(paging, 2)
        for number in range(4):
            found.put(f"r{number}", number)
        query, dice = first(paging), random.Random(1)
        page = found.read(query, 100.0)
        found.was_shown(query, page)
        assert not found.change(dice, 50), "nobody is known to have read anything"
        assert page.more is not None
        found.read(
            {"since": SINCE, {"page": "page", "offset": "offset"}.get(paging, "after"): page.more}, 100.0
        )
        assert found.change(dice, 50)
        assert len(found.waiting) == 5
        assert not any(version.missable for version in found.versions.values())

    def test_what_is_replaced_before_anybody_asked_for_more_may_be_missing(self) -> None:
        found = List("link", 2)
        found.put("r1", 1)
        assert found.replace("r1", 1, 2)
        assert not found.replace("r1", 1, 3), "it has another version"
        assert found.versions["r1", 1].missable
        assert found.waiting == {("r1", 2)}
        found.arrived("r1", 2)
        assert not found.waiting
        assert found.replace("r1", 2, 4)
        assert not found.versions["r1", 2].missable

    @pytest.mark.parametrize("paging", ["page", "offset"])
    def test_of_numbered_pages_a_change_keeps_a_row_from_being_shown(self, paging: str) -> None:
        """What causeway has to make up for."""
        found = List(paging, 2)
        for number in range(6):
            found.put(f"r{number}", number)
        changed = read_through(found, change=lambda _: found.replace("r0", 1, 50))
        assert ("r2", 1) not in changed
        assert ("r0", 2) in changed

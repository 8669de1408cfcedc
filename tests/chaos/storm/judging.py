"""What must hold after a storm, by what the targets saw and what the journal and the log say. Pure functions.

Each rule yields what broke it: which delivery, and what was expected instead.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from causeway.events.identity import delivery_id
from causeway.queueing.tickets import Ticket
from tests.support.faults import OK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from causeway.aws.table import Item
    from causeway.operations.books import Book
    from tests.support.faulty_target import Exchange

SYSTEM = "storm"
"""Where the events come from."""

PLACES = {
    "plain": ("/plain",),
    "stepped": ("/stepped/reserve", "/stepped"),
    "throttled": ("/throttled",),
    "gone": ("/gone",),
    "ordered": ("/ordered",),
}
"""The integrations, and what each of their deliveries calls, in this order: steps, then the target."""

ORDERED = "ordered"

_EARLY = 0.05
"""Seconds that clocks of processes and the arrival of a request may differ."""

_NOTED = 1.0
"""Seconds from an answer to the end of its attempt: fewer than until any next one."""

_HEARD_WITHIN = 5.0 + 1.5
"""Seconds after which every instance knows that a system or an integration is to be left alone, and calls that
were under way have ended."""


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by."""

    events: Mapping[str, str]  # the customer of each accepted event, in order of acceptance
    exchanges: Sequence[Exchange]
    items: Mapping[str, Item]  # the journal's, by delivery
    books: Sequence[Book] = ()
    pauses: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)  # by integration
    on_queue: int = 0

    def of(self, integration: str, event: str) -> list[Exchange]:
        """What the targets saw of one delivery, in order."""
        return self._by_delivery.get((integration, event), [])

    def is_noted(self, exchange: Exchange) -> bool:
        """Whether the journal has an attempt of that delivery that was refused then."""
        item = self.items.get(delivery_id(SYSTEM, exchange.event, integration_of(exchange.place)), {})
        return any(
            entry["outcome"] == "refused" and abs(entry["at"] + entry["seconds"] - exchange.answered) < _NOTED
            for entry in item.get("attempts", [])
        )

    @property
    def _by_delivery(self) -> dict[tuple[str, str], list[Exchange]]:
        if "_grouped" not in self.__dict__:
            grouped: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
            for each in sorted(self.exchanges, key=lambda one: one.at):
                grouped[integration_of(each.place), each.event].append(each)
            self.__dict__["_grouped"] = grouped
        found: dict[tuple[str, str], list[Exchange]] = self.__dict__["_grouped"]
        return found


class Finding(NamedTuple):
    """Something that does not hold."""

    rule: str
    expected: str
    integration: str
    event: str = ""

    @property
    def delivery(self) -> str:
        """The delivery's id."""
        return delivery_id(SYSTEM, self.event, self.integration) if self.event else ""


def integration_of(place: str) -> str:
    """Whose place it is."""
    return place.split("/")[1]


def delivered(evidence: Evidence) -> Iterator[Finding]:
    """Every accepted event is delivered to each of its targets."""
    for event in evidence.events:
        for integration in PLACES:
            item = evidence.items.get(delivery_id(SYSTEM, event, integration))
            status = item["status"] if item else "not in the journal"
            if status != "delivered":
                yield Finding("delivered", f"status delivered, not: {status}", integration, event)


def done_once(evidence: Evidence) -> Iterator[Finding]:
    """Every place has done what it was asked, under one key, which is the delivery's."""
    for event in evidence.events:
        for integration, places in PLACES.items():
            for place in places:
                own = delivery_id(SYSTEM, event, integration)
                step = place.removeprefix(f"/{integration}").removeprefix("/")
                wanted = {f"{own}/{step}" if step else own}
                seen = [each for each in evidence.of(integration, event) if each.place == place]
                done = {each.key for each in seen if each.fault.commits}
                if done != wanted:
                    yield Finding("done once", f"{place} done under {wanted}, not {done}", integration, event)
                if {each.key for each in seen} - wanted:
                    yield Finding("one key", f"{place} asked under {wanted} only", integration, event)


def not_before(evidence: Evidence) -> Iterator[Finding]:
    """A delivery comes no sooner again than its target has said."""
    for event in evidence.events:
        for integration in PLACES:
            for one, other in pairwise(evidence.of(integration, event)):
                wait = one.fault.retry_after
                if other.at < one.answered + wait - _EARLY:
                    came = other.at - one.answered
                    expected = f"{wait} s after {one.fault.name}, not {came:.2f} s"
                    yield Finding("Retry-After", expected, integration, event)


def left_alone(evidence: Evidence) -> Iterator[Finding]:
    """A system that has said for how long it wants no calls gets none, of any delivery.

    What only a process has heard that was killed before it wrote that down, nobody knows.
    """
    holding = [
        each
        for each in evidence.exchanges
        if each.fault.retry_after > _HEARD_WITHIN and evidence.is_noted(each)
    ]
    for one in holding:
        for other in evidence.exchanges:
            same = integration_of(one.place) == integration_of(other.place)
            if (
                same
                and one.answered + _HEARD_WITHIN < other.at < one.answered + one.fault.retry_after - _EARLY
            ):
                expected = f"no call for {one.fault.retry_after} s, not after {other.at - one.answered:.2f} s"
                yield Finding("left alone", expected, integration_of(other.place), other.event)


def paused(evidence: Evidence) -> Iterator[Finding]:
    """A paused integration's target is not called."""
    for integration, spans in evidence.pauses.items():
        for since, until in spans:
            for each in evidence.exchanges:
                if integration_of(each.place) == integration and since + _HEARD_WITHIN < each.at < until:
                    yield Finding("paused", "no call while it is paused", integration, each.event)


def in_order(evidence: Evidence) -> Iterator[Finding]:
    """Of one key, nothing is called before what was accepted before it is done, or given up."""
    keys: dict[str, list[str]] = defaultdict(list)
    for event, customer in evidence.events.items():
        keys[customer].append(event)
    for events in keys.values():
        for earlier, later in pairwise(events):
            before = [each for each in evidence.of(ORDERED, earlier) if each.fault == OK]
            after = evidence.of(ORDERED, later)
            given_up = _was_replayed(evidence.items.get(delivery_id(SYSTEM, earlier, ORDERED)))
            if after and not given_up and not (before and before[0].at <= after[0].at):
                yield Finding("in order", f"not before {earlier} is done", ORDERED, later)


def _was_replayed(item: Item | None) -> bool:
    return item is not None and Ticket.parse(item["ticket"]).replay > 0


def books_close(evidence: Evidence) -> Iterator[Finding]:
    """What was accepted is accounted for."""
    for book in evidence.books:
        if book.unaccounted:
            expected = f"{book.accepted} accepted, and {book.unaccounted} of them are nowhere: {book}"
            yield Finding("the books close", expected, book.integration)


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    delivered,
    done_once,
    not_before,
    left_alone,
    paused,
    in_order,
    books_close,
)


def judge(evidence: Evidence) -> list[Finding]:
    """All that does not hold."""
    return [finding for rule in RULES for finding in rule(evidence)]

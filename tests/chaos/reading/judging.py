"""What must hold after a reading, by what the API has shown and the target has seen. Pure functions.

Each rule yields what broke it: which record, and what was expected instead.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.events.identity import delivery_id
from tests.chaos.reading.shop import records_of
from tests.chaos.reading.world import SHOP
from tests.support.faults import OK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from causeway.aws.table import Item
    from tests.chaos.reading.lists import Version
    from tests.chaos.reading.shop import Asked
    from tests.support.faulty_target import Exchange

    Name = tuple[str, str, int]
    """A list, a record of it, and its version."""

_EARLY = 0.05
"""Seconds that clocks of processes and the arrival of a request may differ."""


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by."""

    versions: Mapping[Name, Version]  # all that showed
    exchanges: Sequence[Exchange]  # of what arrived, in order
    items: Mapping[str, Item]  # the journal's, by delivery
    asked: Sequence[Asked] = ()
    killed: Sequence[tuple[float, str]] = ()
    left: int = 0  # messages on the queues
    again: Mapping[str, Any] = field(default_factory=dict)  # what a last reading of each list came to

    @cached_property
    def arrived(self) -> Mapping[Name, Sequence[Exchange]]:
        """The requests with which each version came."""
        found: dict[Name, list[Exchange]] = defaultdict(list)
        for each in self.exchanges:
            for record in records_of(each):
                found[_list_of(each), record["id"], record["version"]].append(each)
        return found

    @cached_property
    def deliveries(self) -> Mapping[str, Sequence[Exchange]]:
        """The requests that were made for each delivery, by what it has to be called."""
        found: dict[str, list[Exchange]] = defaultdict(list)
        for each in self.exchanges:
            found[delivery_id(SHOP, each.event, _list_of(each))].append(each)
        return found

    def was_killed(self, function: str, since: float, until: float) -> bool:
        """Whether one of its processes was, in that time."""
        return any(name == function and since - _EARLY <= at <= until for at, name in self.killed)


class Finding(NamedTuple):
    """Something that does not hold."""

    rule: str
    expected: str
    about: str


def arrived(evidence: Evidence) -> Iterator[Finding]:
    """Every version arrives that was not replaced before it could be read, and nothing that never was."""
    for name, version in evidence.versions.items():
        done = any(each.fault.commits for each in evidence.arrived.get(name, ()))
        if not done and not version.missable:
            yield Finding("arrived", "that it arrives", _text(name))
    for name in evidence.arrived.keys() - evidence.versions.keys():
        yield Finding("arrived", "only what the API has shown", _text(name))


def in_one_delivery(evidence: Evidence) -> Iterator[Finding]:
    """Every version comes with one event, alone or in a batch."""
    for name, exchanges in evidence.arrived.items():
        if len(events := {each.event for each in exchanges}) > 1:
            yield Finding("in one event", f"one event, not {sorted(events)}", _text(name))


def done_once(evidence: Evidence) -> Iterator[Finding]:
    """The target is asked under one key, which is the delivery's, and again only by whoever could not know."""
    for delivery, exchanges in evidence.deliveries.items():
        if keys := {each.key for each in exchanges} - {delivery}:
            yield Finding("one key", f"asked under {delivery}, not {sorted(keys)}", exchanges[0].event)
        done = [each for each in exchanges if each.fault == OK]
        for one, other in pairwise(done):
            killed = evidence.was_killed("ProcessorFunction", one.answered, other.at)
            if not killed and not _was_unheard(evidence.items.get(delivery), one):
                expected = f"nothing after the answer, not again {other.at - one.answered:.2f} s later"
                yield Finding("done once", expected, one.event)


def _was_unheard(item: Item | None, exchange: Exchange) -> bool:
    """Whether the journal says that there was no answer, as when a machine is too busy to be on time."""
    entries = item.get("attempts", []) if item else []
    return any(
        entry["outcome"] == "refused" and entry["at"] - 1 <= exchange.at <= entry["at"] + entry["seconds"] + 1
        for entry in entries
    )


def delivered(evidence: Evidence) -> Iterator[Finding]:
    """The journal says of all that arrived that it is delivered, and knows nothing else."""
    for delivery, exchanges in evidence.deliveries.items():
        item = evidence.items.get(delivery)
        if item is None or item["status"] != "delivered":
            status = item["status"] if item else "not in the journal"
            yield Finding("delivered", f"status delivered, not: {status}", exchanges[0].event)
    for delivery, item in evidence.items.items():
        if item["system"] == SHOP and delivery not in evidence.deliveries:
            expected = f"deliveries of what arrived, and none that is {item['status']}"
            yield Finding("delivered", expected, item["event_id"])


def left_alone(evidence: Evidence) -> Iterator[Finding]:
    """A list that has said when to come again is not asked before, but by who could not hear of it."""
    lists = defaultdict(list)
    for each in evidence.asked:
        lists[each.name].append(each)
    for name, requests in lists.items():
        for one, other in pairwise(requests):
            early = one.at + one.fault.retry_after - _EARLY - other.at
            if early > 0 and not evidence.was_killed("PollerFunction", one.at, other.at):
                yield Finding("Retry-After", f"{early:.2f} s later after {one.fault.name}", name)


def nothing_left(evidence: Evidence) -> Iterator[Finding]:
    """The queues are empty, and a last reading finds nothing new."""
    if evidence.left:
        yield Finding("nothing left", f"empty queues, not {evidence.left} messages", "queues")
    for name, progress in evidence.again.items():
        if (progress["state"], progress["queued"]) != ("done", 0):
            yield Finding("nothing left", f"a last reading without news, not {progress}", name)


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    arrived,
    in_one_delivery,
    done_once,
    delivered,
    left_alone,
    nothing_left,
)


def judge(evidence: Evidence) -> list[Finding]:
    """All that does not hold."""
    return [finding for rule in RULES for finding in rule(evidence)]


def _list_of(exchange: Exchange) -> str:
    return exchange.place.rpartition("/")[2]


def _text(name: Name) -> str:
    return f"{name[0]} {name[1]}@{name[2]}"

"""Whom a poll's events concern; and of those that webhooks should have brought, which they did not.

A ``reconcile`` poll reads what webhooks have mostly brought already. What the journal knows is not queued
again. Of the rest each event's first message says that it was missed: whoever claims its delivery finds out
who came first, and counts it if it is this one. A webhook that comes later meets the delivery, and is a
duplicate like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.acceptance.sorting import by_type
from causeway.delivery.journal import PART
from causeway.events.identity import delivery_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causeway.acceptance.acceptor import Store
    from causeway.acceptance.sorting import Takers
    from causeway.aws.table import Table
    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import Integration, Poll
    from causeway.queueing.messages import Message


def takers_of(plan: Plan, poll: Poll) -> Takers:
    """The integrations that take this poll; of one that reconciles also those of the system's events."""
    own = plan.fed_by_poll(poll["system"], poll["name"])
    if "reach" not in poll:
        return lambda _: own
    of_events = by_type(plan, poll["system"])
    return lambda event: [*own, *of_events(event)]


def is_taken(plan: Plan, poll: Poll) -> bool:
    """Whether anybody takes what this poll brings."""
    by_events = "reach" in poll and plan.fed_by(poll["system"])
    return bool(by_events or plan.fed_by_poll(poll["system"], poll["name"]))


def not_brought(
    journal: Table, events: Sequence[Event], takers: Takers, *, now: float
) -> tuple[list[Event], Takers]:
    """The events that are still to be delivered to somebody, and to whom.

    Raises:
        AwsError: the journal could not be read.
    """
    deliveries = [{_delivery(event, taker) for taker in takers(event)} for event in events]
    known = _known(journal, set().union(*deliveries), now)
    left = [event for event, its in zip(events, deliveries, strict=True) if not its or its - known]
    return left, lambda event: [taker for taker in takers(event) if _delivery(event, taker) not in known]


class Missed:
    """Marks what is stored, so that it counts as missed by webhooks if it is the first of its delivery."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def send(self, messages: Sequence[Message]) -> None:
        """Store messages; of each event one is marked."""
        marked: set[str] = set()
        for message in messages:
            if message["acceptance"] not in marked:
                marked.add(message["acceptance"])
                message["missed"] = True
        self._store.send(messages)


def _known(journal: Table, deliveries: Iterable[str], now: float) -> set[str]:
    items = journal.get_all([(delivery, PART) for delivery in deliveries], ("expires_at",))
    return {item["id"] for item in items if item.get("expires_at", now) >= int(now)}


def _delivery(event: Event, taker: Integration) -> str:
    return delivery_id(event["source"], event["id"], taker["name"])

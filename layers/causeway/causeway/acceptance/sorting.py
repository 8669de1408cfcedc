"""From events to one message per event and integration, whatever brought them."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from causeway.events.envelope import scope_of
from causeway.events.expressions import ExpressionError, ask
from causeway.events.identity import delivery_id
from causeway.events.matching import matches
from causeway.events.ordering import key_of
from causeway.queueing.messages import FORMAT, new_acceptance
from causeway.queueing.tickets import FIRST
from causeway.telemetry.tracing import trace_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import Integration
    from causeway.queueing.messages import Message

    Takers = Callable[[Event], Iterable[Integration]]
    """Which integrations an event concerns, before their filters are asked."""


class Outcome(NamedTuple):
    """What becomes of events. The counts are by integration."""

    messages: list[Message]
    accepted: Counter[str]
    filtered: Counter[str]
    unmatched: int


def sort_events(events: Iterable[Event], takers: Takers, *, system: str, now: float) -> Outcome:
    """Match and filter events.

    Args:
        events: With ids that no other event of the system has.
        takers: Whom one may concern.
        system: Who sent them, or a reserved name (:mod:`causeway.plan.sources`).
        now: When they are accepted: epoch seconds.
    """
    outcome = Outcome([], Counter(), Counter(), 0)
    unmatched = 0
    for event in events:
        acceptance = new_acceptance()
        concerned = list(takers(event))
        unmatched += not concerned
        for taker in concerned:
            if _is_filtered_out(taker, event):
                outcome.filtered[taker["name"]] += 1
            else:
                outcome.accepted[taker["name"]] += 1
                message = message_of(event, taker["name"], system=system, acceptance=acceptance, now=now)
                outcome.messages.append(ordered(taker, message))
    return outcome._replace(unmatched=unmatched)


def by_type(plan: Plan, system: str) -> Takers:
    """The integrations that take a system's events, by the events' types."""
    fed = plan.fed_by(system)
    return lambda event: [taker for taker in fed if matches(taker["source"]["events"], event["type"])]


def message_of(event: Event, integration: str, *, system: str, acceptance: str, now: float) -> Message:
    """The first message of a delivery.

    Args:
        event: What is delivered.
        integration: For which.
        system: Who sent it.
        acceptance: The acceptance's id.
        now: When it is accepted: epoch seconds.
    """
    message: Message = {
        "format": FORMAT,
        "delivery": delivery_id(system, event["id"], integration),
        "integration": integration,
        "system": system,
        "ticket": str(FIRST),
        "acceptance": acceptance,
        "accepted_at": now,
        "event": event.copy(),
    }
    trace = trace_header()
    return {**message, "trace": trace} if trace else message


def ordered(integration: Integration, message: Message) -> Message:
    """A first message with the group of its order key, if its integration keeps an order.

    A key that cannot be had is no reason to drop the delivery: it is queued, in a group of its own, to die
    with the reason.
    """
    event = message.get("event")
    if "order_by" not in integration or event is None:
        return message
    try:
        key = f"{key_of(integration, event)}"
    except ExpressionError:
        return {**message, "order": _group(message["integration"], "no key", message["delivery"])}
    return {**message, "order": _group(message["integration"], "key", key)}


def _is_filtered_out(integration: Integration, event: Event) -> bool:
    """Whether the filter says no. One that fails is not a no: it is queued, to die with the reason."""
    if "filter" not in integration:
        return False
    try:
        return not ask(integration["filter"], scope_of(event, integration["constants"], {}))
    except ExpressionError:
        return False


def _group(integration: str, kind: str, key: str) -> str:
    """The name of the deliveries of one integration and one key.

    A hash, since keys are data of people, such as a customer's number, and the name stands in messages, in
    the journal and in logs.
    """
    identity = f"{integration}\n{kind}\n{key}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identity).hexdigest()[:32]

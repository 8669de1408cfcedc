"""From the events of a verified request to one message per event and integration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from causeway.events.envelope import make_event, scope_of
from causeway.events.expressions import ExpressionError, ask
from causeway.events.identity import delivery_id
from causeway.events.matching import matches
from causeway.events.ordering import ordered
from causeway.queueing.messages import FORMAT, new_acceptance
from causeway.queueing.tickets import FIRST
from causeway.settings.clock import rfc3339
from causeway.telemetry.tracing import trace_header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import Integration
    from causeway.queueing.messages import Message
    from causeway.webhooks.identity import Told


class Outcome(NamedTuple):
    """What becomes of a request's events. The counts are by integration."""

    messages: list[Message]
    accepted: Counter[str]
    filtered: Counter[str]
    unmatched: int


def sort_events(
    plan: Plan,
    system: str,
    told: Sequence[Told],
    *,
    headers: Mapping[str, str],
    time: float,
    now: float,
) -> Outcome:
    """Match and filter the events.

    Args:
        plan: whom they may concern.
        system: who sent them.
        told: the events.
        headers: what of the request's headers is kept with them.
        time: when they happened, as far as that is known: epoch seconds.
        now: when they are accepted: epoch seconds.
    """
    outcome = Outcome([], Counter(), Counter(), 0)
    unmatched = 0
    integrations = plan.fed_by(system)
    for each in told:
        event = make_event(
            id=each.id,
            type=each.type,
            source=system,
            time=rfc3339(time),
            data=each.body.data,
            data_base64=each.body.data_base64,
            headers=headers,
        )
        acceptance = new_acceptance()
        takers = [taker for taker in integrations if matches(taker["source"]["events"], each.type)]
        unmatched += not takers
        for taker in takers:
            if _is_filtered_out(taker, event):
                outcome.filtered[taker["name"]] += 1
            else:
                outcome.accepted[taker["name"]] += 1
                message = _message(event, taker["name"], acceptance, now)
                outcome.messages.append(ordered(taker, message))
    return outcome._replace(unmatched=unmatched)


def _is_filtered_out(integration: Integration, event: Event) -> bool:
    """Whether the filter says no. One that fails is not a no: it is queued, to die with the reason."""
    if "filter" not in integration:
        return False
    try:
        return not ask(integration["filter"], scope_of(event, integration["constants"], {}))
    except ExpressionError:
        return False


def _message(event: Event, integration: str, acceptance: str, now: float) -> Message:
    message: Message = {
        "format": FORMAT,
        "delivery": delivery_id(event["source"], event["id"], integration),
        "integration": integration,
        "system": event["source"],
        "ticket": str(FIRST),
        "acceptance": acceptance,
        "accepted_at": now,
        "event": dict(event),
    }
    trace = trace_header()
    return {**message, "trace": trace} if trace else message

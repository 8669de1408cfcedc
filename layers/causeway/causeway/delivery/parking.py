"""Deliveries of a paused integration: they wait in the journal, and their time stands still.

An integration is paused by a person, or by its target: ``410 Gone`` (of the target's own call, unless the map
wants it retried) or ``Webhook-Delivery: disable`` on any answer of it. Which is no attempt: the delivery that
heard it waits like all others, with the ticket that it has.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.bus.announcements import of_announcement
from causeway.delivery.received import Fate, Paused
from causeway.telemetry.logs import about

if TYPE_CHECKING:
    from causeway.calls.outcome import Answer, Refused
    from causeway.delivery.attempt import Attempt
    from causeway.delivery.claims import Claim

PARKED = "paused"
"""The class of the reason for which a delivery of a paused integration waits."""

PARKED_FOR = 86400.0
"""Seconds after which the scheduler looks at a parked delivery, lest nobody released it."""

BY_TARGET = "target"
"""Who paused an integration whose target asked for it."""

_PAUSING = threading.Lock()


def check(attempt: Attempt) -> None:
    """Pass when the integration is not paused.

    Raises:
        Paused: it is.
    """
    pause = attempt.tools.pauses.of(attempt.message["integration"])
    if pause.paused:
        raise Paused(f"paused by {pause.by}: {pause.reason}")


def stopped(attempt: Attempt) -> float:
    """Seconds of this chain of attempts in which the integration was paused."""
    pause = attempt.tools.pauses.of(attempt.message["integration"])
    return pause.stopped(attempt.claimed.since, attempt.tools.clock.now())


def wants_pause(attempt: Attempt, error: Paused | Refused) -> bool:
    """Whether the integration is paused, or its target asks for no more deliveries at all."""
    if isinstance(error, Paused):
        return True
    if error.answer is None:
        return False
    gone = error.answer.status == HTTPStatus.GONE and not error.retry and attempt.progress.at is None
    return gone or disables(error.answer)


def disables(answer: Answer | None) -> bool:
    """Whether an answer says ``Webhook-Delivery: disable``."""
    return answer is not None and answer.headers.get("webhook-delivery") == "disable"


def pause(attempt: Attempt, reason: str) -> None:
    """Pause the integration for its target; first say so, so that nobody's pause is a secret."""
    tools, integration = attempt.tools, attempt.message["integration"]
    with _PAUSING:  # or all of a batch would say it
        if not tools.pauses.now(integration).paused:
            tools.giving_up.tell_paused(
                integration, of_announcement=_of_announcement(attempt), by=BY_TARGET, reason=reason
            )
            tools.pauses.pause(integration, by=BY_TARGET, reason=reason)
            tools.logger.error("paused", **about(integration=integration), reason=reason)


def _of_announcement(attempt: Attempt) -> bool:
    return attempt.event is not None and of_announcement(attempt.message["system"], attempt.event["type"])


def park(attempt: Attempt, claim: Claim, reason: str) -> Fate:
    """Let the delivery, whose event is kept, wait until its integration is resumed."""
    tools = attempt.tools
    due_at = None if attempt.ordered else tools.clock.now() + PARKED_FOR
    tools.journal.waiting(claim, ticket=claim.ticket, due_at=due_at, reason=reason, error=PARKED)
    tools.logger.info("waits for its integration", **attempt.about, reason=reason)
    return Fate("paused", PARKED_FOR if attempt.ordered else None)

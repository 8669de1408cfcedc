"""What follows an attempt.

It ends with an exception or none:

* none: delivered;
* ``Paused``: no attempt was made, the delivery waits for its integration, as it does when the target asks for
  a pause (:mod:`~causeway.delivery.parking`);
* ``Refused`` that the map wants retried: again, by the schedule, unless the target says ``abort-message``;
* ``Refused`` otherwise, ``ExpressionError``, ``TransformFailed``, ``GivenUp``: dead, with the reason;
* ``Postponed``: no attempt was made, the message goes back;
* ``Held``: no attempt was made, the delivery waits for its system (:mod:`~causeway.delivery.holding`);
* anything else is our fault (AWS, a secret, the plan): the message goes back until the delivery's time is up.

The order is always: the event beside the item, the message that comes next, the journal, and last the
deletion of this message. So being cut off anywhere costs at most one attempt more, and never a delivery.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from traceback import extract_tb
from typing import TYPE_CHECKING

from causeway.aws.client import AwsError
from causeway.calls.outcome import Refused
from causeway.delivery import holding, parking, replies
from causeway.delivery.journal import GRACE
from causeway.delivery.redaction import hider
from causeway.delivery.schedule import NoMoreAttempts, next_attempt
from causeway.delivery.transforms import TransformFailed, TransformMissing
from causeway.delivery.work import Fate, GivenUp, Paused, Postponed
from causeway.events.envelope import public_headers
from causeway.events.expressions import ExpressionError
from causeway.limiting.turns import Held
from causeway.queueing.messages import FORMAT
from causeway.queueing.queue import LONGEST_DELAY
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import rfc3339
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.calls.outcome import Answer
    from causeway.delivery.attempt import Attempt
    from causeway.delivery.claims import Entry
    from causeway.delivery.pages import Pages
    from causeway.delivery.work import Received, Tools
    from causeway.plan.records import Errors
    from causeway.queueing.messages import Message

OUR_FAULTS = (AwsError, NotQueued, SecretMissing, SecretsUnavailable, TransformMissing)
"""What is known to be ours; anything unexpected is, too."""

_OUTCOMES = (Refused, GivenUp, Held, Paused, Postponed)

DEDUPE_FOR = 7 * 86400.0
"""Seconds for which repeats are met, where the source's manifest is not there to say."""

_FAILED = frozenset({"refused", "crashed", "fault", "dead"})

_ANSWER_KEPT = 2048
_HEADERS_KEPT = 20
_LONGEST_HEADER = 200
_LONGEST_REASON = 500
_FIRST_BACK = 5.0
LONGEST_BACK = 900.0
"""Seconds; a thousand of them, after which SQS gives up by itself, are ten days."""


def delivered(attempt: Attempt) -> Fate:
    """The target has it, or was not to be called."""
    tools, claim = attempt.tools, attempt.claimed
    now = tools.clock.now()
    if parking.disables(attempt.answer):
        parking.pause(attempt, "the target answered Webhook-Delivery: disable")
    keep_events = attempt.integration["errors"]["keep_events"] if attempt.integration else 0
    if keep_events:
        attempt.keep(attempt.kept.answers, expires_at=now + keep_events)
    delete = attempt.kept.there and not keep_events
    expires_at = now + dedupe_for(tools, attempt.message)
    replies.keep(attempt)
    entry = entry_of(attempt, attempt.outcome)
    tools.journal.delivered(claim.with_entry(entry), expires_at=expires_at, kept=delete)
    if delete:
        tools.beside.delete(attempt.id)
    list_done(
        attempt.invocation.pages,
        attempt.received,
        claim.attempts,
        at=now,
        expires_at=expires_at,
    )
    tools.metrics.add("DeliveriesSucceeded")
    if claim.ticket.replay == 0:
        latency = (now - claim.accepted_at) * 1000
        tools.metrics.add("DeliveryLatency", latency, integration=claim.integration)
    return Fate(attempt.outcome)


def list_done(
    pages: Pages, received: Received, before: Iterable[Entry], *, at: float, expires_at: float
) -> None:
    """List a delivery that is done, and that it had failed before, if an attempt before had."""
    message, record_id = received.message, received.record_id
    pages.delivered(message, at=at, record_id=record_id, expires_at=expires_at)
    if any(entry["outcome"] in _FAILED for entry in before):
        pages.retried(message, record_id=record_id, expires_at=expires_at)


def failed(attempt: Attempt, error: Exception) -> Fate:
    """Do what follows from how the attempt ended."""
    try:
        return follow(attempt, error)
    except (AwsError, NotQueued) as fault:
        # Not even what follows could be written: the claim is given back, so that this does not look like a
        # crash.
        return _release(attempt, Fate("fault", back(attempt.received)), reason_of(attempt, fault))


def in_words(error: Exception) -> str:
    """An error, for people; of what nobody expected only type and place: its text may quote anything."""
    if isinstance(error, (*_OUTCOMES, ExpressionError, TransformFailed, *OUR_FAULTS)):
        return str(error)
    place = extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"


def dedupe_for(tools: Tools, message: Message) -> float:
    """Seconds for which repeats of an event are met, by its source's manifest."""
    source = tools.plan.systems.get(message["system"])
    return source["webhooks"]["dedupe_for"] if source and "webhooks" in source else DEDUPE_FOR


def follow(attempt: Attempt, error: Exception) -> Fate:
    """The same, but what cannot be written down raises."""
    reason = reason_of(attempt, error)
    match error:
        case Paused() | Refused() if parking.wants_pause(attempt, error):
            return _pause(attempt, error, reason)
        case Refused(retry=True) if not aborted(error):
            return _retry(attempt, error, reason)
        case Refused() | GivenUp():
            return _give_up(attempt, reason, error.kind)
        case ExpressionError() | TransformFailed():
            return _give_up(attempt, reason, "mapping")
        case Postponed():
            fate = error.fate
        case Held():
            fate = Fate(error.kind)
        case _:
            fate = Fate("fault", back(attempt.received))
    errors = _errors(attempt)
    if errors and attempt.tools.clock.now() >= _since(attempt) + errors["give_up_after"]:
        return _give_up(attempt, f"time is up: {reason}", "time")
    return _hold(attempt, error, reason) if isinstance(error, Held) else _release(attempt, fate, reason)


def aborted(refused: Refused) -> bool:
    """The target asks never to send this one again, whatever its status."""
    return refused.answer is not None and refused.answer.headers.get("webhook-delivery") == "abort-message"


def _retry(attempt: Attempt, refused: Refused, reason: str) -> Fate:
    tools, claim = attempt.tools, attempt.claimed
    now = tools.clock.now()
    try:
        due = due_again(attempt, refused)
    except NoMoreAttempts as end:
        return _give_up(attempt, f"{reason}; given up {end}", refused.kind)
    _keep(attempt)
    ticket = claim.ticket.next()
    look_at = due
    if due - now <= LONGEST_DELAY and not attempt.ordered:
        tools.queue.send([next_message(attempt.message, str(ticket))], delay=due - now)
        look_at = due + GRACE
    entry = entry_of(attempt, "refused", reason, refused.kind)
    tools.journal.waiting(
        claim.with_entry(entry), ticket=ticket, due_at=look_at, reason=reason, error=refused.kind
    )
    tools.metrics.add("DeliveriesRetried")
    tools.logger.warning("refused, is tried again", **attempt.about, reason=reason, due=rfc3339(due))
    return Fate("retried", due - now if attempt.ordered else None)


def due_again(attempt: Attempt, refused: Refused) -> float:
    """When the schedule has the next attempt. Raises NoMoreAttempts where there is none."""
    errors = _errors(attempt)
    assert errors is not None, "only an integration's call is refused"
    return next_attempt(
        errors,
        attempt=attempt.claimed.ticket.attempt,
        since=_since(attempt),
        now=attempt.tools.clock.now(),
        jitter=attempt.tools.jitter(),
        retry_after=refused.retry_after,
    )


def _pause(attempt: Attempt, error: Paused | Refused, reason: str) -> Fate:
    """The integration is paused, or its target wants it to be: the delivery waits until it is resumed."""
    claim = attempt.claimed
    _keep(attempt)
    if isinstance(error, Refused):
        parking.pause(attempt, reason)
        claim = claim.with_entry(entry_of(attempt, "refused", reason, error.kind))
    return parking.park(attempt, claim, reason)


def _hold(attempt: Attempt, held: Held, reason: str) -> Fate:
    """Its system is not to be called now: the delivery waits, with the ticket that it has."""
    if not attempt.kept.there or attempt.kept.expires or attempt.kept.answers != attempt.progress.answers:
        attempt.keep(attempt.progress.answers)
    following = next_message(attempt.message, str(attempt.claimed.ticket))
    return holding.hold(attempt, held, following, reason)


def _since(attempt: Attempt) -> float:
    """When this chain of attempts began, for the clock of ``give_up_after``, which a pause stops."""
    return attempt.claimed.since + parking.stopped(attempt)


def _give_up(attempt: Attempt, reason: str, kind: str) -> Fate:
    tools = attempt.tools
    expires_at = tools.clock.now() + tools.keep_dead
    attempt.keep(attempt.kept.answers, expires_at=expires_at)
    replies.keep(attempt, kind)
    entry = entry_of(attempt, "dead", reason, kind)
    tools.journal.dead(
        attempt.claimed.with_entry(entry),
        reason=reason,
        error=kind,
        steps=attempt.progress.done,
        expires_at=expires_at,
    )
    tools.giving_up.announce(attempt.id)
    tools.logger.error("given up", **attempt.about, reason=reason, error=kind)
    return Fate("dead")


def _release(attempt: Attempt, fate: Fate, reason: str) -> Fate:
    """Give the claim back: the same ticket may be claimed again, and the message comes again."""
    tools = attempt.tools
    claim = attempt.claimed
    if fate.outcome == "fault":
        claim = claim.with_entry(entry_of(attempt, "fault", reason, "fault"))
        with suppress(AwsError):  # the message is there, too
            _keep(attempt)
    due_at = tools.clock.now() + GRACE if attempt.kept.there and not attempt.ordered else None
    tools.journal.waiting(claim, ticket=claim.ticket, due_at=due_at, reason=reason, error=fate.outcome)
    log = tools.logger.error if fate.outcome == "fault" else tools.logger.info
    log("not attempted, comes again", **attempt.about, reason=reason)
    return fate


def _keep(attempt: Attempt) -> None:
    """The event is beside the item, for good, from the moment the delivery does not succeed at once."""
    if not attempt.kept.there or attempt.kept.expires:
        attempt.keep(attempt.kept.answers)


def next_message(message: Message, ticket: str) -> Message:
    """The message after this one: its event lies beside the item by then."""
    following: Message = {**message, "format": FORMAT, "ticket": ticket, "event_at": "journal"}
    for name in ("event", "slots", "deferrals"):
        following.pop(name, None)  # type: ignore[misc] # these may be absent
    return following


def _errors(attempt: Attempt) -> Errors | None:
    return attempt.integration["errors"] if attempt.integration else None


def back(received: Received) -> float:
    """Seconds until a message that met our own fault comes again: longer each time."""
    return min(math.ldexp(_FIRST_BACK, min(received.receives - 1, 10)), LONGEST_BACK)


def reason_of(attempt: Attempt, error: Exception) -> str:
    """Why, for people, with nothing in it that the source's manifest redacts."""
    text = in_words(error)
    if attempt.progress.at is not None:
        text = f"step {attempt.progress.at}: {text}"
    return attempt.redact(text)[:_LONGEST_REASON]


def entry_of(attempt: Attempt, outcome: str, reason: str | None = None, error: str | None = None) -> Entry:
    """The attempt as its history has it; of one that succeeded little, since it is written for each."""
    now = attempt.tools.clock.now()
    entry: Entry = {
        "at": round(attempt.started, 3),
        "ticket": str(attempt.claimed.ticket),
        "outcome": outcome,  # type: ignore[typeddict-item] # one of them
        "seconds": round(now - attempt.started, 3),
    }
    if attempt.answer is not None:
        entry["status"] = attempt.answer.status
        called = attempt.tools.plan.systems.get(attempt.called or "")
        api = called.get("api") if called else None
        if api and api["keep_answers"]:
            body = attempt.answer.body
            text = body if isinstance(body, str) else json.dumps(body)
            entry["answer"] = _shown(attempt, attempt.answer, text)[:_ANSWER_KEPT]
    if reason is not None and error is not None:
        entry |= {"reason": reason, "error": error}
        if attempt.answer is not None:
            entry["headers"] = _headers(attempt, attempt.answer)
        if attempt.progress.at is not None:
            entry["step"] = attempt.progress.at
    return entry


def _headers(attempt: Attempt, answer: Answer) -> dict[str, str]:
    """An answer's headers, as far as a history has room: no credential, and nothing that is redacted."""
    shown = list(public_headers(answer.headers).items())[:_HEADERS_KEPT]
    return {name: _shown(attempt, answer, value)[:_LONGEST_HEADER] for name, value in shown}


def _shown(attempt: Attempt, answer: Answer, text: str) -> str:
    """What of an answer's text people are shown: nothing redacted, and no credential that it repeats."""
    return attempt.redact(hider(answer.proofs)(text))

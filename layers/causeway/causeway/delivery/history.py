"""An attempt in words: why it failed, and its entry in the delivery's history."""

from __future__ import annotations

import json
from traceback import extract_tb
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.calls.outcome import Refused
from causeway.delivery.received import GivenUp, Paused, Postponed
from causeway.delivery.redaction import hider
from causeway.delivery.transforms import TransformFailed, TransformMissing
from causeway.events.envelope import public_headers
from causeway.events.expressions import ExpressionError
from causeway.limiting.turns import Held
from causeway.queueing.sending import NotQueued
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from causeway.calls.outcome import Answer
    from causeway.delivery.attempt import Attempt
    from causeway.delivery.claims import Entry, Outcome

_IN_OUR_WORDS = (
    *(Refused, GivenUp, Held, Paused, Postponed),
    *(ExpressionError, TransformFailed, TransformMissing),
    *(AwsError, NotQueued, SecretMissing, SecretsUnavailable),
)
"""Errors whose text is made for people; that of any other may quote anything."""

_ANSWER_KEPT = 2048
_HEADERS_KEPT = 20
_LONGEST_HEADER = 200
_LONGEST_REASON = 500


def reason_of(attempt: Attempt, error: Exception) -> str:
    """Why, for people, with nothing in it that the source's manifest redacts."""
    text = in_words(error)
    if attempt.progress.at is not None:
        text = f"step {attempt.progress.at}: {text}"
    return attempt.redact(text)[:_LONGEST_REASON]


def in_words(error: Exception) -> str:
    """An error, for people; of what nobody expected only type and place."""
    if isinstance(error, _IN_OUR_WORDS):
        return str(error)
    place = extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"


def entry_of(
    attempt: Attempt, outcome: Outcome, reason: str | None = None, error: str | None = None
) -> Entry:
    """The attempt as its history has it; of one that succeeded little, since it is written for each."""
    now = attempt.tools.clock.now()
    entry: Entry = {
        "at": round(attempt.started, 3),
        "ticket": str(attempt.claimed.ticket),
        "outcome": outcome,
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

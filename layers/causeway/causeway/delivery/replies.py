"""What the client of a request is answered: the target's answer, or why there is none.

Of a system's answer status and body are passed on, and of its headers the content type alone. A redirect, and
a refusal of our own credentials, are none of the client's business and become 502. Errors of ours are problem
details (RFC 9457) that say the delivery's id and not the reason, in which there may be anything: the journal
has that.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.delivery.beside import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.attempt import Attempt
    from causeway.plan.records import JSON

PROBLEM = "application/problem+json"

_OURS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED)
_NOT_REACHED = (HTTPStatus.BAD_GATEWAY, "The system behind this integration did not carry it out.")
_PROBLEMS: dict[str, tuple[HTTPStatus, str]] = {
    **dict.fromkeys(("connection", "dns", "tls", "address", "http"), _NOT_REACHED),
    "timeout": (HTTPStatus.GATEWAY_TIMEOUT, "The system behind this integration did not answer in time."),
    "mapping": (HTTPStatus.UNPROCESSABLE_ENTITY, "The integration can make nothing of this body."),
    "removed": (HTTPStatus.GONE, "The integration is no longer there."),
}
_FAILED = (HTTPStatus.INTERNAL_SERVER_ERROR, "It could not be carried out.")
"""By the class of the reason: what is answered where there is no answer to pass on."""


def keep(attempt: Attempt, kind: str | None = None) -> None:
    """Keep the reply of a request's delivery, before it is settled; nothing of any other delivery.

    Args:
        attempt: What it came to.
        kind: The class of the reason for which it failed for good; None: it did not.

    Raises:
        AwsError: it could not be kept.
    """
    if attempt.integration is None or "request" not in attempt.integration["source"]:
        return
    tools = attempt.tools
    reply = reply_of(attempt, kind)
    tools.beside.keep_reply(attempt.message, reply, now=tools.clock.now())
    attempt.reply = reply


def reply_of(attempt: Attempt, kind: str | None) -> Reply:
    """What the client is answered.

    Args:
        attempt: What it came to.
        kind: The class of the reason for which it failed; None: it did not.
    """
    at_target = attempt.progress.at is None
    answer = attempt.answer if at_target else None
    if kind in (None, "http") and answer is not None and attempt.integration is not None:
        target = attempt.integration["target"]
        if "reply" in target:
            return Reply(answer.status, answer.headers, answer.body or "")
        if "call" in target and _is_theirs(answer):
            return _passed_on(answer)
    if kind is None:
        return Reply(
            200,
            {"content-type": "application/json"},
            _as_json({"id": attempt.id, "outcome": attempt.outcome}),
        )
    return problem(*_PROBLEMS.get(kind, _FAILED), id=attempt.id)


def problem(status: HTTPStatus, detail: str, **more: JSON) -> Reply:
    """Problem details (RFC 9457)."""
    members = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return Reply(status.value, {"content-type": PROBLEM}, _as_json({**members, **more}))


def _is_theirs(answer: Answer) -> bool:
    """Whether an answer is for the client: no redirect, no quarrel about our credentials, and readable."""
    redirect = 300 <= answer.status < 400 and answer.status != HTTPStatus.NOT_MODIFIED  # noqa: PLR2004
    return not redirect and answer.status not in _OURS and not answer.unread


def _passed_on(answer: Answer) -> Reply:
    if answer.body is None or answer.status in _BODILESS:
        return Reply(answer.status, {}, "")
    type_ = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not isinstance(answer.body, str) or type_.endswith("json"):
        return Reply(
            answer.status,
            {"content-type": type_ if type_.endswith("json") else "application/json"},
            _as_json(answer.body),
        )
    return Reply(answer.status, {"content-type": f"{type_ or 'text/plain'}; charset=utf-8"}, answer.body)


def _as_json(value: Mapping[str, JSON] | JSON) -> str:
    return json.dumps(value, separators=(",", ":"))

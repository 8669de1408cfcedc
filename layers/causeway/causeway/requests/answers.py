"""What clients are told, as answers of API Gateway."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.calls.outcome import Refused
from causeway.delivery import replies
from causeway.delivery.beside import Reply
from causeway.delivery.received import Postponed
from causeway.requests.waited import kind_of
from causeway.webhooks.gateway import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.requests.waited import Waited
    from causeway.webhooks.gateway import Answer

RETRY_AFTER = 5
"""Seconds after which what could not be done now may be asked for again."""

LOOK_AFTER = 1
"""Seconds after which to look for what is under way."""


def told(reply: Reply, headers: Mapping[str, str]) -> Answer:
    """A reply, and headers of ours."""
    return answer(reply.status, {**reply.headers, **headers}, reply.body)


def refused(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A request that is none, or not allowed."""
    return told(replies.problem(status, detail), headers or {})


def under_way(delivery: str, integration: str, headers: Mapping[str, str]) -> Answer:
    """It goes on; where to look for its reply."""
    said = json.dumps({"id": delivery, "status": "under way"})
    place = f"/requests/{integration}/{delivery}"
    return told(
        Reply(HTTPStatus.ACCEPTED.value, {"content-type": "application/json"}, said),
        {**headers, "location": place, "retry-after": str(LOOK_AFTER)},
    )


def conflicting(delivery: str, headers: Mapping[str, str]) -> Answer:
    """Another request with the same key waits for it."""
    problem = replies.problem(HTTPStatus.CONFLICT, "A request with this key is under way.", id=delivery)
    return told(problem, {**headers, "retry-after": str(LOOK_AFTER)})


def gone(delivery: str, headers: Mapping[str, str]) -> Answer:
    """It is done, and longer ago than replies are kept."""
    detail = "It was carried out; its reply is kept no longer."
    return told(replies.problem(HTTPStatus.GONE, detail, id=delivery), headers)


def not_done(attempt: Waited, headers: Mapping[str, str]) -> Answer:
    """Nothing is queued: the target's answer, if there was one, or that there was none in time."""
    error = attempt.error
    if isinstance(error, Refused):
        wait = {} if error.retry_after is None else {"retry-after": str(int(error.retry_after) + 1)}
        return told(replies.reply_of(attempt, kind_of(error)), {**headers, **wait})
    if isinstance(error, Postponed):
        late = replies.problem(HTTPStatus.GATEWAY_TIMEOUT, "It was not done in time.", id=attempt.id)
        return told(late, headers)
    return unavailable(headers)


def unavailable(headers: Mapping[str, str] | None = None) -> Answer:
    """It cannot be done now, and nothing was promised."""
    problem = replies.problem(HTTPStatus.SERVICE_UNAVAILABLE, "It cannot be carried out now: ask again.")
    return told(problem, {**(headers or {}), "retry-after": str(RETRY_AFTER)})

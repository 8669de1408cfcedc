"""One page of a poll, asked for and read: its parameters, what parses it, whether it changed at all."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict

from causeway.calls.caller import read_body
from causeway.calls.outcome import Answer, Refused
from causeway.delivery import transforms
from causeway.events.texts import render
from causeway.polling.paging import SEEN
from causeway.polling.records import records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from causeway.calls.caller import Caller
    from causeway.calls.transport import RawAnswer
    from causeway.plan.records import JSON, Call, Poll
    from causeway.polling.paging import PageRequest
    from causeway.polling.windows import Window

_NOT_MODIFIED = 304
_SUCCESS = range(200, 300)


class Validators(TypedDict):
    """What an answer said by which it can be asked for again only if it changed (RFC 9110, section 13)."""

    request: str  # the fingerprint of what was asked for
    etag: NotRequired[str]
    modified: NotRequired[str]


class Page(NamedTuple):
    """What came."""

    answer: Answer
    records: list[JSON]
    modified: bool = True  # if not, the list is as it was when the validators came, and not sent
    validators: Validators | None = None  # to be remembered once the run has been read to its end


def fetch(
    caller: Caller,
    poll: Poll,
    request: PageRequest,
    window: Window,
    *,
    validators: Validators | None = None,
    headers: Mapping[str, str],
    deadline: float,
    admitted: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Page:
    """Ask for one page.

    Args:
        caller: Who calls.
        poll: Which.
        request: Which page.
        window: What its call says of since and until.
        validators: What was remembered of the last run that was read to its end.
        headers: Those of this attempt.
        deadline: Epoch seconds by which the call has ended.
        admitted: Entered for as long as a request is under way.

    Raises:
        Refused: the system refused, or could not be reached.
        ExpressionError: the call, or what came, cannot be evaluated.
        BadRecordsError: there is no list of records in the answer.
        TransformFailed: ``parse`` raised. Likewise TransformMissing.
        SecretMissing: as :meth:`causeway.calls.caller.Caller.call`, and what else it raises.
    """
    call = _call(poll, request)
    scope = {"since": window["since"], "until": window["until"]}
    key = _fingerprint(call, scope) if _is_conditional(poll, request) else ""
    answer = _answer(
        lambda headers: caller.call(
            call,
            scope,
            headers=headers,
            deadline=deadline,
            at=request.get("target"),
            read=_reader(poll),
            admitted=admitted,
        ),
        headers,
        _conditions(validators, key),
    )
    if answer.status == _NOT_MODIFIED:
        return Page(answer, [], modified=False, validators=validators)
    return Page(answer, records_of(poll, answer), validators=_validators(answer, key))


def _answer(
    call: Callable[[Mapping[str, str]], Answer], headers: Mapping[str, str], conditions: Mapping[str, str]
) -> Answer:
    """A 304 to what was asked on a condition is an answer; to anything else it is none."""
    try:
        return call({**headers, **conditions})
    except Refused as refused:
        if conditions and refused.answer and refused.status == _NOT_MODIFIED:
            return refused.answer
        raise


def _call(poll: Poll, request: PageRequest) -> Call:
    """The poll's call with the page's parameters: in its query, or in its body where that is an object."""
    call = poll["call"]
    values = request.get("values")
    if not values:
        return call
    filled: Any = {**call}
    if isinstance(call.get("body"), dict):
        for path, value in values.items():
            filled["body"] = _with(filled["body"], path.split("."), _literal(value))
    else:
        filled["query"] = {**call["query"], **{name: _literal(value) for name, value in values.items()}}
    return filled  # type: ignore[no-any-return] # a Call as it was


def _with(body: JSON, path: list[str], value: JSON) -> JSON:
    """The body with the value at the path; objects on the way are made."""
    body = body if isinstance(body, dict) else {}
    name, *rest = path
    return {**body, name: _with(body.get(name), rest, value) if rest else value}


def _literal(value: JSON) -> JSON:
    """The value as a text of the map that means it: what a server sends is never an expression."""
    return value.replace("${", "$${") if isinstance(value, str) else value


def _reader(poll: Poll) -> Callable[[RawAnswer], JSON] | None:
    if "parse" not in poll:
        return None
    name = poll["parse"]

    def read(raw: RawAnswer) -> JSON:
        if raw.status in _SUCCESS and raw.body:
            return transforms.parse(name, raw.body, raw.headers)
        return read_body(raw)

    return read


def _is_conditional(poll: Poll, request: PageRequest) -> bool:
    """Whether an unchanged answer means that there is nothing new: not where other pages may have changed."""
    paginate = poll.get("paginate")
    one = paginate is None or paginate.get("stop_when") == SEEN
    return one and request["number"] == 1 and poll["call"]["method"] == "GET"


def _conditions(validators: Validators | None, key: str) -> dict[str, str]:
    if not validators or validators["request"] != key:
        return {}
    conditions = {}
    if "etag" in validators:
        conditions["If-None-Match"] = validators["etag"]
    if "modified" in validators:
        conditions["If-Modified-Since"] = validators["modified"]
    return conditions


def _validators(answer: Answer, key: str) -> Validators | None:
    found: Validators = {"request": key}
    if "etag" in answer.headers:
        found["etag"] = answer.headers["etag"]
    if "last-modified" in answer.headers:
        found["modified"] = answer.headers["last-modified"]
    return found if key and len(found) > 1 else None


def _fingerprint(call: Call, scope: Mapping[str, JSON]) -> str:
    """What is asked for: validators are of one resource, and another window is another one."""
    asked = [render(call["path"], scope), render(call["query"], scope)]
    return hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()[:16]

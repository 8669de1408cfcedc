"""What an answer means: success or refusal, to be retried or not, and not before when."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from causeway.events.expressions import ExpressionError, ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import JSON, Call

Kind = Literal["connection", "timeout", "dns", "tls", "address", "http"]
"""The class of a failed call, as a delivery's history has it."""

_RETRIED_AS = {"dns": "connection", "tls": "connection"}

_FAILURES = 300
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT = 7 * 86400.0
"""Seconds; a longer ``Retry-After`` is a mistake of the target's, and counts as this."""

_WORD = re.compile(
    r"(?P<no>!?)(?:(?P<kind>connection|timeout)|(?P<first>[1-5]\d\d)(?:-(?P<last>[1-5]\d\d))?)", re.ASCII
)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered.

    ``body`` is JSON where it is JSON, else text; None where there is none, or none that could be read (over
    the limit, or in an unknown encoding), which ``unread`` tells apart.
    """

    status: int
    headers: dict[str, str]  # names in lower case
    body: JSON
    seconds: float  # how long it took
    unread: str = ""  # why the body was not read, where it was not
    url: str = field(default="", repr=False)  # of the request; may hold a credential
    proofs: frozenset[str] = field(default=frozenset(), repr=False)  # what was sent as proof

    @property
    def scope(self) -> dict[str, JSON]:
        """What expressions see of it."""
        return {"status": self.status, "headers": self.headers, "body": self.body}


class Refused(Exception):  # noqa: N818 - an outcome, not an error of ours
    """The system did not do what it was asked, or nobody knows whether it did.

    Attributes:
        reason: for people; names system, path as the map has it, and status, never a value, token or body.
        kind: ``connection``: the request was not sent whole; ``dns``, ``tls``, ``address``: why there was not
            even a connection; ``timeout``: its answer did not come; ``http``: the answer is no success.
        status: of the answer, where there is one.
        retry: whether the map wants it tried again.
        retry_after: seconds from now before which the system does not want to be asked again; a floor.
        answer: the whole of it, where there is one.
    """

    def __init__(
        self,
        reason: str,
        *,
        kind: Kind,
        retry: bool,
        retry_after: float | None = None,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.retry = retry
        self.retry_after = retry_after
        self.answer = answer

    @property
    def status(self) -> int | None:
        """The answer's status, where there is an answer."""
        return self.answer.status if self.answer else None


def parse_retry_on(words: Sequence[str]) -> frozenset[str | int]:
    """What is to be retried, of a map's ``retry_on``.

    Args:
        words: ``connection``, ``timeout``, a status (``429``), a range (``500-599``); each with ``!`` before
            it to exclude it, wherever in the list it stands.

    Raises:
        ValueError: a word is none of these; the message says what would be.
    """
    return _parse_retry_on(tuple(words))


@lru_cache(maxsize=256)
def _parse_retry_on(words: tuple[str, ...]) -> frozenset[str | int]:
    named: dict[bool, set[str | int]] = {False: set(), True: set()}
    for word in words:
        match = _WORD.fullmatch(word)
        if not match:
            raise ValueError(
                f"{word!r} is not one of: connection, timeout, a status (429), a range (500-599), "
                "each with ! before it to exclude it"
            )
        first, last = match["first"], match["last"] or match["first"]
        if first and int(last) < int(first):
            raise ValueError(f"{word!r} is a range that ends before it begins")
        meant = {match["kind"]} if match["kind"] else range(int(first), int(last) + 1)
        named[bool(match["no"])].update(meant)
    return frozenset(named[False] - named[True])


def is_retried(call: Call, kind: Kind) -> bool:
    """Whether a call that got no answer is to be tried again: ``dns`` and ``tls`` are ``connection`` here.

    An address that may not be called is none of ``retry_on``'s words: it is refused for good.
    """
    return _RETRIED_AS.get(kind, kind) in parse_retry_on(call["retry_on"])


def judge(call: Call, answer: Answer, *, now: float) -> None:
    """Pass an answer that is a success.

    Args:
        call: what was called.
        answer: what came back.
        now: epoch seconds, for a ``Retry-After`` that is a date.

    Raises:
        Refused: it is none. A redirect is none, whatever ``success_when`` says: what was sent did not arrive
            where the answer points to. A ``success_when`` that cannot be answered true or false is none
            either.
    """
    why = _why_not(call, answer)
    if why is None:
        return
    retry = answer.status in parse_retry_on(call["retry_on"])
    if not retry and "retry_when" in call:
        try:
            retry = ask(call["retry_when"], answer.scope)
        except ExpressionError as error:
            why += f", and retry_when cannot be asked of it: {error}"
    raise Refused(
        f"{call['system']} answered {answer.status} to {call['method']} {call['path']}{why}",
        kind="http",
        retry=retry,
        retry_after=retry_after(answer.headers, now=now),
        answer=answer,
    )


def _why_not(call: Call, answer: Answer) -> str | None:
    """The reason of a refusal, beyond its status; None for a success."""
    if answer.status in _REDIRECTS:
        return f", a redirect to {_place(answer.headers.get('location', ''))}, which is never followed"
    expression = call["success_when"]
    try:
        success = ask(expression, answer.scope)
    except ExpressionError as error:
        return f", and success_when cannot be asked of it: {error}"
    if not success:
        return f", and success_when is false: {expression}" if answer.status < _FAILURES else ""
    if answer.unread and call["reads"]:
        return f", and {answer.unread}"
    return None


def _place(location: str) -> str:
    """Where a redirect points, without what may be secret in it: credentials and query."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "an unreadable place"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds from now that ``Retry-After`` asks for (RFC 9110 10.2.3), or None.

    A date is taken relative to the answer's own ``Date``, so that the clocks need not agree. Fractions, which
    some systems send against the RFC, are read.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _LONGEST_WAIT)
    then = _http_date(text)
    if then is None:
        return None
    sent = _http_date(headers.get("date", ""))
    return min(max(then - (now if sent is None else sent), 0.0), _LONGEST_WAIT)


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None

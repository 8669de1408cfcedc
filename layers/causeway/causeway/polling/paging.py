"""The next page: by RFC 8288 links, URLs, cursors, numbers or offsets; bounded, and never another server.

A request for a page is JSON: it stands in the state, so that a run goes on in whichever invocation is next.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NotRequired, TypedDict
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from causeway.calls.address import origin_of
from causeway.events.expressions import ask, select
from causeway.polling.links import link_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.calls.outcome import Answer
    from causeway.plan.records import JSON, Paginate, Poll
    from causeway.polling.windows import Window

MOST_PAGES = 100_000
"""Pages of one run: more are no list that ends."""

_SAME = 3
"""So many pages in a row with the same records are a server that ignores the parameter."""

SEEN = "seen"
"""The word of ``stop_when`` that is no expression: nothing on the page was new."""


class PagingError(Exception):
    """The next page cannot be asked for; the message names the poll's key and never a value."""


class PageRequest(TypedDict):
    """What to ask for: the poll's call, or what is different about it for this page."""

    number: int  # from 1
    target: NotRequired[str]  # path and query on the system's origin, instead of the call's
    values: NotRequired[dict[str, JSON]]  # parameters over the call's: names, or paths into its body
    mark: NotRequired[str]  # the fingerprint of an earlier page: met again, the pages go round in circles
    first: NotRequired[str]  # the fingerprint of the last page's records
    same: NotRequired[int]  # how many pages in a row had it


def first_request(poll: Poll, window: Window) -> PageRequest:
    """The first page of a run."""
    request: PageRequest = {"number": 1}
    paginate = poll.get("paginate")
    if paginate and paginate["by"] in ("page", "offset"):
        request["values"] = {paginate["param"]: paginate.get("start", 0)}
    cursor = poll.get("cursor")
    if cursor and "token" in cursor:
        if window["since"] is None and "start" in cursor:
            request["values"] = {**cursor["start"], **request.get("values", {})}
        elif window["since"] is not None and not cursor["asks"]:
            request["target"] = window["since"]
    return request


def next_request(
    poll: Poll,
    request: PageRequest,
    answer: Answer,
    records: Sequence[JSON],
    *,
    seen_all: bool = False,
) -> PageRequest | None:
    """The page after this one; None: this was the last.

    Args:
        poll: Which.
        request: What was asked for.
        answer: What came.
        records: What was in it.
        seen_all: Whether an earlier run has read every record of the page.

    Raises:
        PagingError: there is a next page, and it cannot be asked for; or the pages have no end.
        ExpressionError: an expression of ``paginate`` cannot be evaluated on this answer.
    """
    paginate = poll.get("paginate")
    if paginate is None or _stops(paginate, answer, seen_all=seen_all):
        return None
    following: PageRequest | None
    match paginate["by"]:
        case "link" | "next_url":
            following = _by_url(poll, paginate, request, answer)
        case "cursor":
            following = _by_cursor(paginate, request, answer)
        case _:
            following = _by_number(paginate, request, records)
    return following and _bounded(request, following)


def token_of(poll: Poll, answer: Answer) -> JSON:
    """The server's own cursor in an answer, if it has one; one that is a URL as a target of its origin.

    Raises:
        PagingError: it is neither text nor number, or a URL that leads elsewhere.
        ExpressionError: ``token`` cannot be evaluated on this answer.
    """
    cursor = poll.get("cursor")
    if not cursor or "token" not in cursor:
        return None
    token = select(cursor["token"], answer.scope)
    if token is None or token == "":
        return None
    if isinstance(token, bool) or not isinstance(token, str | int | float):
        raise PagingError(f"cursor.token: `{cursor['token']}` is no text and no number")
    return token if cursor["asks"] else target_of(poll, str(token), answer.url)


def _stops(paginate: Paginate, answer: Answer, *, seen_all: bool) -> bool:
    stop_when = paginate.get("stop_when")
    if stop_when is None:
        return False
    return seen_all if stop_when == SEEN else ask(stop_when, answer.scope)


def _by_url(poll: Poll, paginate: Paginate, request: PageRequest, answer: Answer) -> PageRequest | None:
    if paginate["by"] == "link":
        reference: JSON = link_to(answer.headers.get("link", ""), "next")
    else:
        reference = select(paginate["next"], answer.scope)
    if reference is None or reference == "":
        return None
    if not isinstance(reference, str):
        raise PagingError(
            f"paginate: `{paginate.get('next')}` is no text, where the next page's URL should be"
        )
    return {"number": request["number"] + 1, "target": target_of(poll, reference, answer.url)}


def target_of(poll: Poll, reference: str, url: str) -> str:
    """What a link leads to: path and query, on the origin of the page that it stands on.

    Args:
        poll: whose ``credentials`` are left out.
        reference: absolute or relative.
        url: of the page.

    Raises:
        PagingError: it is no URL, or leads to another origin: what proves who asks is for this one alone.
    """
    try:
        resolved = urljoin(url, reference.strip())
        if origin_of(resolved) != origin_of(url):
            raise PagingError(
                "paginate: the link to the next page leads to another scheme, host or port, "
                "where no credentials may go"
            )
    except ValueError as error:
        raise PagingError(f"paginate: the link to the next page is no URL: {error}") from None
    parts = urlsplit(resolved)
    query = parts.query
    if any(name in query for name in poll["credentials"]):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([pair for pair in pairs if pair[0] not in poll["credentials"]])
    return f"{parts.path or '/'}?{query}" if query else parts.path or "/"


def _by_cursor(paginate: Paginate, request: PageRequest, answer: Answer) -> PageRequest | None:
    value = select(paginate["next"], answer.scope)
    if value is None or value is False or value == "":
        return None
    if not isinstance(value, str | int | float):
        raise PagingError(
            f"paginate: `{paginate['next']}` is no text and no number, where a cursor should be"
        )
    return {"number": request["number"] + 1, "values": _also(request, paginate, value)}


def _by_number(paginate: Paginate, request: PageRequest, records: Sequence[JSON]) -> PageRequest | None:
    """Numbers and offsets go on until a page is empty; or, where ``stop_when`` says when, until it does.

    A short page is no end: many servers give fewer records than they are asked for. So an offset moves on by
    what came, and by ``limit`` at most, since ``records`` may make several of one.
    """
    decided = paginate.get("stop_when", SEEN) != SEEN
    if not records and not decided:
        return None
    at = request["values"][paginate["param"]]
    step = 1
    if paginate["by"] == "offset":
        step = paginate["limit"] if decided else min(len(records), paginate["limit"])
    following: PageRequest = {"number": request["number"] + 1, "values": _also(request, paginate, at + step)}
    if records:
        following["first"] = _fingerprint([len(records), records[0], records[-1]])
        if following["first"] == request.get("first"):
            following["same"] = request.get("same", 1) + 1
            if following["same"] >= _SAME:
                raise PagingError(
                    f"paginate: {_SAME} pages in a row had the same records: "
                    f"the server does not know the parameter {paginate['param']}"
                )
    return following


def _also(request: PageRequest, paginate: Paginate, value: JSON) -> dict[str, JSON]:
    """What the first page was asked with stays on the others."""
    return {**request.get("values", {}), paginate["param"]: value}


def _bounded(request: PageRequest, following: PageRequest) -> PageRequest:
    """The next page, if pages do not go round in circles and are not endless.

    The mark is the fingerprint of the page whose number was the last power of two (Brent's algorithm): a
    circle of any length comes back to it, and only one text is remembered.
    """
    if following["number"] > MOST_PAGES:
        raise PagingError(f"paginate: more than {MOST_PAGES} pages in one run, which are no list that ends")
    fingerprint = _fingerprint([following.get("target"), following.get("values")])
    if fingerprint in (request.get("mark"), _fingerprint([request.get("target"), request.get("values")])):
        raise PagingError("paginate: the next page was there before: the pages go round in circles")
    number = request["number"]
    is_power_of_two = number & (number - 1) == 0
    return {**following, "mark": fingerprint if is_power_of_two else request.get("mark", fingerprint)}


def _fingerprint(value: JSON) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

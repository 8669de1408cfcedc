"""What one run reads, and what is remembered of it: since when, until when, and where the next begins.

A run reads one window. Each begins before where the last one ended: by ``lookback``, for what is committed
late, and by one unit of the cursor's format, so that ties at the boundary are read whether the API means
"since" inclusively or exclusively, and whether or not it cuts off fractions. What is read again is known by
its id.

What is remembered never runs ahead of what was read: it is the highest value seen, at most the time at which
the run began (less ``delay``), so a record of the year 2099 moves nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NotRequired, TypedDict

from causeway.polling.cursors import (
    SECOND,
    TIMES,
    Comparable,
    CursorError,
    format_cursor,
    parse_cursor,
    unit_of,
)

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Cursor, Poll

_MARKS = 30
"""So many earlier values are remembered within a lookback, where values are no times."""


class Stored(TypedDict):
    """What a poll remembers from run to run: JSON, of which only this module knows what it means."""

    until: float  # epoch seconds: everything up to here has been read
    value: NotRequired[Comparable]  # the highest seen, or up to where time has been read
    start: NotRequired[Comparable]  # before which no window begins
    token: NotRequired[JSON]  # the server's own
    marks: NotRequired[list[tuple[float, Comparable]]]  # what the value was when


class Window(TypedDict):
    """What one run reads: JSON, so that whichever invocation comes next goes on with it."""

    since: JSON  # as the call says it; None: no such bound
    until: JSON
    end: float  # epoch seconds: after this run everything up to here has been read
    last: bool  # whether it reaches as far as can be read now; if not, the next window follows at once
    least: NotRequired[Comparable]  # records with a lower value are left out: the API does not do so itself
    most: NotRequired[Comparable]  # likewise with a higher one: it is too early for them


def first(poll: Poll, now: float) -> Stored:
    """What a poll that never ran remembers: its ``start``."""
    cursor = poll.get("cursor")
    if cursor is None or "token" in cursor or "start" not in cursor:
        return {"until": now}
    if cursor["start"] == "now":
        return _from(cursor, _floor(cursor, int(now * SECOND)), now)
    return _from(cursor, parse_cursor(cursor["start"], cursor["format"]), now)


def backfill(poll: Poll, since: str, now: float) -> Stored:
    """What a poll remembers that reads again from a value on, beside its regular runs.

    Args:
        poll: Which.
        since: RFC 3339 or the cursor's own format.
        now: Epoch seconds.

    Raises:
        CursorError: there is no such value, or the poll cannot be read from one on.
    """
    cursor = poll.get("cursor")
    if cursor is None or "token" in cursor:
        raise CursorError(
            "this poll has no cursor that a value could be given for: each run reads all that it can"
        )
    return _from(cursor, bound(cursor, since), now)


def bound(cursor: Cursor, text: str) -> Comparable:
    """A bound as people write it: RFC 3339 (or a date) for all that are times, else the cursor's format.

    Raises:
        CursorError: it is neither.
    """
    if cursor["format"] in TIMES:
        for format_ in (cursor["format"], "rfc3339", "date"):
            try:
                return parse_cursor(text, format_)
            except CursorError:
                continue
        raise CursorError("not a time, such as 2026-11-22T10:05:00Z or 2026-11-22")
    return parse_cursor(text, cursor["format"])


def window_of(poll: Poll, stored: Stored, now: float, *, upto: str | None = None) -> Window | None:
    """What the next run reads; None: nothing yet, since all of it is in the future or within ``delay``.

    Args:
        poll: Which.
        stored: What was remembered last, or :func:`first`.
        now: When the run begins: epoch seconds.
        upto: Of a backfill, up to where: RFC 3339 or the cursor's own format.

    Raises:
        CursorError: ``upto`` is no value of the cursor.
    """
    cursor = poll.get("cursor")
    if cursor is None:
        return {"since": None, "until": None, "end": now, "last": True}
    if "token" in cursor:
        return {"since": stored.get("token"), "until": None, "end": now, "last": True}
    if cursor["format"] in TIMES:
        return _of_times(poll, cursor, stored, now, upto)
    return _of_values(cursor, stored, now, upto)


def advanced(
    poll: Poll, stored: Stored, window: Window, *, highest: Comparable | None = None, token: JSON = None
) -> Stored:
    """What is remembered once a window has been read to its end and all of it is on the queue.

    Args:
        poll: Which.
        stored: What was remembered before.
        window: What was read.
        highest: The highest value of the cursor's field over all pages, of records that were taken.
        token: The last one that an answer of the run had.
    """
    after: Stored = {**stored, "until": window["end"]}
    cursor = poll.get("cursor")
    if cursor is None:
        return after
    if "token" in cursor:
        return {**after, "token": token} if token is not None else after
    end = int(window["end"]) * SECOND if cursor["format"] in TIMES else None
    value: Comparable | None = end
    if "field" in cursor and window["last"]:
        # Nothing was there behind the highest, but what is committed late may come there.
        value = highest if highest is None or end is None else min(int(highest), end)
    before = stored.get("value")
    if value is not None and (before is None or value > before):  # type: ignore[operator] # of one kind
        after["value"] = value
    if end is None and cursor["lookback"] and "value" in after:
        after["marks"] = _marked(cursor, after, window["end"])
    return after


def missing(poll: Poll, stored: Stored, now: float) -> float:
    """Of how many seconds nothing can be read any more that was not read yet; 0 if nothing is missing.

    What is older than ``retention`` the API no longer has; what is older than ``reach`` a poll that
    reconciles could not tell from what was delivered long ago.
    """
    horizon = min(poll.get("retention", math.inf), poll.get("reach", math.inf))
    return max(0.0, now - horizon - stored["until"])


def overlap(format: str, lookback: float, *, field: bool) -> int:  # noqa: A002 # the manifest's word
    """By how much a window begins before the end of the one before it: nanoseconds.

    Days that are read without a cursor's field are whole ones (``delay`` waits until they are), so they
    only overlap by ``lookback``.
    """
    return int(lookback) * SECOND + (unit_of(format) if field or format != "date" else 0)


def is_within(window: Window, value: Comparable | None) -> bool:
    """Whether a record with this value is of the window; one without a value is."""
    if value is None:
        return True
    # Values of one poll are of one kind.
    return not (
        ("least" in window and value < window["least"])  # type: ignore[operator]
        or ("most" in window and value > window["most"])  # type: ignore[operator]
    )


def is_older(window: Window, value: Comparable | None) -> bool:
    """Whether a record lies before the window: an earlier run has read it."""
    return value is not None and "least" in window and value < window["least"]  # type: ignore[operator]


def _from(cursor: Cursor, value: Comparable, now: float) -> Stored:
    until = int(value) / SECOND if cursor["format"] in TIMES else now
    return {"until": until, "value": value, "start": value}


def _of_times(poll: Poll, cursor: Cursor, stored: Stored, now: float, upto: str | None) -> Window | None:
    end = _floor(cursor, int(now - cursor["delay"]) * SECOND)
    most = None if upto is None else int(bound(cursor, upto))
    if most is not None:
        end = min(end, -_floor(cursor, -most))
    since = _since(poll, cursor, stored, now)
    until = end
    if since is not None:
        if since > end or (since == end and "field" not in cursor):
            return None
        if "window" in cursor:
            until = min(end, _floor(cursor, since + int(cursor["window"]) * SECOND))
    window: Window = {
        "since": None if since is None else format_cursor(since, cursor["format"]),
        "until": format_cursor(until, cursor["format"]),
        "end": until / SECOND,
        "last": until >= end,
    }
    if since is not None and not cursor["asks"]:
        window["least"] = since
    if "reach" in poll:
        window["least"] = max(since or 0, int((now - poll["reach"]) * SECOND))
    if most is not None or cursor["delay"]:
        window["most"] = until if most is None else min(until, most)
    return window


def _since(poll: Poll, cursor: Cursor, stored: Stored, now: float) -> int | None:
    """Where a window begins; None: with the first record there is."""
    since = None
    if "value" in stored:
        before = overlap(cursor["format"], cursor["lookback"], field="field" in cursor)
        since = _floor(cursor, int(stored["value"]) - before)
        since = max(since, int(stored.get("start", since)))
    if "reach" in poll:
        since = max(since or 0, _floor(cursor, int(now - poll["reach"]) * SECOND))
    return since


def _floor(cursor: Cursor, value: int) -> int:
    """Whole units only: a bound with a fraction would leave out what an API has cut the fraction off."""
    return value // unit_of(cursor["format"]) * unit_of(cursor["format"])


def _of_values(cursor: Cursor, stored: Stored, now: float, upto: str | None) -> Window:
    """Numbers and opaque texts know no time: how far to look back is told by what was seen when.

    What the last run could not see yet is at most ``lookback`` late, so it comes behind what was the highest
    so long before that run.
    """
    since = stored.get("value")
    if cursor["lookback"]:
        due = [value for at, value in stored.get("marks", []) if at <= stored["until"] - cursor["lookback"]]
        since = due[-1] if due else stored.get("start")
    if isinstance(since, int):
        since = max(since - unit_of(cursor["format"]), int(stored.get("start", since - 1)))
    window: Window = {
        "since": None if since is None else format_cursor(since, cursor["format"]),
        "until": None,
        "end": now,
        "last": True,
    }
    if since is not None and not cursor["asks"]:
        window["least"] = since
    if upto is not None:
        window["most"] = bound(cursor, upto)
    return window


def _marked(cursor: Cursor, stored: Stored, at: float) -> list[tuple[float, Comparable]]:
    """The marks that a later window may need: the last before ``lookback``, and some of those after it."""
    marks = list(stored.get("marks", []))
    if not marks or at - marks[-1][0] >= cursor["lookback"] / _MARKS:
        marks.append((at, stored["value"]))
    old = [mark for mark in marks if mark[0] <= at - cursor["lookback"]]
    return [*old[-1:], *marks[len(old) :]]

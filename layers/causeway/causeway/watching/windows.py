"""When silence counts: ``during``, as days, hours and a time zone; and how much of a time lies within.

``"mon-fri 07:00-21:00 Europe/Berlin"`` opens at seven by Berlin's clocks, in summer and in winter. Days go
around the week (``fri-mon``), hours past midnight (``22:00-06:00`` ends on the next day); the night on which
clocks change is as long as it is. A wall time that clocks skip is when they skip it; of one that they show
twice, a window opens at the first and closes at the last.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

ALWAYS = "always"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DURING = re.compile(r"(\w{3})(?:-(\w{3}))? (\d\d):(\d\d)-(\d\d):(\d\d) (\S+)", re.ASCII)
_DAY = timedelta(days=1)
_WEEK = 7
_FULL_DAY = 24
_SET_BACK = 2 * 3600.0  # seconds: no clocks go back by more


class Window(NamedTuple):
    """A weekly window, as a manifest writes it."""

    days: frozenset[int]  # on which it opens; 0 is Monday
    opens: time
    closes: time  # on the day after, if it is not later than it opens
    zone: ZoneInfo


@functools.cache
def window_of(during: str) -> Window | None:
    """The window that a manifest's ``during`` means; None: always.

    Raises:
        ValueError: it is none.
        ZoneInfoNotFoundError: nobody knows of this time zone.
    """
    if during == ALWAYS:
        return None
    found = _DURING.fullmatch(during)
    if not found:
        raise ValueError(f'{during!r} is no window: "mon-fri 07:00-21:00 Europe/Berlin"')
    first, last, *hours, zone = found.groups()
    begin, end = DAYS.index(first), DAYS.index(last or first)
    days = {day % _WEEK for day in range(begin, begin + (end - begin) % _WEEK + 1)}
    opens_at, opens_minute, closes_at, closes_minute = map(int, hours)
    return Window(
        frozenset(days),
        time(opens_at, opens_minute),
        time(closes_at % _FULL_DAY, closes_minute),
        ZoneInfo(zone),
    )


def elapsed(during: str, since: float, until: float) -> float:
    """Seconds of the time from ``since`` to ``until`` that lie within; 0 when there is no such time."""
    window = window_of(during)
    if window is None:
        return max(0.0, until - since)
    total, covered = 0.0, since
    for opens, closes in _between(window, since, until):
        total += max(0.0, min(closes, until) - max(opens, covered))
        covered = max(covered, min(closes, until))  # where clocks go back, one may reach into the next
    return total


def reached(during: str, since: float, seconds: float) -> float:
    """When so many seconds within the window have passed.

    Raises:
        ValueError: ``seconds`` is not positive.
    """
    if seconds <= 0:
        raise ValueError("how long must be positive")
    window = window_of(during)
    if window is None:
        return since + seconds
    # Whole weeks are skipped, as if each were the longest that there is.
    low = since + max(0.0, seconds // _longest_week(window) - 1) * _WEEK * _DAY.total_seconds()
    left, covered = seconds - elapsed(during, since, low), low
    for opens, closes in _openings(window, low):
        length = max(0.0, closes - max(opens, covered))
        if length >= left:
            return max(opens, covered) + left
        left, covered = left - length, max(covered, closes)
    raise AssertionError("weeks do not end")


def _longest_week(window: Window) -> float:
    """Seconds that are never fewer than those of one week that lie within."""
    opens, closes = (timedelta(hours=at.hour, minutes=at.minute) for at in (window.opens, window.closes))
    daily = (closes - opens) % _DAY or _DAY
    return len(window.days) * daily.total_seconds() + _SET_BACK


def _between(window: Window, since: float, until: float) -> Iterator[tuple[float, float]]:
    for opens, closes in _openings(window, since):
        if opens >= until:
            return
        yield opens, closes


def _openings(window: Window, since: float) -> Iterator[tuple[float, float]]:
    """From the last that opened before a time on: when it opens, when it closes."""
    day = datetime.fromtimestamp(since, window.zone).date() - 2 * _DAY
    while True:
        if day.weekday() in window.days:
            closing_day = day if window.closes > window.opens else day + _DAY
            opens = _instant(day, window.opens, window.zone, fold=0)
            closes = _instant(closing_day, window.closes, window.zone, fold=1)
            if closes > opens:
                yield opens, closes
        day += _DAY


def _instant(day: date, at: time, zone: ZoneInfo, *, fold: int) -> float:
    """A wall time as epoch seconds; one that clocks skip is the instant at which they do."""
    wall = datetime.combine(day, at, zone).replace(fold=fold)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant.timestamp()
    early = wall.replace(fold=1).astimezone(UTC)  # by the offset after the gap: before it
    late = wall.replace(fold=0).astimezone(UTC)
    low, high = int(early.timestamp()), int(late.timestamp())
    offset = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:  # the change lies in between
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return float(high)

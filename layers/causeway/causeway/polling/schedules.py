"""When a poll runs: every so many minutes, or by cron, in UTC.

``every`` counts from midnight of 1970, so that 10m is at :00, :10, :20 and a deployment changes nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Poll

LEAST = 60.0
"""Seconds: the scheduler looks once a minute."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)
_YEARS = 9 * 366
"""Days after which every date that there is has come: two leap years may be eight years apart."""


class CronError(ValueError):
    """A text is no cron expression; the message says which field of it, and what would be right."""


class Cron(NamedTuple):
    """A cron expression, read."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either: bool  # days of both kinds are written: one of them is enough, as cron has it

    def is_on(self, day: datetime) -> bool:
        """Whether it runs on a day."""
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (of_month or of_week if self.either else of_month and of_week)

    def times(self, *, back: bool) -> list[tuple[int, int]]:
        """Hours and minutes of a day on which it runs, in order."""
        times = ((hour, minute) for hour in self.hours for minute in self.minutes)
        return sorted(times, reverse=back)


def next_slot(poll: Poll, after: float) -> float:
    """When it is due next: epoch seconds, later than ``after``."""
    if "every" in poll:
        return (after // poll["every"] + 1) * poll["every"]
    return _search(parse_cron(poll["cron"]), after, back=False)


def last_slot(poll: Poll, now: float) -> float:
    """When it was due last: epoch seconds, ``now`` at the latest."""
    if "every" in poll:
        return now // poll["every"] * poll["every"]
    return _search(parse_cron(poll["cron"]), now, back=True)


@lru_cache(maxsize=256)
def parse_cron(text: str) -> Cron:
    """A cron expression: five fields of numbers, names, ``*``, lists, ranges and steps.

    Raises:
        CronError: it is none, or names a day that never comes.
    """
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise CronError(
            f"has {len(fields)} fields and not five: minute, hour, day of the month, month, day of the week "
            '("0 6 * * mon-fri")'
        )
    minutes, hours, days, months, weekdays = (
        _field(field, *meaning) for field, meaning in zip(fields, _FIELDS, strict=True)
    )
    cron = Cron(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    if not cron.either and not any(
        cron.is_on(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(day)) for day in range(_YEARS)
    ):
        raise CronError("never comes: no month has this day")
    return cron


def _field(text: str, name: str, least: int, most: int, names: Sequence[str]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if not found:
            raise CronError(f"{part!r} is no {name}: write a number, *, a range (1-5), a list (1,15) or */10")
        if found["all"]:
            first, last = least, most
        else:
            first = _number(found["first"], name, least, most, names)
            last = _number(found["last"], name, least, most, names) if found["last"] else first
            if found["step"] and not found["last"]:
                last = most  # 5/10 is 5-59/10
        step = int(found["step"] or 1)
        if last < first or not step:
            raise CronError(f"{part!r} of the {name} has nothing in it")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def _number(text: str, name: str, least: int, most: int, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + least
    if not text.isdecimal() or not least <= int(text) <= most:
        raise CronError(f"{text!r} is no {name}: it is {least} to {most}")
    return int(text)


def _search(cron: Cron, start: float, *, back: bool) -> float:
    """The nearest time: before or at ``start``, or after it."""
    moment = datetime.fromtimestamp(start, UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    times = cron.times(back=back)
    for days in range(_YEARS):
        day = midnight + timedelta(-days if back else days)
        for hour, minute in times if cron.is_on(day) else ():
            found = day.replace(hour=hour, minute=minute)
            if found <= moment if back else found > moment:
                return found.timestamp()
    raise CronError("never comes")  # which parse_cron has refused

"""What APIs order their records by, in values that can be compared: times, numbers, texts.

Times are whole nanoseconds since 1970, so that nothing is rounded on the way: a cursor that was rounded up
would lose what lies between. Numbers are themselves, and so are opaque texts, which are compared as texts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from causeway.plan.records import JSON

Comparable = int | str
"""Nanoseconds, a number, or an opaque text; JSON, for the state."""

SECOND = 10**9
"""In nanoseconds."""

DAY = 86400 * SECOND
"""In nanoseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:[.,](\d+))?(?:([Zz])|([+-]\d\d):?(\d\d))?", re.ASCII
)
_INTEGER = re.compile(r"-?\d{1,38}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LEAP_SECOND = "60"
_MOST_DIGITS = 20
_SECONDS = {f"{second:02}Z": second * SECOND for second in range(60)}
_WITHIN_A_MINUTE = tuple(f"{second:02}.000Z" for second in range(60))
_TO_A_SECOND = len("2026-11-22T10:05:")
_OLDEST = int((datetime.min.replace(tzinfo=UTC) - _EPOCH).total_seconds()) * SECOND
_NEWEST = int((datetime.max.replace(tzinfo=UTC) - _EPOCH).total_seconds()) * SECOND


class CursorError(ValueError):
    """A value is none of the cursor's format. The message does not hold the value."""


def parse_cursor(value: JSON, format: str) -> Comparable:  # noqa: A002 # the manifest's word
    """A value of a record, of the map or of an answer, to be compared.

    Args:
        value: Text or number. A time without an offset is taken as UTC.
        format: One of :data:`FORMATS`.

    Raises:
        CursorError: it is none of that format.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CursorError(f"there is no text and no number where a cursor of format {format} is needed")
    return _READERS[format](value)


def parse_cursors(values: Sequence[JSON], format: str) -> list[Comparable]:  # noqa: A002 # likewise
    """Very many values at once, as :func:`parse_cursor` reads each.

    Raises:
        CursorError: one is none of that format.
    """
    if not _READABLE.issuperset(map(type, values)):
        raise CursorError(f"not all are texts or numbers where cursors of format {format} are needed")
    return list(map(_READERS[format], values))


def format_cursor(value: Comparable, format: str) -> str | int:  # noqa: A002 # likewise
    """The value as the API wants it; what the format has no place for is cut off, which is never later.

    Epochs and integers are numbers, so that they are ones in a JSON body, too.
    """
    return _WRITERS[format](value)


def time_of(value: int) -> str:
    """A time as events have it: RFC 3339 with milliseconds, as :func:`causeway.settings.clock.rfc3339`."""
    seconds, fraction = divmod(value, SECOND)
    minute, second = divmod(seconds, 60)
    if not fraction:  # nearly always, and it takes half the time
        return _minute_of(minute) + _WITHIN_A_MINUTE[second]
    return f"{_minute_of(minute)}{second:02}.{fraction // (SECOND // 1000):03}Z"


@lru_cache(maxsize=4096)
def _minute_of(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[:17]


def unit_of(format: str) -> int:  # noqa: A002 # likewise
    """How far apart two values are at least, as far as an API can be relied on: many cut off fractions.

    Nanoseconds, or 1 of integers; 0 of opaque values, between which nothing is known.
    """
    return {"date": DAY, "integer": 1, "opaque": 0}.get(format, SECOND)


def _read_rfc3339(value: str | float) -> int:
    if isinstance(value, str) and (seconds := _SECONDS.get(value[_TO_A_SECOND:])) is not None:
        return _minute(value[:_TO_A_SECOND]) + seconds  # nearly all are such, and it is ten times faster
    return _read_any_rfc3339(value)


@lru_cache(maxsize=4096)
def _minute(text: str) -> int:
    return _read_any_rfc3339(f"{text}00Z")


def _read_any_rfc3339(value: str | float) -> int:
    found = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise CursorError("not RFC 3339, such as 2026-11-22T10:05:00Z")
    day, minute, second, fraction, _, hours, minutes = found.groups()
    leap = second == _LEAP_SECOND
    offset = f"{hours}:{minutes}" if hours else "+00:00"
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}{'59' if leap else second}{offset}")
    except ValueError:
        raise CursorError("not RFC 3339, such as 2026-11-22T10:05:00Z: there is no such time") from None
    whole = ((moment - _EPOCH) // timedelta(seconds=1) + leap) * SECOND
    return whole + int(fraction[:9].ljust(9, "0")) if fraction else whole


def _read_date(value: str | float) -> int:
    """A day; of a time the day that it is in UTC, for APIs that give times and take dates."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _read_rfc3339(f"{value}T00:00:00Z")
    try:
        return _read_rfc3339(value) // DAY * DAY
    except CursorError:
        raise CursorError("not a date, such as 2026-11-22") from None


def _read_epoch(value: str | float) -> int:
    return _scaled(value, SECOND, "seconds since 1970")


def _read_epoch_ms(value: str | float) -> int:
    return _scaled(value, SECOND // 1000, "milliseconds since 1970")


def _scaled(value: str | float, unit: int, what: str) -> int:
    if isinstance(value, int):
        scaled = value * unit
    else:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise CursorError(f"not a number of {what}") from None
        if not number.is_finite() or number.adjusted() > _MOST_DIGITS:  # 1e900000 is half a minute's work
            raise CursorError(f"a number of {what} that is no time of the years 1 to 9999")
        scaled = int((number * unit).to_integral_value("ROUND_FLOOR"))
    if not _OLDEST <= scaled <= _NEWEST:
        raise CursorError(f"a number of {what} that is no time of the years 1 to 9999")
    return scaled


def _read_integer(value: str | float) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, float) and _INTEGER.fullmatch(str(value)):
        return int(value)
    raise CursorError("not a whole number of at most 38 digits")


def _read_opaque(value: str | float) -> str:
    return value if isinstance(value, str) else str(value)


def _write_rfc3339(value: Comparable) -> str:
    seconds, fraction = divmod(int(value), SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"


_READERS: dict[str, Callable[[str | float], Comparable]] = {
    "rfc3339": _read_rfc3339,
    "date": lru_cache(maxsize=4096)(_read_date),
    "epoch": _read_epoch,
    "epoch_ms": _read_epoch_ms,
    "integer": _read_integer,
    "opaque": _read_opaque,
}

_WRITERS: dict[str, Callable[[Comparable], str | int]] = {
    "rfc3339": _write_rfc3339,
    "date": lambda value: _write_rfc3339(value)[:10],
    "epoch": lambda value: int(value) // SECOND,
    "epoch_ms": lambda value: int(value) // (SECOND // 1000),
    "integer": int,
    "opaque": str,
}

_READABLE = {str, int, float}

FORMATS = tuple(_READERS)
"""What a cursor can be."""

TIMES = ("rfc3339", "date", "epoch", "epoch_ms")
"""Those that are times."""

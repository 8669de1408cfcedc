"""A signature's timestamp: text as it was signed, to epoch seconds and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from causeway.webhooks.patterns import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE = 300.0
"""Seconds that a timestamp may be from our clock, either way, where neither manifest nor scheme say."""

# Texts, which `re` compiles when they are first used: most schemes have digits.
_RFC3339 = r"(?a)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
"""RFC 3339, section 5.6, without its lower-case letters."""
_HTTP_DATE = r"(?a)(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
"""RFC 9110, section 5.6.7, IMF-fixdate."""
_MAX_DIGITS = (
    15  # milliseconds until the year 33658; a sender chooses this text, and int() of a long one is slow
)


def _digits(text: str) -> int:
    # Digits only: int() would also take "+1", " 1 ", "1_000" and the digits of every script.
    if not (0 < len(text) <= _MAX_DIGITS and text.isascii() and text.isdigit()):
        raise Malformed("timestamp")
    return int(text)


def _read_rfc3339(text: str) -> float:
    if not re.fullmatch(_RFC3339, text):
        raise Malformed("timestamp")
    return datetime.fromisoformat(text).timestamp()


def _read_http(text: str) -> float:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 # few schemes need it

    if not re.fullmatch(_HTTP_DATE, text):
        raise Malformed("timestamp")
    return parsedate_to_datetime(text).timestamp()


def _write_http(now: float) -> str:
    from email.utils import formatdate  # noqa: PLC0415 # likewise

    return formatdate(now, usegmt=True)


READ: dict[str, Callable[[str], float]] = {
    "s": _digits,
    "ms": lambda text: _digits(text) / 1000,
    "rfc3339": _read_rfc3339,
    "http": _read_http,
}
"""By unit: a text to epoch seconds; raises ValueError."""

WRITE: dict[str, Callable[[float], str]] = {
    "s": lambda now: str(int(now)),
    "ms": lambda now: str(round(now * 1000)),
    "rfc3339": lambda now: datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
    "http": _write_http,
}
"""By unit: epoch seconds to a text."""

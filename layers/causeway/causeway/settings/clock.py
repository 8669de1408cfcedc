"""Time: UTC, from one clock that tests can set.

In code, times are epoch seconds; what people and other programs read is RFC 3339.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Clock(Protocol):
        """Where everything that asks for the time gets it from."""

        def now(self) -> float:
            """Epoch seconds."""

        def sleep(self, seconds: float) -> None:
            """Wait."""


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))


class SettableClock:
    """A clock that stands still until it is told otherwise; sleeping moves it on at once."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Epoch seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self._now += max(0.0, seconds)

    def set(self, now: float) -> None:
        """Move to a time, also back."""
        self._now = now


def rfc3339(seconds: float) -> str:
    """``2026-11-22T10:05:00.250Z``: always UTC and milliseconds, so that such texts sort as times do.

    Source: RFC 3339, section 5.6.
    """
    text = datetime.fromtimestamp(round(seconds * 1000) / 1000, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def from_rfc3339(text: str) -> float:
    """Epoch seconds of an RFC 3339 time.

    Raises:
        ValueError: it is none, or it does not say how far it is from UTC.
    """
    parsed = datetime.fromisoformat(text.upper())
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return parsed.timestamp()

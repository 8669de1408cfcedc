"""Pauses of integrations: who, why and since when; and how long each stopped the clock.

While an integration is paused its deliveries wait in the journal without attempts, and ``give_up_after`` does
not run: the pause's time is added to it, of whatever was open meanwhile. So a pause needs no write per
delivery to stop its clock: what was paused when is in one item per integration, which every instance reads
once in five seconds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.aws.table import ConditionFailed

if TYPE_CHECKING:
    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock

PART = "pause"
"""The range key of an integration's item in the state; the hash key is ``pause#<integration>``."""

RELEASES = "release#all"
"""The hash key of what is being released after a pause; the range key is the integration."""

FRESH_FOR = 5.0
"""Seconds that an instance relies on what it read."""

RATE = 20.0
"""Deliveries per second that a resume releases, unless it is told otherwise."""

_REMEMBERED = 50
"""So many past pauses count for the clock."""


@dataclass(frozen=True)
class Pause:
    """What is known of an integration's pauses."""

    integration: str
    since: float | None = None  # None: it is not paused
    by: str = ""
    reason: str = ""
    past: tuple[tuple[float, float], ...] = ()
    version: int = 0

    @property
    def paused(self) -> bool:
        """Whether its deliveries wait."""
        return self.since is not None

    def stopped(self, start: float, end: float) -> float:
        """Seconds between two times in which it was paused."""
        spans = [*self.past, *([(self.since, end)] if self.since is not None else [])]
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in spans)


class Pauses:
    """The pauses in the state. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._read: dict[str, tuple[float, Pause]] = {}
        self._lock = threading.Lock()

    def of(self, integration: str) -> Pause:
        """What is known of an integration, at most five seconds ago."""
        with self._lock:  # one thread reads, the others wait for it
            read_at, known = self._read.get(integration, (0.0, None))
            if known is None or not 0 <= self._clock.now() - read_at < FRESH_FOR:
                known = self._reread(integration)
            return known

    def now(self, integration: str) -> Pause:
        """What is known of an integration at this moment."""
        with self._lock:
            return self._reread(integration)

    def pause(self, integration: str, *, by: str, reason: str) -> bool:
        """Pause it; whether it was not paused before. One that is keeps who paused it, and why."""
        while True:
            found = self.now(integration)
            if found.paused:
                return False
            values = {"since": round(self._clock.now(), 3), "by": by, "reason": reason}
            if self._write(found, values):
                return True

    def resume(self, integration: str, *, by: str, rate: float = RATE) -> bool:
        """Let its deliveries go on, and have those that wait released; whether it was paused.

        Args:
            integration: Which.
            by: Who wants it.
            rate: So many are released per second.
        """
        while True:
            found = self.now(integration)
            # First what is to be released, then that it may be: cut off in between, it is still paused.
            now = round(self._clock.now(), 3)
            release = {"resumed_at": now, "by": by, "rate": rate, "pass": 1, "released": 0, "not_before": now}
            self._table.put({"id": RELEASES, "part": integration, **release})
            if found.since is None:
                return False
            past = [*found.past, (found.since, now)][-_REMEMBERED:]
            if self._write(found, {"past": past}, remove=("since", "by", "reason")):
                return True

    def _write(self, found: Pause, values: dict[str, JSON], remove: tuple[str, ...] = ()) -> bool:
        """Change the item if nobody else has since it was read."""
        try:
            self._table.update(
                _id(found.integration),
                PART,
                values=values | {"version": found.version + 1},
                remove=remove,
                condition="attribute_not_exists(#version) OR #version = :seen",
                given={"seen": found.version},
            )
        except ConditionFailed:
            return False
        finally:
            with self._lock:
                self._read.pop(found.integration, None)
        return True

    def _reread(self, integration: str) -> Pause:
        pause = pause_of(integration, self._table.get(_id(integration), PART))
        self._read[integration] = (self._clock.now(), pause)
        return pause


def _id(integration: str) -> str:
    return f"pause#{integration}"


def pause_of(integration: str, item: Item | None) -> Pause:
    """The pause that an item of the state holds; without one there never was any."""
    if item is None:
        return Pause(integration)
    return Pause(
        integration,
        since=item.get("since"),
        by=item.get("by", ""),
        reason=item.get("reason", ""),
        past=tuple((first, last) for first, last in item.get("past", [])),
        version=item["version"],
    )

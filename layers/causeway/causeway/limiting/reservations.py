"""Slots of all instances: in the state, reserved for a whole batch with one conditional write.

How far a system's limits are is one item (several above 500 calls per second), ``limit#<system>``, that
each reservation moves on, on condition that nobody else has since it was seen. Who loses that race is told
by the failure what stands there, and tries again with that: each failure is somebody's success, so all get
through.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.aws.table import ConditionFailed
from causeway.limiting.rates import shards, share, slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.aws.table import Item, Table
    from causeway.limiting.rates import Rate
    from causeway.settings.clock import Clock

AHEAD = 900.0
"""Seconds for which slots are reserved ahead: the longest that SQS delays a message."""

_TRIES = 30
_REMEMBERED = 86400.0


class Reservations:
    """The slots in the state. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._seen: dict[tuple[str, str], Item] = {}
        self._lock = threading.Lock()

    def reserve(
        self, system: str, rates: Sequence[Rate], count: int, *, start: float = 0.0, ahead: float = AHEAD
    ) -> list[float]:
        """Reserve slots for calls to a system.

        Args:
            system: Whose.
            rates: Its limits.
            count: So many are wanted.
            start: No slot before this time.
            ahead: None that is later than so many seconds from now.

        Returns:
            The slots in order: fewer than wanted, or none, when they are taken.
        """
        parts = shards(rates)
        own = [share(rate, parts) for rate in rates]
        first = random.randrange(parts)  # noqa: S311 - any will do
        found: list[float] = []
        for number in range(parts):
            part = f"rate#{(first + number) % parts}"
            found += self._reserve(system, part, own, count - len(found), start=start, ahead=ahead)
            if len(found) == count:
                break
        return sorted(found)

    def _reserve(
        self, system: str, part: str, rates: Sequence[Rate], count: int, *, start: float, ahead: float
    ) -> list[float]:
        for _ in range(_TRIES):
            now = self._clock.now()
            with self._lock:
                seen = self._seen.get((system, part), {})
            reached = (seen.get("reached", []) + [0.0] * len(rates))[: len(rates)]
            found, after = slots(rates, reached, count, start=max(start, now), horizon=now + ahead)
            if not found:  # and what this instance saw is a lower bound: others can only have moved it on
                return []
            item = {"reached": after, "version": seen.get("version", 0) + 1}
            try:
                self._table.update(
                    f"limit#{system}",
                    part,
                    values=item | {"expires_at": int(max(now, *after) + _REMEMBERED)},
                    condition="attribute_not_exists(#version) OR #version = :seen",
                    given={"seen": seen.get("version", 0)},
                )
            except ConditionFailed as failed:
                item = failed.item or self._table.get(f"limit#{system}", part) or {}
                found = []
            with self._lock:
                self._seen[system, part] = item
            if found:
                return found
        raise AwsError("Contended", f"the limits of {system} are written by too many at once", 409)

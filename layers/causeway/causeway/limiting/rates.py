"""Limits as arithmetic: which moments are free for calls. Pure functions.

A limit hands out slots: the moments at which calls may begin, spaced evenly (the generic cell rate
algorithm, ITU-T I.371: of each limit only the time of its next slot is kept). A call may begin a little
later than its slot, since threads and clocks are not exact, and slots are spaced so much wider that the
limit holds even if every other call uses that up: in any window as long as the period there are never more
calls than the limit (and ``burst`` less one).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SLACK = 0.03
"""The share of a period by which a call may be later than its slot, and by which spacing is wider for it."""

LONGEST_SLACK = 1.0
"""Seconds; and never more than this."""

SHARD = 500.0
"""Calls per second that one item of a table is good for: a partition takes 1,000 writes a second."""


class Rate(NamedTuple):
    """So many ``requests`` in any ``per`` seconds, ``burst`` of them at once."""

    requests: int
    per: float
    burst: int = 1

    @property
    def slack(self) -> float:
        """Seconds for which a slot is good."""
        return min(SLACK * self.per, LONGEST_SLACK)

    @property
    def spacing(self) -> float:
        """Seconds between two slots."""
        return (self.per + self.slack) / self.requests


def shards(rates: Sequence[Rate]) -> int:
    """Into how many parts limits are cut, each with its share of them."""
    highest = max(rate.requests / rate.per for rate in rates)
    fewest = min(rate.requests for rate in rates)
    return max(1, min(math.ceil(highest / SHARD), fewest))


def share(rate: Rate, parts: int) -> Rate:
    """One of so many parts of a limit; all of them together are never more than it."""
    return Rate(rate.requests // parts, rate.per, max(1, rate.burst // parts))


def slack(rates: Sequence[Rate]) -> float:
    """Seconds for which a slot is good that obeys all these limits."""
    return min(rate.slack for rate in rates)


def slots(
    rates: Sequence[Rate], reached: Sequence[float], count: int, *, start: float, horizon: float
) -> tuple[list[float], list[float]]:
    """The next free slots, each of which obeys all limits.

    Args:
        rates: The limits.
        reached: Of each limit what this returned the last time; 0 of one that is new.
        count: So many slots at most.
        start: No slot before this time.
        horizon: None after this time.

    Returns:
        The slots in order, and how far each limit is then.
    """
    found: list[float] = []
    now = list(reached)
    while len(found) < count:
        earliest = (at - (rate.burst - 1) * rate.spacing for rate, at in zip(rates, now, strict=True))
        slot = max(start, *earliest)
        if slot > horizon:
            break
        found.append(slot)
        now = [max(at, slot) + rate.spacing for rate, at in zip(rates, now, strict=True)]
    return found, now

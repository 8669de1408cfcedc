"""What the storm's targets do: for each delivery and place faults that the seed decides, then 200, for good."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.support.faults import BUSY, ENOUGH, GONE, LATE, LOST, LOST_LATE, REFUSED, RESET, Weather, soon
from tests.support.faulty_target import FaultyTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.faults import Fault

WEATHER: Mapping[str, Weather] = {
    "/plain": Weather(0.35, (BUSY, RESET, LOST, REFUSED)),
    "/stepped/reserve": Weather(0.25, (BUSY, RESET, LOST)),
    "/stepped": Weather(0.25, (LATE, LOST_LATE, BUSY, LOST)),
    "/throttled": Weather(0.12, (soon(503, 2), soon(429, 3), ENOUGH, soon(503, 9), soon(500, 2))),
    "/gone": Weather(0.25, (BUSY, LATE, LOST)),
    "/ordered": Weather(0.25, (BUSY, RESET, LOST, LOST_LATE)),
}
"""The faults of each place: a target, or a step of one."""

GONE_EVERY = 60
"""At one in so many events, and at least once, the target of ``/gone`` wants no more deliveries."""


class Storm(FaultyTarget):
    """The faulty targets of a storm, all in one server; a context manager."""

    def __init__(self, seed: int, events: Sequence[str]) -> None:
        super().__init__(seed, WEATHER)
        dice = random.Random(f"{seed}/gone")
        self._gone = set(dice.sample(list(events), max(1, len(events) // GONE_EVERY)))

    def faults(self, place: str, event: str) -> list[Fault]:
        """What a delivery meets at a place before it is answered 200."""
        met = super().faults(place, event)
        return [GONE, *met][: WEATHER[place].most] if place == "/gone" and event in self._gone else met

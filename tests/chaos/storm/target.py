"""What the storm's targets do: for each delivery and place faults that the seed decides, then 200, for good.

What is answered how often depends on the seed alone, and not on who asks when: the n-th request of a delivery to
a place meets the n-th of its faults. A target keeps an effect once for each ``Idempotency-Key``, as an honest one
does; what it kept is what the storm is judged by.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.support.faults import BUSY, ENOUGH, GONE, LATE, LOST, LOST_LATE, OK, REFUSED, RESET, Weather, soon
from tests.support.target import Received, Reply, Target

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


@dataclass(frozen=True)
class Exchange:
    """One request, and what the target did."""

    place: str
    event: str
    key: str
    at: float
    answered: float
    fault: Fault
    customer: str


class Storm:
    """The faulty targets of a storm, all in one server; a context manager."""

    target: Target
    """While it is entered."""

    def __init__(self, seed: int, events: Sequence[str]) -> None:
        self.seed = seed
        dice = random.Random(f"{seed}/gone")
        self._gone = set(dice.sample(list(events), max(1, len(events) // GONE_EVERY)))
        self._asked: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self.exchanges: list[Exchange] = []

    def __enter__(self) -> Self:
        self.target = Target()
        for place in WEATHER:
            self.target.on(place, self._answer)
        self.target.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.target.stop()

    def faults(self, place: str, event: str) -> list[Fault]:
        """What a delivery meets at a place before it is answered 200."""
        met = WEATHER[place].met(f"{self.seed}{place}/{event}")
        return [GONE, *met][: WEATHER[place].most] if place == "/gone" and event in self._gone else met

    def _answer(self, request: Received) -> Reply:
        event, place = request.headers["causeway-event-id"], request.path
        with self._lock:
            number = self._asked[place, event] = self._asked.get((place, event), 0) + 1
        faults = self.faults(place, event)
        fault = faults[number - 1] if number <= len(faults) else OK
        key = request.headers["idempotency-key"]
        # An answer that comes late ends when it is given up; what says `Retry-After` is said at once.
        answered = time.time()
        exchange = Exchange(place, event, key, request.at, answered, fault, request.json.get("customer", ""))
        with self._lock:
            self.exchanges.append(exchange)
        return fault.reply

"""A target that meets every delivery with faults that the seed decides, then does what it is asked, for good.

What is answered how often depends on the seed alone, and not on who asks when: the n-th request of an event to a
place meets the n-th of its faults. A target keeps an effect once for each ``Idempotency-Key``, as an honest one
does; what was asked and done stands in its ``exchanges``.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.support.faults import OK
from tests.support.target import Received, Reply, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.faults import Fault, Weather


@dataclass(frozen=True)
class Exchange:
    """One request, and what the target did."""

    place: str
    event: str
    key: str
    at: float
    answered: float
    fault: Fault
    body: Any = None


class FaultyTarget:
    """One server for all places; a context manager.

    Args:
        seed: Decides what each event meets.
        weather: The faults of each place, by its path.
    """

    target: Target
    """While it is entered."""

    def __init__(self, seed: int, weather: Mapping[str, Weather]) -> None:
        self.seed = seed
        self.weather = weather
        self.lock = threading.Lock()
        self.exchanges: list[Exchange] = []
        self._asked: dict[tuple[str, str], int] = {}

    def __enter__(self) -> Self:
        self.target = Target()
        for place in self.weather:
            self.target.on(place, self._answer)
        self.target.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.target.stop()

    def faults(self, place: str, event: str) -> list[Fault]:
        """What an event meets at a place before it is answered 200."""
        return self.weather[place].met(f"{self.seed}{place}/{event}")

    def noted(self, exchange: Exchange) -> Reply:
        """What is answered; called for every exchange, with the lock."""
        return Reply(200, {"done": exchange.event}) if exchange.fault == OK else exchange.fault.reply

    def _answer(self, request: Received) -> Reply:
        event, place = request.headers["causeway-event-id"], request.path
        with self.lock:
            number = self._asked[place, event] = self._asked.get((place, event), 0) + 1
        faults = self.faults(place, event)
        fault = faults[number - 1] if number <= len(faults) else OK
        key = request.headers["idempotency-key"]
        # An answer that comes late ends when it is given up; what says `Retry-After` is said at once.
        exchange = Exchange(place, event, key, request.at, time.time(), fault, request.json)
        with self.lock:
            self.exchanges.append(exchange)
            return self.noted(exchange)

"""Requests that an instance has under way: which systems keep it waiting."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.settings.clock import Clock


class UnderWay:
    """The requests of all batches of an instance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: defaultdict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextmanager
    def one(self, system: str) -> Iterator[None]:
        """While a request to a system is under way."""
        began = self._clock.now()
        with self._lock:
            self._began[system].append(began)
        try:
            yield
        finally:
            with self._lock:
                self._began[system].remove(began)

    def longest(self, system: str) -> float:
        """For how many seconds the oldest of a system's requests has been; 0 if there is none."""
        with self._lock:
            return self._clock.now() - min(self._began[system], default=self._clock.now())

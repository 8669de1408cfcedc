"""Deliveries of one integration that are in one invocation do something together, each for itself.

Each of them runs in a thread of its own, and none is settled before what it did together with the others is
done. So there is no second way of settling, and the order of things is the one that there is: a delivery
whose part failed has failed, and its message is there until it has not.

What is done is done by whoever comes last: the thread that brings the last part, or that ends without one.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Effect = Callable[[Sequence[Any]], Sequence[Exception | None]]


class _Part:
    """What one delivery brings."""

    def __init__(self, item: Any, effect: Effect) -> None:
        self.item = item
        self.effect = effect
        self.failure: BaseException | None = None
        self.done = threading.Event()


class Gathering:
    """Where the deliveries of an invocation meet.

    Args:
        members: Integration and record of each that may bring something.
        at_once: So many threads they have: when all of them wait here, nobody else can come.
    """

    def __init__(self, members: Iterable[tuple[str, str]], *, at_once: int) -> None:
        self._expected: dict[str, set[str]] = defaultdict(set)
        for integration, record in members:
            self._expected[integration].add(record)
        self._waiting: dict[str, list[_Part]] = defaultdict(list)
        self._at_once = at_once
        self._lock = threading.Lock()

    def together(self, integration: str, record: str, item: Any, effect: Effect, *, patience: float) -> None:
        """Bring a part, and wait until what the integration's deliveries do together is done.

        Args:
            integration: Whose.
            record: Which of its members comes.
            item: What it brings.
            effect: Does it, for all parts; returns for each None or why it failed.
            patience: Seconds after which it is done without those that have not come yet.

        Raises:
            Exception: why this part failed.
        """
        part = _Part(item, effect)
        with self._lock:
            self._waiting[integration].append(part)
            everyone = sum(map(len, self._waiting.values())) >= self._at_once
        self.left(integration, record)
        if everyone or not part.done.wait(max(patience, 0)):
            with self._lock:
                names = list(self._waiting)
            for name in names:
                self._do(name)
            part.done.wait()
        if part.failure is not None:
            raise part.failure

    def left(self, integration: str, record: str) -> None:
        """This member brings nothing (more). Called for each, however it ends; twice is harmless."""
        with self._lock:
            expected = self._expected[integration]
            expected.discard(record)
        if not expected:
            self._do(integration)

    def _do(self, integration: str) -> None:
        with self._lock:
            parts = self._waiting.pop(integration, [])
        if not parts:
            return
        failures: Sequence[BaseException | None]
        try:
            failures = parts[0].effect([part.item for part in parts])
        except BaseException as error:  # noqa: BLE001 - each of them raises it
            failures = [error] * len(parts)
        for part, failure in zip(parts, failures, strict=True):
            part.failure = failure
            part.done.set()

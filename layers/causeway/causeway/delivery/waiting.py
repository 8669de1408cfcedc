"""Deliveries that wait in the journal for their system: in order of acceptance, until they are let go.

The index of what is due has sixteen shards for each system with what waits for it, by the time of acceptance
(of a replay: of its beginning). They are let go each minute by the scheduler
(:mod:`~causeway.delivery.freeing`), and one for each call that ends where calls at once are what is short.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from causeway.delivery.going_on import wake
from causeway.delivery.journal import GRACE, SHARDS
from causeway.limiting.turns import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causeway.aws.table import Item
    from causeway.delivery.journal import Journal
    from causeway.limiting.health import Healths
    from causeway.plan.records import System
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

_CONCURRENCY = 10


class LetGo(NamedTuple):
    """A delivery that may go on at a time."""

    item: Item
    at: float
    turn: bool = True  # nobody is before it; False: it does not need its system any more


class Waiting:
    """Finds them, and lets them go. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, journal: Journal, queue: Queue, clock: Clock) -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock

    def of(self, system: str) -> Iterator[Item]:
        """What waits for a system, in order of acceptance."""
        shards = [self._journal.held(system, shard) for shard in SHARDS]
        return heapq.merge(*shards, key=lambda item: item["due_at"])

    def let_go(self, system: str, freed: Sequence[LetGo]) -> None:
        """Put deliveries back on the queue, to come out just before their time.

        Raises:
            NotQueued: the queue did not take them.
        """
        now = self._clock.now()
        by_delay = defaultdict(list)
        for each in freed:
            by_delay[max(0, math.floor(each.at - PATIENCE - now))].append(each)
        for delay, group in by_delay.items():
            messages = []
            for each in group:
                message = wake(each.item)
                if each.turn:
                    message["slots"] = {system: each.at}
                messages.append(message)
            self._queue.send(messages, delay=delay)
        # First the message, then the item: cut off in between, there are two messages, and never none.
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            list(pool.map(lambda each: self._journal.let_go(each.item, each.at + GRACE), freed))

    def follow(self, healths: Healths, systems: Mapping[str, System], done: Mapping[str, int]) -> None:
        """Let one go for each call that has ended, where calls at once are what deliveries wait for.

        So there are always about as many on their way as their system takes, however long its calls take.

        Args:
            healths: For which systems any wait.
            systems: What the plan says of them.
            done: How many calls have ended, by system.
        """
        for system, count in done.items():
            if count and only_at_once(systems.get(system)) and healths.now(system).full:
                left = count - self._let_next_go(system, count)
                if left:
                    healths.nothing_waits(system)
                    # Whoever still believed that others wait may have gone there in between.
                    if self._let_next_go(system, left):
                        healths.wait(system, full=True)

    def _let_next_go(self, system: str, count: int) -> int:
        """Let so many of the oldest go; return how many there were."""
        items = list(islice(self.of(system), count))
        now = self._clock.now()
        self.let_go(system, [LetGo(item, now) for item in items])
        return len(items)


def only_at_once(system: System | None) -> int:
    """How many calls at once a system takes, when that is its only limit; otherwise 0."""
    api = system.get("api") if system else None
    if api is None or api.get("rate_limits"):
        return 0
    return api.get("concurrency", 0)

"""What the scheduler lets go each minute of the deliveries that wait in the journal for their system.

In order of acceptance, as fast as the system allows: slots are reserved for the whole minute, and each
message comes out of the queue shortly before its own. Of an open circuit that is due one delivery is let
go, to probe it. What has waited for as long as its integration gives it goes, too: it is given up where
everything else is.
"""

from __future__ import annotations

import heapq
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from causeway.delivery.journal import GRACE, SHARDS, message_of
from causeway.limiting.admission import PATIENCE
from causeway.limiting.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Item
    from causeway.delivery.journal import Journal
    from causeway.limiting.health import Health, Healths
    from causeway.limiting.reservations import Reservations
    from causeway.plan.plan import Plan
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock
    from causeway.telemetry.metrics import Metrics

AHEAD = 75.0
"""Seconds for which each minute lets go: a little more than until the next one does."""

UNLIMITED = Rate(100, 1.0)
"""How fast deliveries are let go to a system that has no limit: it has just recovered."""

_AT_ONCE = 50
_CONCURRENCY = 10


class Freeing:
    """Lets deliveries go that wait for a system."""

    def __init__(
        self,
        *,
        plan: Plan,
        journal: Journal,
        healths: Healths,
        reservations: Reservations,
        queue: Queue,
        metrics: Metrics,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._healths = healths
        self._reservations = reservations
        self._queue = queue
        self._metrics = metrics
        self._clock = clock
        self._logger = logger

    def run(self, *, until: float) -> int:
        """Work until a time, or until all is done that can be; return how many were let go.

        Raises:
            AwsError: a table could not be read or written.
            NotQueued: the queue did not take them.
        """
        freed = 0
        for health in self._healths.all():
            if health.is_open:
                self._metrics.add("CircuitOpen", system=health.system)
            if health.waiting_at is not None and self._clock.now() < until:
                count = self._free(health, until)
                self._logger.info("let go", system=health.system, deliveries=count)
                freed += count
        self._metrics.emit()
        return freed

    def _free(self, health: Health, until: float) -> int:
        now = self._clock.now()
        waiting = self._waiting(health.system)
        if health.is_open or health.held_until > now + AHEAD:
            over: list[Item] = []
            probe = 1 if health.may_be_probed(now) and health.held_until <= now else 0
            for item in islice(waiting, _AT_ONCE * _CONCURRENCY):
                if len(over) < probe or self._is_over(item, now):
                    over.append(item)
            self._let_go([(item, now, {}) for item in over])
            return len(over)
        return self._drain(health, waiting, until)

    def _drain(self, health: Health, waiting: Iterator[Item], until: float) -> int:
        """Let go at the system's pace."""
        freed = 0
        while self._clock.now() < until:
            items = list(islice(waiting, _AT_ONCE))
            slots, reserved = self._slots(health, len(items), freed)
            self._let_go(
                [
                    (item, slot, {health.system: slot} if reserved else {})
                    for item, slot in zip(items, slots, strict=False)
                ]
            )
            freed += len(slots)
            if len(items) < _AT_ONCE and len(slots) == len(items):
                self._healths.nothing_waits(health.system)
                break
            if len(slots) < len(items):  # no slot in time: some may have waited long enough
                now = self._clock.now()
                over = [item for item in items[len(slots) :] if self._is_over(item, now)]
                self._let_go([(item, now, {}) for item in over])
                freed += len(over)
                break
        return freed

    def _slots(self, health: Health, count: int, freed: int) -> tuple[Sequence[float], bool]:
        """When the next deliveries go, and whether these are slots of the system's limits."""
        if not count:
            return [], False
        system = self._plan.systems.get(health.system)
        limits = system["api"].get("rate_limits", []) if system and "api" in system else []
        if limits:
            rates = [Rate(each["requests"], each["per"], each["burst"]) for each in limits]
            start = max(health.held_until, self._clock.now() + PATIENCE)
            found = self._reservations.reserve(health.system, rates, count, start=start, ahead=AHEAD)
            return found, True
        now = self._clock.now()
        start = max(now, health.held_until)
        times = [start + (freed + number) * UNLIMITED.spacing for number in range(count)]
        return [time for time in times if time <= now + AHEAD], False

    def _waiting(self, system: str) -> Iterator[Item]:
        """What waits for a system, in order of acceptance."""
        shards = [self._journal.held(system, shard) for shard in SHARDS]
        return heapq.merge(*shards, key=lambda item: item["due_at"])

    def _is_over(self, item: Item, now: float) -> bool:
        integration = self._plan.integrations.get(item["integration"])
        limit = integration["errors"]["give_up_after"] if integration else 0.0
        return bool(item["due_at"] / 1000 + limit <= now)

    def _let_go(self, freed: Sequence[tuple[Item, float, dict[str, float]]]) -> None:
        """Put deliveries back on the queue, to come out just before a time."""
        now = self._clock.now()
        by_delay: dict[int, list[tuple[Item, float, dict[str, float]]]] = {}
        for each in freed:
            by_delay.setdefault(max(0, math.floor(each[1] - PATIENCE - now)), []).append(each)
        for delay, group in by_delay.items():
            messages = []
            for item, _, slots in group:
                message = message_of(item, item["ticket"])
                if slots:
                    message["slots"] = slots
                messages.append(message)
            self._queue.send(messages, delay=delay)
        # First the message, then the item: cut off in between, there are two messages, and never none.
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            list(pool.map(lambda each: self._journal.let_go(each[0], each[1] + GRACE), freed))

"""What the scheduler lets go each minute of the deliveries that wait in the journal for their system.

In order of acceptance, as fast as the system allows: slots are reserved for the whole minute, and each
message comes out of the queue shortly before its own. Of an open circuit that is due one delivery is let
go, to probe it. What does not need its system any more goes at once, whatever that is like: it is decided
where everything else is.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from causeway.delivery.targets import place_of
from causeway.delivery.waiting import LetGo, Waiting, only_at_once
from causeway.limiting.rates import Rate
from causeway.limiting.turns import PATIENCE, rates_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Item
    from causeway.delivery.journal import Journal
    from causeway.delivery.pauses import Pauses
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
_LOOKED_THROUGH = 5000
"""So many of the oldest are looked through each minute while a system is not called, for those that need not
wait for it any more."""


class Freeing:
    """Lets deliveries go that wait for a system."""

    def __init__(
        self,
        *,
        plan: Plan,
        journal: Journal,
        healths: Healths,
        reservations: Reservations,
        pauses: Pauses,
        queue: Queue,
        metrics: Metrics,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._plan = plan
        self._waiting = Waiting(journal, queue, clock)
        self._healths = healths
        self._reservations = reservations
        self._pauses = pauses
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
        waiting = self._waiting.of(health.system)
        if not health.is_open and health.held_until <= now + AHEAD:
            return self._drain(health, waiting, until)
        return self._look_through(health, waiting, until)

    def _look_through(self, health: Health, waiting: Iterator[Item], until: float) -> int:
        """Its system is not to be called: let go what need not wait for it, and one that probes it."""
        freed = 0
        now = self._clock.now()
        probe = health.may_be_probed(now) and health.held_until <= now
        for _ in range(_LOOKED_THROUGH // _AT_ONCE):
            items = list(islice(waiting, _AT_ONCE))
            free, needing = self._sorted(health.system, items)
            if probe and needing:
                free.append(LetGo(needing[0], now))
                probe = False
            self._waiting.let_go(health.system, free)
            freed += len(free)
            if len(items) < _AT_ONCE or self._clock.now() >= until:
                break
        return freed

    def _drain(self, health: Health, waiting: Iterator[Item], until: float) -> int:
        """Let go at the system's pace.

        Where calls at once are all that it limits, as many: each lets another one follow when it has ended.
        """
        freed = let_go = 0
        most = only_at_once(self._plan.systems.get(health.system))
        while self._clock.now() < until:
            items = list(islice(waiting, _AT_ONCE))
            free, needing = self._sorted(health.system, items)
            if most:
                needing = needing[: most - let_go]
            going = self._with_times(health, needing, let_go)
            self._waiting.let_go(health.system, free + going)
            freed += len(free) + len(going)
            let_go += len(going)
            if len(items) < _AT_ONCE and len(free) + len(going) == len(items):
                self._healths.nothing_waits(health.system)
                break
            if len(free) + len(going) < len(items):
                # So that each call that ends lets another one follow, whatever was known of those that wait.
                self._healths.wait(health.system, full=True)
                break
        return freed

    def _with_times(self, health: Health, items: list[Item], before: int) -> list[LetGo]:
        """When these go: fewer when there is no slot for all; ``before`` went in this minute."""
        if not items:
            return []
        now = self._clock.now()
        system = self._plan.systems.get(health.system)
        rates = rates_of(system["api"]) if system and "api" in system else []
        if rates:
            start = max(health.held_until, now + PATIENCE)
            times = self._reservations.reserve(health.system, rates, len(items), start=start, ahead=AHEAD)
        else:
            start = max(now, health.held_until)
            spaced = [start + (before + number) * UNLIMITED.spacing for number in range(len(items))]
            times = [time for time in spaced if time <= now + AHEAD]
        return [LetGo(item, time) for item, time in zip(items, times, strict=False)]

    def _sorted(self, system: str, items: list[Item]) -> tuple[list[LetGo], list[Item]]:
        """Those that do not need the system any more, and those that do."""
        now = self._clock.now()
        free: list[LetGo] = []
        needing: list[Item] = []
        for item in items:  # each is asked once: what is known of a pause may change in between
            if self._needs(system, item, now):
                needing.append(item)
            else:
                free.append(LetGo(item, now, turn=False))
        return free, needing

    def _needs(self, system: str, item: Item, now: float) -> bool:
        """Whether it is to go on waiting: it is not paused, its time is not up, and the plan is as it was."""
        integration = self._plan.integrations.get(item["integration"])
        if integration is None:
            return False
        places = map(place_of, (each for each in integration["steps"] if "call" in each))
        receivers = {place.receiver for place in (*places, place_of(integration["target"]))}
        pause = self._pauses.of(item["integration"])
        since = item["due_at"] / 1000
        over = now >= since + integration["errors"]["give_up_after"] + pause.stopped(since, now)
        return system in receivers and not pause.paused and not over

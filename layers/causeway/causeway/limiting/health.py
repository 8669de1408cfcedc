"""How a system is: its circuit, for how long it wants to be left alone, and whether deliveries wait for it.

One item per system in the state, which each instance reads once in five seconds and nobody writes while all
is well. The circuit's counts are written only by batches that had a failure; what an instance saw succeed
before is written with them, so that the share of failures is right all the same.

Powertools has a circuit breaker (``utilities.circuit_breaker``, as of 3.37). It is not used, for these rules:

* "failures: 70%, of_at_least: 10, within: 5m", over all instances: its ``failure_threshold`` counts failures
  in a row, within one execution environment, for as long as that lives; only that the circuit opened is
  shared. A target that fails four times of five never opens it where the fifth success comes in between.
* "counts start anew when it closes": what began before that and fails after it counts there.
* "one probe at a time": its lease lasts for ``recovery_timeout``, however long the call may take, so a probe
  that answers late gets company; and a probe that says nothing (a 429) keeps the next one waiting for it.
* it has one state per name, and no place for how long a system wants to be left alone, or for what waits.
* its store brings boto3, which no function on the hot path imports.

What it does as this does: a cached read, no write while all is well, one probe at a time by a lease.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.aws.table import ConditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import CircuitBreaker
    from causeway.settings.clock import Clock

ID = "health#all"
"""The hash key of all systems' items; the range key is the system."""

FRESH_FOR = 5.0
"""Seconds that an instance relies on what it read."""

TOLD_AGAIN = 60.0
"""Seconds after which whoever lets a delivery wait in the journal says so again."""

LOOKED_FOR = 300.0
"""Seconds after the last one said so in which the scheduler looks for deliveries that wait."""

_SLICES = 10
"""Counts are kept in so many slices of the time that they are for."""

_TRIES = 10


@dataclass(frozen=True)
class Health:
    """What is known of a system."""

    system: str
    counts: list[list[float]] = field(default_factory=list)  # [slice's beginning, calls, failures]
    opened_at: float | None = None  # None: the circuit is closed
    closed_at: float = 0.0  # when it did the last time
    open_until: float = 0.0  # when a probe may be made
    probe_until: float = 0.0  # the end of the lease of the one that is being made
    held_until: float = 0.0  # until when the system wants no calls
    waiting_at: float | None = None  # when a delivery was last left to wait for it; None: none does
    full: bool = False  # it takes no more than those that wait: new deliveries queue up behind them
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether its circuit is open."""
        return self.opened_at is not None

    def may_be_probed(self, now: float) -> bool:
        """Whether an open circuit is due to be probed, and nobody does."""
        return self.is_open and now >= max(self.open_until, self.probe_until)

    def counted(self, rule: CircuitBreaker, *, calls: int, failures: int, now: float) -> Health:
        """The same with so many calls and failures more; the circuit opens when there are too many."""
        width = rule["within"] / _SLICES
        begins = now // width * width
        slices = {start: [start, *both] for start, *both in self.counts if start > now - rule["within"]}
        _, before, failed = slices.get(begins, [begins, 0, 0])
        slices[begins] = [begins, before + calls, failed + failures]
        counts = sorted(slices.values())
        every, bad = sum(each[1] for each in counts), sum(each[2] for each in counts)
        if every >= rule["of_at_least"] and bad >= rule["failures"] * every:
            return replace(self, counts=[], opened_at=now, open_until=now + rule["open_for"])
        return replace(self, counts=counts)

    def closed(self, now: float) -> Health:
        """The same with its circuit closed; counts start anew."""
        return replace(self, counts=[], opened_at=None, closed_at=now, open_until=0.0, probe_until=0.0)


class Healths:
    """The systems' health in the state. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._read: dict[str, tuple[float, Health]] = {}
        self._lock = threading.Lock()

    def of(self, system: str) -> Health:
        """What was known of a system at most five seconds ago."""
        with self._lock:  # one thread reads, the others wait for it
            read_at, known = self._read.get(system, (0.0, None))
            if known is None or not 0 <= self._clock.now() - read_at < FRESH_FOR:
                known = _health_of(system, self._table.get(ID, system))
                self._read[system] = (self._clock.now(), known)
            return known

    def now(self, system: str) -> Health:
        """What is known of a system at this moment."""
        with self._lock:
            self._read.pop(system, None)
        return self.of(system)

    def all(self) -> Iterator[Health]:
        """What is known of all systems of which there is something to know."""
        return (_health_of(item["part"], item) for item in self._table.parts(ID))

    def count(
        self,
        system: str,
        rule: CircuitBreaker,
        calls: Sequence[tuple[float, bool]],
        *,
        before: tuple[float, int] = (0.0, 0),
    ) -> None:
        """Write what calls came to; the circuit may open by it.

        Nothing counts while it is open, nor what began before it closed: that was another time.

        Args:
            system: Which was called.
            rule: When its circuit opens.
            calls: When each began, and whether it failed.
            before: Since when so many more succeeded that are not written yet.
        """
        now = self._clock.now()

        def counted(health: Health) -> Health | None:
            fresh = [failed for began, failed in calls if began >= health.closed_at]
            if health.is_open or not any(fresh):
                return None
            earlier = before[1] if before[0] >= health.closed_at else 0
            return health.counted(rule, calls=len(fresh) + earlier, failures=sum(fresh), now=now)

        self._change(system, counted)

    def probe(self, system: str, *, until: float) -> bool:
        """Take the lease to probe an open circuit; whether it was free."""
        now = self._clock.now()
        taken: list[bool] = []

        def take(health: Health) -> Health | None:
            taken[:] = [health.may_be_probed(now)]
            return replace(health, probe_until=until) if taken[0] else None

        self._change(system, take)
        return taken[0]

    def probed(self, system: str, rule: CircuitBreaker, *, healthy: bool | None) -> None:
        """Say what a probe came to: the circuit closes, or stays open for a while; None: it said nothing."""
        now = self._clock.now()
        again = 0.0 if healthy is None else now + rule["open_for"]
        self._change(
            system,
            lambda health: (
                health.closed(now)
                if healthy
                else replace(health, probe_until=0.0, open_until=max(health.open_until, again))
            ),
        )

    def hold(self, system: str, until: float) -> None:
        """Leave a system alone until a time."""
        self._change(
            system,
            lambda health: replace(health, held_until=until) if health.held_until < until - 1 else None,
        )

    def wait(self, system: str, *, full: bool) -> None:
        """Say that a delivery is about to wait in the journal for it, so that the scheduler looks there."""
        now = self._clock.now()
        if full:  # else it might rely on what was true before somebody found that none wait
            self.now(system)

        def told(health: Health) -> Health | None:
            fresh = health.waiting_at is not None and health.waiting_at > now - TOLD_AGAIN
            if fresh and (health.full or not full):
                return None
            return replace(health, waiting_at=now, full=health.full or full)

        self._change(system, told)

    def nothing_waits(self, system: str) -> None:
        """Say that none was found there; the scheduler goes on looking for a while."""
        now = self._clock.now()

        def told(health: Health) -> Health | None:
            if health.waiting_at is None:
                return None
            over = health.waiting_at < now - LOOKED_FOR
            if not over and not health.full:
                return None
            return replace(health, full=False, waiting_at=None if over else health.waiting_at)

        self._change(system, told)

    def _change(self, system: str, change: Callable[[Health], Health | None]) -> Health:
        """Carry out a change unless somebody else's made it needless; return what is known then."""
        found = self.of(system)
        for _ in range(_TRIES):
            after = change(found)
            if after is None:
                break
            after = replace(after, version=found.version + 1)
            try:
                self._table.update(
                    ID,
                    system,
                    values=_item_of(after),
                    condition="attribute_not_exists(#version) OR #version = :seen",
                    given={"seen": found.version},
                )
            except ConditionFailed as failed:
                found = _health_of(system, failed.item or self._table.get(ID, system))
                continue
            found = after
            break
        else:
            raise AwsError("Contended", f"the health of {system} is written by too many at once", 409)
        with self._lock:
            self._read[system] = (self._clock.now(), found)
        return found


def _item_of(health: Health) -> Item:
    values = asdict(health)
    del values["system"]
    return values


def _health_of(system: str, item: Item | None) -> Health:
    values = {name: value for name, value in (item or {}).items() if name in _FIELDS}
    return Health(system, **values)


_FIELDS = frozenset(Health.__dataclass_fields__) - {"system"}

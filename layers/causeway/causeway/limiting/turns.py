"""One invocation's turns at one system: slots of its limits, and places among its calls at once.

Both are taken for the whole batch: slots are reserved for all calls that its deliveries may make, and places
are leased until it ends. A system without limits costs nothing here.
"""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from causeway.limiting.health import Healths
from causeway.limiting.leases import Concurrency
from causeway.limiting.rates import Rate, slack
from causeway.limiting.reservations import AHEAD, Reservations
from causeway.limiting.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from causeway.aws.table import Table
    from causeway.limiting.health import Health
    from causeway.plan.records import Api, System
    from causeway.settings.clock import Clock

PATIENCE = 2.0
"""Seconds that a call is waited for in the function; a delivery that must wait longer leaves it."""

_MOMENT = 0.2  # of what has no slot there may be any number: it does not keep functions waiting
_WHOLE = 1.0  # SQS delays by whole seconds: who leaves comes back up to one earlier than PATIENCE
_LOOK = 0.02
_ASK_AGAIN = 0.5
_FIRST_DEFERRAL = 2.0
_LONGEST_DEFERRAL = 400.0


class Held(Exception):  # noqa: N818 - it is no error
    """A call may not begin now. This is no attempt.

    Attributes:
        system: Which is not to be called.
        kind: ``limit``: it has had enough; ``circuit``: it does not answer.
        at: When to come back; None: when it is let go, in order of acceptance.
        slot: Whether ``at`` is a slot, reserved for this delivery.
        full: Whether all that comes after it is to queue up behind it.
    """

    def __init__(
        self,
        reason: str,
        *,
        system: str,
        kind: Literal["limit", "circuit"],
        at: float | None = None,
        slot: bool = False,
        full: bool = False,
    ) -> None:
        super().__init__(reason)
        self.system = system
        self.kind = kind
        self.at = at
        self.slot = slot
        self.full = full


class Limits(NamedTuple):
    """What all invocations of a function share."""

    systems: Mapping[str, System]
    healths: Healths
    reservations: Reservations
    concurrency: Concurrency
    under_way: UnderWay
    clock: Clock
    jitter: Callable[[], float]  # from 0 to 1
    unwritten: dict[str, tuple[float, int]]  # since when so many calls were answered that no count knows of

    @classmethod
    def of(
        cls,
        systems: Mapping[str, System],
        state: Table,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> Limits:
        """Those of a new instance."""
        return cls(
            systems=systems,
            healths=Healths(state, clock),
            reservations=Reservations(state, clock),
            concurrency=Concurrency(state, clock),
            under_way=UnderWay(clock),
            clock=clock,
            jitter=jitter,
            unwritten={},
        )


class Turn(NamedTuple):
    """What a delivery brings along to a system's call."""

    slot: float | None = None  # reserved for it before
    let_go: bool = False  # it waited in the journal, or has come with a slot: nobody is before it
    deferrals: int = 0  # how often it came back in vain


class Wanted(NamedTuple):
    """What a batch may want of one system."""

    slots: int = 0  # calls that have no slot yet
    places: int = 0  # deliveries that call it, so many at once at most


class Turns:
    """One system, as one invocation sees it.

    Args:
        limits: What is shared.
        name: The system.
        holder: A name for the invocation that no other has.
        until: When it ends.
        wanted: What its deliveries may want in all.
    """

    def __init__(self, limits: Limits, name: str, *, holder: str, until: float, wanted: Wanted) -> None:
        self.name = name
        self.api: Api = limits.systems[name]["api"]
        self.done = 0
        """Calls that have ended."""
        self._limits = limits
        self._clock = limits.clock
        self._holder = holder
        self._until = until
        self._wanted = wanted
        self._lock = threading.Lock()
        self._slots: list[float] = []
        self._asking = max(1, wanted.slots)  # calls that are yet to ask for a slot
        self._places = 0
        self._asked_at = 0.0  # when places were asked for the last time
        self._under_way = 0

    @contextmanager
    def taken(self, health: Health, turn: Turn) -> Iterator[None]:
        """Wait until a call may begin, and have its place while it is under way.

        Raises:
            Held: it may not begin within :data:`PATIENCE`.
        """
        rates = rates_of(self.api)
        if not rates:
            self._leave_alone(health, turn)
        slot = self._wait_for_slot(rates, health, turn, turn.slot) if rates else None
        self._take_place(health, turn)
        try:
            while slot is not None and self._clock.now() > slot + slack(rates):  # missed: it is void
                slot = self._wait_for_slot(rates, health, turn, None)
            with self._limits.under_way.one(self.name):
                yield
        finally:
            with self._lock:
                self._under_way -= 1
                self.done += 1

    def end(self) -> None:
        """Give back the places.

        Raises:
            AwsError: they could not be; they end by themselves.
        """
        if self._places:
            self._limits.concurrency.give_back(self.name, holder=self._holder)

    # ---- slots ----

    def _wait_for_slot(self, rates: list[Rate], health: Health, turn: Turn, reserved: float | None) -> float:
        """Wait for the delivery's own slot while it is good, or for the next one of the batch's."""
        slot = self._slot(rates, health, turn, reserved)
        if slot - self._clock.now() >= PATIENCE + _WHOLE:
            raise self._held("is called as often as it allows", at=slot, slot=True)
        self._clock.sleep(slot - self._clock.now())
        return slot

    def _slot(self, rates: list[Rate], health: Health, turn: Turn, reserved: float | None) -> float:
        now, good = self._clock.now(), slack(rates)
        if reserved is not None and max(now - good, health.held_until) <= reserved:
            return reserved
        with self._lock:
            self._slots = [slot for slot in self._slots if slot + good >= now and slot >= health.held_until]
            if not self._slots and (turn.let_go or not health.full):
                self._slots = self._limits.reservations.reserve(
                    self.name, rates, max(1, self._asking), start=health.held_until
                )
            self._asking -= 1
            if self._slots:
                return self._slots.pop(0)
        raise self._held("is called as often as it allows", full=True)

    # ---- places ----

    def _take_place(self, health: Health, turn: Turn) -> None:
        """Count a call as under way, when there is room for it."""
        limit = self.api.get("concurrency")
        if limit is None:
            with self._lock:
                self._under_way += 1
            return
        patience = self._clock.now() + PATIENCE
        while not self._has_place(limit, health, turn):
            # Of this batch's own calls one may end soon; others' do for those whose turn it is.
            if self._clock.now() >= patience or not (self._places or turn.let_go):
                raise self._held("has as many calls at once as it allows", full=True)
            self._clock.sleep(_LOOK)

    def _has_place(self, limit: int, health: Health, turn: Turn) -> bool:
        with self._lock:
            now = self._clock.now()
            may_ask = turn.let_go or not health.full  # or it would take the place of one that waits
            wants = self._under_way >= self._places < min(limit, self._wanted.places)
            if wants and may_ask and now >= self._asked_at + _ASK_AGAIN:
                self._asked_at = now
                self._places = self._limits.concurrency.lease(
                    self.name, limit, max(1, self._wanted.places), holder=self._holder, until=self._until
                )
            if self._under_way >= self._places:
                return False
            self._under_way += 1
            return True

    # ---- a system that wants to be left alone ----

    def _leave_alone(self, health: Health, turn: Turn) -> None:
        """Pass when it does not, or hardly any more.

        Many may come back then: later for each, and the more so the more often it came in vain.
        """
        wait = health.held_until - self._clock.now()
        if wait <= 0:
            return
        wait += deferral(turn.deferrals) * self._limits.jitter()
        if wait >= _MOMENT:
            at = self._clock.now() + wait if wait <= AHEAD else None
            raise self._held("wants no calls for now", at=at)
        self._clock.sleep(wait)

    def _held(self, why: str, *, at: float | None = None, slot: bool = False, full: bool = False) -> Held:
        return Held(f"{self.name} {why}", system=self.name, kind="limit", at=at, slot=slot, full=full)


def rates_of(api: Api) -> list[Rate]:
    """A system's limits of calls per time."""
    return [Rate(each["requests"], each["per"], each["burst"]) for each in api.get("rate_limits", [])]


def deferral(before: int) -> float:
    """Seconds: twice as long each time, so that what cannot be called circles ever more slowly."""
    return min(_FIRST_DEFERRAL * 2.0 ** min(before, 20), _LONGEST_DEFERRAL)

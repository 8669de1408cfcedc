"""Whether a call may begin, and when: asked before each call of a delivery, told what it came to after it.

One invocation asks for its whole batch: slots are reserved for all calls that its deliveries may make, and
calls at once are leased until it ends. A system without limits costs one cached read.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NamedTuple

from causeway.aws.errors import AwsError
from causeway.limiting.headers import hold
from causeway.limiting.rates import Rate, slack
from causeway.limiting.reservations import AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from causeway.calls.outcome import Answer, Refused
    from causeway.limiting.health import Health, Healths
    from causeway.limiting.leases import Concurrency
    from causeway.limiting.reservations import Reservations
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
        at: When to come back; None: when the scheduler says so.
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
    clock: Clock
    jitter: Callable[[], float]  # from 0 to 1
    unwritten: dict[str, tuple[float, int]]  # since when so many calls were answered that no count knows of


@dataclass
class _System:
    """What one invocation knows and has of one system."""

    name: str
    api: Api
    expected: int  # calls that are yet to ask for a slot
    lock: threading.Lock = field(default_factory=threading.Lock)
    slots: list[float] = field(default_factory=list)
    leased: int = 0
    asked_at: float = 0.0  # when a lease was asked for the last time
    under_way: int = 0
    calls: int = 0
    failures: int = 0

    @property
    def rates(self) -> list[Rate]:
        """Its limits of calls per time."""
        return [
            Rate(each["requests"], each["per"], each["burst"]) for each in self.api.get("rate_limits", [])
        ]


class Admissions:
    """One invocation's calls.

    Args:
        limits: What is shared.
        holder: A name for the invocation that no other has.
        until: When it ends.
        expected: For how many calls its deliveries have no slot yet, by system.
    """

    def __init__(self, limits: Limits, *, holder: str, until: float, expected: Mapping[str, int]) -> None:
        self._limits = limits
        self._holder = holder
        self._until = until
        self._expected = expected
        self._systems: dict[str, _System] = {}
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, name: str, *, slot: float | None = None, deferrals: int = 0) -> Iterator[Told]:
        """Wait until a call may begin, for as long as it is under way.

        Args:
            name: The system.
            slot: One that was reserved for this call before.
            deferrals: How often this delivery has come back because too many calls were under way.

        Raises:
            Held: it may not begin within :data:`PATIENCE`.
        """
        system = self._system(name)
        health = self._limits.healths.of(name)
        probing = self._pass_circuit(system, health)
        told = Told(self, system, probing=probing)
        try:
            self._pass_limits(system, health, slot, deferrals)
            try:
                yield told
            finally:
                with system.lock:
                    system.under_way -= 1
        finally:
            if told.probing:  # it said nothing of the system: the next one may probe
                self._limits.healths.probed(name, system.api["circuit_breaker"], healthy=None)

    def end(self) -> None:
        """Write what calls came to where some failed, and give back what was leased."""
        for system in self._systems.values():
            with suppress(AwsError):  # counts are no promise, and leases end by themselves
                if system.leased:
                    self._limits.concurrency.give_back(system.name, holder=self._holder)
            with suppress(AwsError):
                self._count(system)

    def _system(self, name: str) -> _System:
        with self._lock:
            if name not in self._systems:
                api = self._limits.systems[name]["api"]
                self._systems[name] = _System(name, api, max(1, self._expected.get(name, 1)))
            return self._systems[name]

    def _pass_circuit(self, system: _System, health: Health) -> bool:
        """Whether this call is the probe of an open circuit."""
        if not health.is_open or "circuit_breaker" not in system.api:
            return False
        if health.may_be_probed(self._limits.clock.now()) and self._limits.healths.probe(
            system.name, until=self._until
        ):
            return True
        raise Held(f"{system.name} does not answer: its circuit is open", system=system.name, kind="circuit")

    def _pass_limits(self, system: _System, health: Health, slot: float | None, deferrals: int) -> None:
        """Return when the call may begin, and is counted as under way."""
        clock, rates = self._limits.clock, system.rates
        if not rates:
            self._wait_until(system, self._spread(health.held_until, deferrals))
            self._begin(system, deferrals)
            return
        begun = False
        try:
            while True:
                slot = self._slot(system, rates, health, slot)
                self._wait_until(system, slot, slot=True)
                if not begun:
                    self._begin(system, deferrals)
                    begun = True
                if clock.now() <= slot + slack(rates):
                    return
                slot = None  # missed: it is void
        except BaseException:
            if begun:
                with system.lock:
                    system.under_way -= 1
            raise

    def _slot(self, system: _System, rates: list[Rate], health: Health, reserved: float | None) -> float:
        """The delivery's own slot while it is good, or the next of the batch's, or new ones for all of it."""
        now, good = self._limits.clock.now(), slack(rates)
        if reserved is not None and max(now - good, health.held_until) <= reserved:
            return reserved
        with system.lock:
            system.slots = [slot for slot in system.slots if slot + good >= now and slot >= health.held_until]
            if not system.slots and not health.full:
                system.slots = self._limits.reservations.reserve(
                    system.name, rates, max(1, system.expected), start=health.held_until
                )
            system.expected -= 1
            if system.slots:
                return system.slots.pop(0)
        raise Held(
            f"{system.name} is called as often as it allows", system=system.name, kind="limit", full=True
        )

    def _wait_until(self, system: _System, moment: float, *, slot: bool = False) -> None:
        """Wait for a moment that is near.

        Raises:
            Held: it is not.
        """
        clock = self._limits.clock
        wait = moment - clock.now()
        if wait >= (PATIENCE + _WHOLE if slot else _MOMENT):
            why = "is called as often as it allows" if slot else "wants no calls for now"
            at = moment if wait <= AHEAD else None
            raise Held(f"{system.name} {why}", system=system.name, kind="limit", at=at, slot=slot)
        if wait > 0:
            clock.sleep(wait)

    def _spread(self, moment: float, deferrals: int) -> float:
        """A moment at which many may come, later for each, and the more so the more often it came in vain."""
        if moment <= self._limits.clock.now():
            return moment
        return moment + _deferral(deferrals) * self._limits.jitter()

    def _begin(self, system: _System, deferrals: int) -> None:
        """Count a call as under way, when there is room for it.

        Raises:
            Held: there is none for longer than is waited.
        """
        limit = system.api.get("concurrency")
        clock = self._limits.clock
        until = clock.now() + PATIENCE
        while not self._has_room(system, limit):
            # Of this batch's own calls one may end soon; of others', nobody here knows.
            if clock.now() >= until or not system.leased:
                wait = _deferral(deferrals) * (1 + self._limits.jitter())
                raise Held(
                    f"{system.name} has as many calls at once as it allows",
                    system=system.name,
                    kind="limit",
                    at=clock.now() + wait,
                )
            clock.sleep(_LOOK)

    def _has_room(self, system: _System, limit: int | None) -> bool:
        with system.lock:
            now = self._limits.clock.now()
            if limit is not None and not system.leased and now >= system.asked_at + _ASK_AGAIN:
                system.asked_at = now
                system.leased = self._limits.concurrency.lease(
                    system.name,
                    limit,
                    max(1, self._expected.get(system.name, 1)),
                    holder=self._holder,
                    until=self._until,
                )
            if limit is not None and system.under_way >= system.leased:
                return False
            system.under_way += 1
            return True

    def _heard(self, system: _System, answer: Answer | None, *, failed: bool | None) -> None:
        now = self._limits.clock.now()
        seconds = hold(answer, now=now) if answer is not None else None
        if seconds is not None:
            self._limits.healths.hold(system.name, now + seconds)
        if failed is not None and "circuit_breaker" in system.api:
            with system.lock:
                system.calls += 1
                system.failures += failed

    def _count(self, system: _System) -> None:
        if not system.calls:
            return
        rule, now = system.api["circuit_breaker"], self._limits.clock.now()
        since, before = self._limits.unwritten.pop(system.name, (now, 0))
        if since < now - rule["within"]:
            since, before = now, 0
        if not system.failures:
            self._limits.unwritten[system.name] = since, before + system.calls
            return
        self._limits.healths.count(system.name, rule, calls=before + system.calls, failures=system.failures)


def _deferral(before: int) -> float:
    """Seconds: twice as long each time, so that what cannot be called circles ever more slowly."""
    return min(_FIRST_DEFERRAL * 2.0 ** min(before, 20), _LONGEST_DEFERRAL)


class Told:
    """What is told of a call that was admitted."""

    def __init__(self, admissions: Admissions, system: _System, *, probing: bool) -> None:
        self._admissions = admissions
        self._system = system
        self.probing = probing

    def answered(self, answer: Answer) -> None:
        """The system did what it was asked."""
        self._tell(answer, failed=False)

    def refused(self, refused: Refused) -> None:
        """It did not. That it has had enough, or refuses this very call, says nothing against its health."""
        answer = refused.answer
        if answer is None:
            self._tell(None, failed=None if refused.kind == "address" else True)
        elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._tell(answer, failed=None if refused.retry_after else True)
        else:
            self._tell(answer, failed=None if answer.status == HTTPStatus.TOO_MANY_REQUESTS else False)

    def _tell(self, answer: Answer | None, *, failed: bool | None) -> None:
        admissions, system = self._admissions, self._system
        admissions._heard(system, answer, failed=failed)  # noqa: SLF001 - its own part
        if self.probing and failed is not None:
            self.probing = False
            admissions._limits.healths.probed(  # noqa: SLF001
                system.name, system.api["circuit_breaker"], healthy=not failed
            )

"""One invocation's calls: whether each may begin, and when; told what it came to.

A circuit is asked first, then the limits (:mod:`~causeway.limiting.turns`). A system without limits that is
well costs one cached read.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.limiting.headers import hold
from causeway.limiting.turns import Held, Turn, Turns, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.calls.outcome import Answer, Refused
    from causeway.limiting.health import Health
    from causeway.limiting.turns import Limits


class Admissions:
    """One invocation's calls.

    Args:
        limits: What is shared.
        holder: A name for the invocation that no other has.
        until: When it ends.
        wanted: What its deliveries may want, by system.
    """

    def __init__(self, limits: Limits, *, holder: str, until: float, wanted: Mapping[str, Wanted]) -> None:
        self.limits = limits
        self.until = until
        self._holder = holder
        self._wanted = wanted
        self._systems: dict[str, _System] = {}
        self._lock = threading.Lock()

    @contextmanager
    def calling(self, name: str, turn: Turn) -> Iterator[Call]:
        """A call of a delivery, from before its first request until it is known what it came to."""
        call = Call(self, self._system(name), turn)
        try:
            yield call
        finally:
            call.end()

    def end(self) -> dict[str, int]:
        """Write what calls came to where some failed, and give back places.

        Returns:
            How many calls were carried out, by system.
        """
        for system in self._systems.values():
            with suppress(AwsError):  # places end by themselves, and counts are no promise
                system.turns.end()
            with suppress(AwsError):
                system.count(self.limits)
        return {name: system.turns.done for name, system in self._systems.items()}

    def _system(self, name: str) -> _System:
        with self._lock:
            if name not in self._systems:
                turns = Turns(
                    self.limits,
                    name,
                    holder=self._holder,
                    until=self.until,
                    wanted=self._wanted.get(name, Wanted()),
                )
                self._systems[name] = _System(turns)
            return self._systems[name]


class _System:
    """What one invocation knows of a system."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._lock = threading.Lock()
        self._calls: list[tuple[float, bool]] = []  # when they began, and whether they failed

    def heard(self, began: float, *, failed: bool) -> None:
        """Remember what a call came to, for the circuit."""
        with self._lock:
            self._calls.append((began, failed))

    def count(self, limits: Limits) -> None:
        """Write it when something failed, with all that succeeded since it was written the last time."""
        if not self._calls or "circuit_breaker" not in self.turns.api:
            return
        name, rule = self.turns.name, self.turns.api["circuit_breaker"]
        now = limits.clock.now()
        since, before = limits.unwritten.pop(name, (now, 0))
        if since < now - rule["within"]:
            since, before = now, 0
        if not any(failed for _, failed in self._calls):
            limits.unwritten[name] = since, before + len(self._calls)
            return
        limits.healths.count(name, rule, self._calls, before=(since, before))


class Call:
    """One call of a delivery: its requests, of which there are two when a 401 renews a token."""

    def __init__(self, admissions: Admissions, system: _System, turn: Turn) -> None:
        self._admissions = admissions
        self._limits = admissions.limits
        self._system = system
        self._turn = turn
        self._began: float | None = None
        self._probing = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Wait until a request may go out, for as long as it is under way.

        Raises:
            Held: it may not soon.
        """
        turns = self._system.turns
        health = self._limits.healths.of(turns.name)
        self._probing = self._probing or self._pass_circuit(health)
        turn, self._turn = self._turn, self._turn._replace(slot=None)
        with turns.taken(health, turn):
            self._began = self._began or self._limits.clock.now()
            yield

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

    def end(self) -> None:
        """Let somebody else probe, if this call was to and said nothing of the system's health."""
        self._probed(healthy=None)

    def _pass_circuit(self, health: Health) -> bool:
        """Whether this call is the probe of an open circuit."""
        name, healths = self._system.turns.name, self._limits.healths
        if not health.is_open or "circuit_breaker" not in self._system.turns.api:
            return False
        if health.may_be_probed(self._limits.clock.now()) and healths.probe(
            name, until=self._admissions.until
        ):
            return True
        raise Held(f"{name} does not answer: its circuit is open", system=name, kind="circuit")

    def _tell(self, answer: Answer | None, *, failed: bool | None) -> None:
        now = self._limits.clock.now()
        seconds = hold(answer, now=now) if answer is not None else None
        if seconds is not None:
            self._limits.healths.hold(self._system.turns.name, now + seconds)
        if failed is not None:
            self._system.heard(self._began or now, failed=failed)
            self._probed(healthy=not failed)

    def _probed(self, *, healthy: bool | None) -> None:
        if self._probing:
            self._probing = False
            system = self._system.turns
            self._limits.healths.probed(system.name, system.api["circuit_breaker"], healthy=healthy)

"""What routes work with: a running stack."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar

from causeway.api.problems import Fault, Problem, bad
from causeway.operations.integrations import book, circuit, live, mapped
from causeway.watching.report import RUNBOOKS_HERE, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.delivery.pauses import Pauses
    from causeway.limiting.health import Healths
    from causeway.operations.deliveries import Deliveries
    from causeway.operations.ledger import Ledger
    from causeway.operations.overview import Overview
    from causeway.operations.replays import Replays
    from causeway.operations.showing import Showing
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock
    from causeway.watching.alarms import Alarms
    from causeway.watching.standing import Standings

T = TypeVar("T")

FRESH_FOR = 5.0
"""Seconds that an instance shows what it read: many who look at once cost as much as one."""


class Seen(Generic[T]):
    """What was read at most five seconds ago."""

    def __init__(self, read: Callable[[float], T]) -> None:
        self._read = read
        self._last: tuple[float, T] | None = None

    def at(self, now: float) -> T:
        """The same as a moment ago, or read anew."""
        if self._last is None or not 0 <= now - self._last[0] < FRESH_FOR:
            self._last = now, self._read(now)
        return self._last[1]

    def forget(self) -> None:
        """Read anew the next time."""
        self._last = None


@dataclass
class Stack:
    """One stack and its map."""

    plan: Plan
    deliveries: Deliveries
    showing: Showing
    overview: Overview
    replays: Replays
    pauses: Pauses
    healths: Healths
    ledger: Ledger
    standings: Standings
    alarms: Alarms
    clock: Clock
    runbooks: str = RUNBOOKS_HERE

    def __post_init__(self) -> None:
        self._integrations = Seen(self._read_integrations)
        self._findings = Seen(self._read_findings)

    def named(self, name: str | None, place: str) -> list[str]:
        """The integrations that a filter in a query or body means.

        Raises:
            Problem: the map has no such integration.
        """
        if name is None:
            return sorted(self.plan.integrations)
        if name not in self.plan.integrations:
            raise bad([Fault("integration", place, self._unknown(name))])
        return [name]

    def existing(self, name: str) -> str:
        """An integration that a path names.

        Raises:
            Problem: the map has no such integration.
        """
        if name not in self.plan.integrations:
            raise Problem(HTTPStatus.NOT_FOUND, self._unknown(name))
        return name

    def integrations(self) -> list[dict[str, JSON]]:
        """Every integration as it is, at most five seconds ago."""
        return self._integrations.at(self.clock.now())

    def findings(self) -> dict[str, JSON]:
        """What the watchdog knows, as of at most five seconds ago."""
        return self._findings.at(self.clock.now())

    def forget(self) -> None:
        """Look anew the next time: something has been changed."""
        self._integrations.forget()
        self._findings.forget()

    def _read_integrations(self, now: float) -> list[dict[str, JSON]]:
        healths = {health.system: health for health in self.healths.all()}
        kept = self.ledger.last(now)
        shown = []
        for found in self.overview.integrations(sorted(self.plan.integrations)):
            of_map = mapped(self.plan.integrations[found.name])
            of_now = {"circuit": circuit(of_map["calls"], healths, now), "book": book(kept, found.name)}
            shown.append(live(found, now) | of_map | of_now)
        return shown

    def _read_findings(self, now: float) -> dict[str, JSON]:
        return report(self.standings, self.alarms, self.plan, now, runbooks=self.runbooks)

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self.plan.integrations)) or "none"
        return f"the map has no integration {name!r}; it has: {known}"

"""What routes work with: a running stack."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from causeway.api.problems import Fault, Problem, bad
from causeway.operations.integrations import book, circuit, live, mapped
from causeway.operations.overview import LOOKS_BACK
from causeway.settings.clock import rfc3339
from causeway.watching.windows import elapsed

if TYPE_CHECKING:
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

FRESH_FOR = 5.0
"""Seconds that an instance shows what it read of integrations: many who look at once cost as much as one."""


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
    clock: Clock
    _seen: tuple[float, list[dict[str, JSON]]] | None = None

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
        now = self.clock.now()
        if self._seen is None or not 0 <= now - self._seen[0] < FRESH_FOR:
            healths = {health.system: health for health in self.healths.all()}
            kept = self.ledger.last(now)
            shown = []
            for found in self.overview.integrations(sorted(self.plan.integrations)):
                of_map = mapped(self.plan.integrations[found.name])
                of_now = {
                    "circuit": circuit(of_map["calls"], healths, now),
                    "book": book(kept, found.name),
                    "silent_since": _silent_since(found.last_event, of_map, now),
                }
                shown.append(live(found, now) | of_map | of_now)
            self._seen = now, shown
        return self._seen[1]

    def forget(self) -> None:
        """Look anew the next time: something has been changed."""
        self._seen = None

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self.plan.integrations)) or "none"
        return f"the map has no integration {name!r}; it has: {known}"


def _silent_since(last: float | None, of_map: dict[str, Any], now: float) -> str | None:
    """Since when nothing has come, where that is longer than it may be; None: it is not, or not known to be.

    Of what came before the overview looks back it is known only that it is longer ago.
    """
    expected = of_map["expect_every"]
    since = now - LOOKS_BACK if last is None else last
    if expected is None or elapsed(of_map["during"], since, now) < expected:
        return None
    return rfc3339(since)

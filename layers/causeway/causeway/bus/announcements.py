"""What Causeway itself puts on the stack's bus, and what the rule brings from there.

An integration may take the stack's own announcements, to undo what a dead delivery had done. Two things would
go in circles, and are not brought: an announcement of a delivery that was itself of an announcement, which
says so (``of_announcement``), and what integrations put on the bus as their target. So an announcement leads
to deliveries, and their deaths to announcements that lead to none. What the watchdog announces of an
integration that may take announcements says so, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.bus.patterns import matches
from causeway.plan.sources import BUS

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Source

SOURCE = "causeway"
"""The source of announcements. Integrations' targets have ``causeway.INTEGRATION``."""

DEAD = "causeway.delivery.dead"
PAUSED = "causeway.integration.paused"
SILENT = "causeway.integration.silent"
RECOVERED = "causeway.integration.recovered"
CIRCUIT_OPENED = "causeway.circuit.opened"

TYPES = (DEAD, PAUSED, SILENT, RECOVERED, CIRCUIT_OPENED)
"""The types of announcements."""

RULE: dict[str, JSON] = {
    "$or": [
        {"source": [{"anything-but": {"prefix": SOURCE}}]},
        {"source": [SOURCE], "detail": {"of_announcement": [False]}},
    ]
}
"""The pattern of the template's rule. It is asked again of what comes."""


def of_announcement(system: str, event_type: str | None) -> bool:
    """Whether a delivery is of an announcement; what is announced of it is not brought."""
    return system == BUS and event_type in TYPES


def may_take(source: Source) -> bool:
    """Whether an integration may be brought announcements; then none of those of itself is."""
    pattern = source.get("bus")
    if pattern is None:
        return False
    return "source" not in pattern or matches({"source": pattern["source"]}, {"source": SOURCE})

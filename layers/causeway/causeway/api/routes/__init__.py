"""All routes, a module for each subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.api.routes import deliveries, description, findings, health, integrations, replays

if TYPE_CHECKING:
    from causeway.api.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *health.OPERATIONS,
    *findings.OPERATIONS,
    *integrations.OPERATIONS,
    *deliveries.OPERATIONS,
    *replays.OPERATIONS,
    *description.OPERATIONS,
)
"""In the order of the description."""

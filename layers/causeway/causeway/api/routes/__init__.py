"""All routes, a module for each subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.api.routes import deliveries, findings, health, integrations, replays
from causeway.api.routes.description import describing

if TYPE_CHECKING:
    from causeway.api.operation import Operation

_DESCRIBED = (
    *health.OPERATIONS,
    *findings.OPERATIONS,
    *integrations.OPERATIONS,
    *deliveries.OPERATIONS,
    *replays.OPERATIONS,
)

OPERATIONS: tuple[Operation, ...] = (*_DESCRIBED, describing(_DESCRIBED))
"""In the order of the description."""

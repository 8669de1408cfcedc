"""What an integration takes, and from whom: one place for the four kinds of sources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Source

BUS = "bus"
"""The system of events from the stack's bus."""

REQUESTS = "requests"
"""The system of what clients ask."""

RESERVED = (BUS, REQUESTS)
"""Names that no system may have: they stand for sources that are no systems."""


def system_of(source: Source) -> str:
    """The system in a delivery's identity: the one that is named, or a reserved name."""
    if "bus" in source:
        return BUS
    return source.get("system", REQUESTS)


def taken_by(source: Source) -> str:
    """What it takes, for people: ``orders/paid``, ``poll orders``, a pattern."""
    if "bus" in source:
        return json.dumps(source["bus"])
    if "poll" in source:
        return f"poll {source['poll']}"
    return ", ".join(source["events"]) if "events" in source else "requests"

"""Whether the map has what something is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.plan import Plan
    from causeway.watching.finding import Subject


def is_mapped(plan: Plan, kind: Subject, name: str) -> bool:
    """Whether there is such an integration, system or poll (``system/poll``); the stack is always there."""
    if kind == "integration":
        return name in plan.integrations
    if kind == "system":
        return name in plan.systems
    if kind == "poll":
        system, _, poll = name.partition("/")
        return system in plan.systems and poll in plan.systems[system].get("polls", {})
    return True

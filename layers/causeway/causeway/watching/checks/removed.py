"""What is open of integrations that the map does not have any more: nobody else looks at it.

Their owners are not known any more either, so it is the operator's. It is seen while little enough is open to
be read at once (:data:`causeway.watching.world.READ_AT_ONCE`); beyond that, what was told goes on standing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.watching.finding import CannotTellError, Finding
from causeway.watching.spans import count, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Item
    from causeway.watching.world import World

UNDER_WAY = 3600.0
"""Seconds for which deliveries may wait for a deployment that knows their integration."""


def removed(world: World, now: float) -> Iterator[Finding]:
    """Deliveries of an integration are open that the map does not have."""
    everything = world.open
    if everything is None:
        raise CannotTellError("more is open than is read at once")
    for name in sorted(everything.keys() - world.plan.integrations.keys()):
        items = [item for item in everything[name] if _counts(item, now)]
        if items:
            yield _finding(world, name, items)


def _counts(item: Item, now: float) -> bool:
    if item["open_at"].startswith("dead"):
        return bool(item.get("expires_at", now) >= now)
    return bool(now - item["accepted_at"] > UNDER_WAY)


def _finding(world: World, name: str, items: list[Item]) -> Finding:
    return Finding(
        check="removed",
        subject=name,
        level="warning",
        what=f"{count(len(items), 'delivery')} of {name}, which the map does not have, cannot be made",
        cause="the integration was removed or renamed while deliveries of it were under way",
        next_step=(
            f"deploy it again under this name, then `causeway replay --integration {name}`; dead letters "
            f"that nobody wants are deleted after {span(world.means.settings.keep_dead)}"
        ),
        since=min(item["accepted_at"] for item in items),
        value=len(items),
        unit="delivery",
    )

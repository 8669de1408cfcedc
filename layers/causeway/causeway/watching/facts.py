"""What a run of the watchdog knows of one integration."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed, of_both
from causeway.delivery.pauses import Pause
from causeway.watching.once import once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.aws.table import Item
    from causeway.plan.records import Integration
    from causeway.watching.world import World

COUNTED = 100
"""So many open deliveries are counted in each of an integration's sixteen shards."""


@dataclass(frozen=True)
class Open:
    """The open deliveries of one status, oldest acceptance first in each shard, up to a bound."""

    items: Sequence[Item]
    more: bool = False

    @property
    def oldest(self) -> Item | None:
        """The one that was accepted first."""
        return min(self.items, key=lambda item: item["accepted_at"], default=None)


class Facts:
    """One integration; what is read is read once, and raises ``AwsError`` as AWS does.

    Args:
        world: Of which stack.
        integration: Its record.
    """

    def __init__(self, world: World, integration: Integration) -> None:
        self.world = world
        self.integration = integration
        self.name = integration["name"]

    @property
    def pause(self) -> Pause:
        """Whether it is paused, and ever was."""
        return self.world.pauses.get(self.name, Pause(self.name))

    @property
    def waiting(self) -> Open:
        """Deliveries that were begun and are neither delivered nor dead."""
        return self._open["waiting"]

    @property
    def dead(self) -> Open:
        """Dead letters that can still be replayed."""
        return self._open["dead"]

    @once
    def _open(self) -> Mapping[str, Open]:
        everything = self.world.open
        if everything is None:
            shards = [self._shard(shard) for shard in SHARDS]
        else:
            shards = [_by_status(everything.get(self.name, []))]
        now = self.world.means.clock.now()
        return {
            status: Open(
                [
                    item
                    for each in shards
                    for item in each[status].items
                    if item.get("expires_at", now) >= now
                ],
                any(each[status].more for each in shards),
            )
            for status in ("waiting", "dead")
        }

    def _shard(self, shard: str) -> Mapping[str, Open]:
        """One query, unless there is more than is counted: then those that were accepted first."""
        journal = self.world.means.journal
        items = list(islice(of_both(journal, self.name, shard, page=COUNTED), COUNTED + 1))
        if len(items) <= COUNTED:
            return _by_status(items)
        return {status: self._first(shard, status) for status in ("waiting", "dead")}

    def _first(self, shard: str, status: str) -> Open:
        found = listed(self.world.means.journal, self.name, shard, status, page=COUNTED)
        items = list(islice(found, COUNTED + 1))
        return Open(items[:COUNTED], len(items) > COUNTED)


def _by_status(items: Sequence[Item]) -> Mapping[str, Open]:
    return {
        status: Open([item for item in items if item["open_at"].startswith(status)])
        for status in ("waiting", "dead")
    }

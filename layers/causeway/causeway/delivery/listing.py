"""What is open, as the journal's index ``open`` lists it: by integration, status and time of acceptance.

The index has sixteen shards for each integration. A walk goes through them one after the other, in batches of
a size that its caller chooses, and can go on in another process from the position that it was left at.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from causeway.delivery.journal import PART, SHARDS
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON

BEGINNING: JSON = {"shard": 0}
"""The position of a walk that has not begun."""

_QUERIES = 64
"""A batch asks so many shards at most, however few deliveries they hold."""


def listed(
    table: Table,
    integration: str,
    shard: str,
    status: str,
    *,
    since: float | None = None,
    until: float | None = None,
    after: Item | None = None,
    newest_first: bool = False,
    page: int = 100,
) -> Iterator[Item]:
    """The open deliveries in one shard, by their acceptance.

    Args:
        table: The journal.
        integration: Whose.
        shard: One of ``SHARDS``.
        status: ``waiting`` or ``dead``.
        since: Accepted then or later.
        until: Accepted then or earlier.
        after: Only what comes after this item, in this order.
        newest_first: From the youngest to the oldest.
        page: Read so many at a time.
    """
    low = f"{status}#{rfc3339(since) if since is not None else ''}"
    high = f"{status}#{rfc3339(until) if until is not None else '~'}"
    hash_key = ("open_shard", f"{integration}#{shard}")
    return table.between(
        hash_key, ("open_at", low, high), index="open", after=after, newest_first=newest_first, page=page
    )


def of_both(table: Table, integration: str, shard: str, *, page: int) -> Iterator[Item]:
    """The open deliveries in one shard, dead and waiting, each by their acceptance, the last first."""
    hash_key = ("open_shard", f"{integration}#{shard}")
    bounds = ("open_at", "dead#", "waiting#~")
    return table.between(hash_key, bounds, index="open", newest_first=True, page=page)


def walk(
    table: Table,
    integrations: Sequence[str],
    status: str,
    *,
    position: JSON,
    limit: int,
    since: float | None = None,
    until: float | None = None,
) -> tuple[list[Item], JSON]:
    """The next batch of open deliveries, and the position after it; None: there are no more.

    Args:
        table: The journal.
        integrations: Whose, in an order that stays the same.
        status: ``waiting`` or ``dead``.
        position: Where the batch before ended; at first :data:`BEGINNING`.
        limit: So many at most.
        since: Accepted then or later.
        until: Accepted then or earlier.
    """
    places = [(integration, shard) for integration in integrations for shard in SHARDS]
    first, after = position["shard"], position.get("after")
    found: list[Item] = []
    last = min(first + _QUERIES, len(places))
    for number in range(first, last):
        integration, shard = places[number]
        wanted = limit - len(found)
        batch = listed(
            table, integration, shard, status, since=since, until=until, after=after, page=min(wanted, 100)
        )
        found += islice(batch, wanted)
        after = None
        if len(found) == limit:
            return found, {"shard": number, "after": _keys(found[-1])}
    return found, ({"shard": last} if last < len(places) else None)


def _keys(item: Item) -> Item:
    return {"id": item["id"], "part": PART, "open_shard": item["open_shard"], "open_at": item["open_at"]}

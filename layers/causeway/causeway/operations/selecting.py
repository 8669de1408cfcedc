"""Which deliveries a replay means, in bounded batches that go on where the last one ended.

The dead are in the journal's index of what is open. What was delivered is on its pages, by hour of
acceptance; a replay that goes well lists its deliveries there anew, so only what was delivered before the
replay began counts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from causeway.delivery.beside import PART as EVENT
from causeway.delivery.beside import holds_event
from causeway.delivery.journal import PART
from causeway.delivery.listing import walk
from causeway.delivery.pages import delivered_on, page_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON

BEGINNING: JSON = {}
"""The position at which nothing has been looked at."""

_HOUR = 3600.0
_PAGES = 64
"""A batch looks at the pages of so many hours and integrations at most, however few deliveries they list."""

_AT_ONCE = 16


@dataclass(frozen=True)
class Selection:
    """Which deliveries."""

    integrations: Sequence[str]
    status: Literal["dead", "delivered"] = "dead"
    error: str | None = None  # the reason's class; of dead ones only
    since: float | None = None  # accepted then or later
    until: float | None = None  # accepted then or earlier


def batch(
    journal: Table, selection: Selection, *, began_at: float, position: JSON, limit: int
) -> tuple[list[Item], JSON]:
    """The next deliveries, and the position after them; None: there are no more.

    Args:
        journal: The journal's table.
        selection: Which; of delivered ones ``since`` and ``until`` must be given.
        began_at: What was delivered later does not count.
        position: Where the batch before ended; at first :data:`BEGINNING`.
        limit: So many at most.
    """
    if selection.status == "delivered":
        ids, position = _delivered(journal, selection, began_at, position, limit)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda id_: journal.get(id_, PART), dict.fromkeys(ids)))
        return [item for item in found if item and _still_delivered(item, began_at)], position
    items, position = walk(
        journal,
        selection.integrations,
        "dead",
        position=position or {"shard": 0},
        limit=limit,
        since=selection.since,
        until=selection.until,
    )
    return [item for item in items if selection.error in (None, item["error"])], position


def with_events(journal: Table, items: Iterable[Item]) -> list[Item]:
    """Those of these deliveries whose events are kept, so that they can be replayed."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        items = list(items)
        kept = pool.map(lambda item: _is_kept(journal, item), items)
        return [item for item, is_kept in zip(items, kept, strict=True) if is_kept]


def _is_kept(journal: Table, item: Item) -> bool:
    beside = journal.get(item["id"], EVENT)
    return beside is not None and beside["acceptance"] == item["acceptance"] and holds_event(beside)


def _still_delivered(item: Item, began_at: float) -> bool:
    return bool(item["status"] == "delivered" and item["updated_at"] <= began_at)


def _delivered(
    journal: Table, selection: Selection, began_at: float, position: JSON, limit: int
) -> tuple[list[str], JSON]:
    """The ids on the next pages, and the position after them."""
    assert selection.since is not None
    assert selection.until is not None
    first_hour = int(selection.since // _HOUR)
    hours = range(first_hour, int(selection.until // _HOUR) + 1)
    names = selection.integrations
    begin, places = position.get("place", 0), len(hours) * len(names)
    last = min(begin + _PAGES, places)
    found: list[str] = []
    for number in range(begin, last):
        hour, integration = hours[number // len(names)] * _HOUR, names[number % len(names)]
        part, skipped = position.get("part", " "), position.get("line", 0)
        position = BEGINNING  # of the pages after this one all is wanted
        for page in journal.between(("id", page_of(integration, hour)), ("part", part, "~")):
            for line, entry in enumerate(delivered_on(page)):
                if page["part"] == part and line < skipped:
                    continue
                if len(found) == limit:
                    return found, {"place": number, "part": page["part"], "line": line}
                if selection.since <= entry.accepted_at <= selection.until and entry.at <= began_at:
                    found.append(entry.delivery)
    return found, ({"place": last} if last < places else None)

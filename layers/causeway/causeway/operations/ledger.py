"""The books of the last days as the watchdog keeps them in the state: an item for each hour.

An hour is read out of the logs once, slice by slice, so that no run has more to read than it has time for,
and what is counted is kept. Then the journal is asked; of an hour whose books do not close it is asked again,
since what was still under way comes to its end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.operations.books import HOUR, LATE, Book
from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.table import Item, Table

ID = "books#hours"
"""The hash key; the range key is the hour's beginning."""

KEPT_FOR = 14 * 86_400.0
"""Seconds for which an hour is kept."""

SLICE = 300.0
"""Seconds of a log that are read at once."""

SLICES = int((HOUR + LATE) / SLICE)
"""So many slices of each log say what was accepted in an hour."""

_COUNTS = ("accepted", "delivered", "waiting", "dead", "duplicates")


@dataclass
class Kept:
    """One hour."""

    hour: float
    read: int = 0  # slices of logs, one log after the other
    accepted: Counter[str] = field(default_factory=Counter)
    closed_at: float | None = None  # when the journal was last asked; None: never
    books: Mapping[str, Book] = field(default_factory=dict)  # of integrations that had anything

    @property
    def unaccounted(self) -> int:
        """So many were accepted and are nowhere."""
        return sum(book.unaccounted for book in self.books.values())


class Ledger:
    """The items. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, state: Table) -> None:
        self._state = state

    def between(self, first: float, last: float) -> list[Kept]:
        """The hours that are kept, from the first to the last."""
        bounds = ("part", rfc3339(first), rfc3339(last))
        return [_kept(item) for item in self._state.between(("id", ID), bounds)]

    def last(self, now: float) -> Kept | None:
        """The last hour whose books were looked at."""
        hours = self._state.between(
            ("id", ID), ("part", rfc3339(now - KEPT_FOR), rfc3339(now)), newest_first=True, page=2
        )
        return next((kept for item in hours if (kept := _kept(item)).closed_at is not None), None)

    def write(self, kept: Kept) -> None:
        """Keep an hour, as it is by now."""
        books = {name: [getattr(book, count) for count in _COUNTS] for name, book in kept.books.items()}
        self._state.put(
            {
                "id": ID,
                "part": rfc3339(kept.hour),
                "read": kept.read,
                "accepted": dict(kept.accepted),
                "closed_at": kept.closed_at,
                "books": books,
                "expires_at": int(kept.hour + KEPT_FOR),
            }
        )


def _kept(item: Item) -> Kept:
    hour = from_rfc3339(item["part"])
    books = {
        name: Book(name, hour, **dict(zip(_COUNTS, counts, strict=True)))
        for name, counts in item["books"].items()
    }
    return Kept(hour, item["read"], Counter(item["accepted"]), item["closed_at"], books)

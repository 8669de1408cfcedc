"""The books of the last days as the watchdog keeps them in the state: an item for each hour.

An hour is read out of the logs once, slice by slice, so that no run has more to read than it has time for,
and what was accepted is kept, in items of its own by integration: an hour has more of it than an item, or a
run's memory, has room for. Then the journal is asked; of an hour whose books do not close it is asked again,
since what was still under way comes to its end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.acceptance.lines import PART, Accepted
from causeway.operations.books import HOUR, LATE, NAMED, Book
from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causeway.aws.table import Item, Table

ID = "books#hours"
"""The hash key; the range key is the hour's beginning."""

KEPT_FOR = 14 * 86_400.0
"""Seconds for which an hour is kept."""

SLICE = 300.0
"""Seconds of a log that are read at once."""

SLICES = int((HOUR + LATE) / SLICE)
"""So many slices of each log say what was accepted in an hour."""

_COUNTS = ("accepted", "delivered", "waiting", "dead", "duplicates", "unaccounted")
_NAMED_OF_ALL = 300  # of an hour: DynamoDB takes 400 KB of one item


@dataclass
class Kept:
    """One hour."""

    hour: float
    read: int = 0  # slices of logs, one log after the other
    accepted: set[str] = field(default_factory=set)  # the integrations for which anything was
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

    def note(self, kept: Kept, first: int, accepted: Mapping[str, Sequence[Accepted]]) -> None:
        """Keep what was accepted, by integration, and then that the hour's slices are read so far.

        Args:
            kept: The hour; ``read`` says how far.
            first: The slice with which this begins. What was kept of it before without the hour, by a run
                that was cut off, is kept beside it: it is the same.
            accepted: What the slices say.
        """
        for integration, rows in accepted.items():
            for at in range(0, len(rows), PART):
                self._state.put(
                    {
                        "id": _accepted_id(integration, kept.hour),
                        "part": f"{first:03d}#{at:08d}",
                        "rows": json.dumps(rows[at : at + PART]),
                        "expires_at": int(kept.hour + KEPT_FOR),
                    }
                )
        kept.accepted |= accepted.keys()
        self.write(kept)

    def accepted(self, hour: float, integration: str) -> Iterator[Accepted]:
        """What was accepted in an hour; some of it may come twice."""
        for item in self._state.parts(_accepted_id(integration, hour)):
            yield from (Accepted(*each) for each in json.loads(item["rows"]))

    def write(self, kept: Kept) -> None:
        """Keep an hour, as it is by now."""
        books = {name: [getattr(book, count) for count in _COUNTS] for name, book in kept.books.items()}
        open_ = [book for book in kept.books.values() if book.lost]
        named = max(1, min(NAMED, _NAMED_OF_ALL // max(1, len(open_))))  # of each, if of each one can be
        self._state.put(
            {
                "id": ID,
                "part": rfc3339(kept.hour),
                "read": kept.read,
                "accepted": sorted(kept.accepted),
                "closed_at": kept.closed_at,
                "books": books,
                "lost": {book.integration: json.dumps(book.lost[:named]) for book in open_[:_NAMED_OF_ALL]},
                "expires_at": int(kept.hour + KEPT_FOR),
            }
        )


def _accepted_id(integration: str, hour: float) -> str:
    return f"books#accepted#{integration}#{rfc3339(hour)}"


def _kept(item: Item) -> Kept:
    hour = from_rfc3339(item["part"])
    lost = {name: tuple(Accepted(*each) for each in json.loads(rows)) for name, rows in item["lost"].items()}
    books = {
        name: Book(name, hour, **dict(zip(_COUNTS, counts, strict=True)), lost=lost.get(name, ()))
        for name, counts in item["books"].items()
    }
    return Kept(hour, item["read"], set(item["accepted"]), item["closed_at"], books)

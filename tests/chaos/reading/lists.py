"""A list of an API that changes while it is read: rows in versions, in pages, in the order of their change.

A list knows what nobody may miss. When a page is asked for that only the one before it could have named, that one's
records are known to be on the queue: the state says how far a run is after its records are queued, and not before.
A version that was replaced before that, and before it arrived, nobody may ever have seen; every other one has to
arrive.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

PAGINATE = {
    "link": "link",
    "cursor": "{cursor: body.next, param: after}",
    "page": "{page: page}",
    "offset": "{offset: offset, limit: %d}",
}
"""The lists, by how they are paged through, as a manifest says it."""

_RECENT = 200  # records that were read a short while ago: those that change


@dataclass
class Version:
    """One version of one record."""

    at: int  # when it was changed, as it says itself: epoch seconds
    read: bool = False  # it is known to be on the queue, or has arrived
    missable: bool = False  # it was replaced before that


class Page(NamedTuple):
    """What a request is answered."""

    records: list[dict[str, Any]]
    more: str | None  # what names the next page; None: there is none


class List:
    """One list. Not for several threads at once.

    Args:
        paging: How it is paged through.
        size: Records of a page.
    """

    def __init__(self, paging: str, size: int) -> None:
        self.paging, self.size = paging, size
        self.versions: dict[tuple[str, int], Version] = {}
        self.waiting: set[tuple[str, int]] = set()  # what has to arrive, and has not yet
        self._rows: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []
        self._late: list[tuple[float, int, str]] = []
        self._shown: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self._recent: deque[tuple[str, int]] = deque(maxlen=_RECENT)

    def put(self, id_: str, at: int, *, visible_at: float = 0.0) -> None:
        """A row in a new version, which shows later where that is said."""
        if visible_at:
            heapq.heappush(self._late, (visible_at, at, id_))
        else:
            self._show(id_, at)

    def is_whole(self) -> bool:
        """Whether everything shows."""
        return not self._late

    def read(self, query: Mapping[str, str], now: float) -> Page:
        """The page that is asked for."""
        while self._late and self._late[0][0] <= now:
            _, at, id_ = heapq.heappop(self._late)
            self._show(id_, at)
        since = query["since"]
        first = bisect_left(self._order, (int(from_rfc3339(since)), ""))
        named = query.get("after") or query.get("page") or query.get("offset") or ""
        for one in self._shown.pop((since, named), ()):
            self._is_read(one)
        start = first + self._skipped(query) if "after" not in query else self._behind(named, first)
        rows = self._order[start : start + self.size]
        records = [{"id": id_, "version": self._rows[id_], "updated_at": rfc3339(at)} for at, id_ in rows]
        return Page(records, self._next(query, rows, is_last=start + self.size >= len(self._order)))

    def was_shown(self, query: Mapping[str, str], page: Page) -> None:
        """The page was sent whole."""
        if page.more:
            self._shown[query["since"], page.more] = [(each["id"], each["version"]) for each in page.records]

    def arrived(self, id_: str, version: int) -> None:
        """It is where it is to be."""
        if found := self.versions.get((id_, version)):
            found.read = True
            self.waiting.discard((id_, version))

    def change(self, dice: random.Random, at: int) -> bool:
        """Change a row that was read a short while ago; whether there was one."""
        if not self._recent:
            return False
        id_, version = dice.choice(self._recent)
        return self.replace(id_, version, at)

    def replace(self, id_: str, version: int, at: int) -> bool:
        """Change a row that has this version; whether it had it."""
        if self._rows[id_] == version:
            self.put(id_, at)
            return True
        return False

    def _show(self, id_: str, at: int) -> None:
        version = self._rows.get(id_, 0)
        if version:
            before = self.versions[id_, version]
            self._order.pop(bisect_left(self._order, (before.at, id_)))
            if not before.read:
                before.missable = True
                self.waiting.discard((id_, version))
        self._rows[id_] = version + 1
        self.versions[id_, version + 1] = Version(at)
        self.waiting.add((id_, version + 1))
        insort(self._order, (at, id_))

    def _is_read(self, one: tuple[str, int]) -> None:
        if not self.versions[one].missable:
            self.versions[one].read = True
            self._recent.append(one)

    def _behind(self, after: str, first: int) -> int:
        at, _, id_ = after.partition("~")
        return max(first, bisect_right(self._order, (int(at), id_)))

    def _skipped(self, query: Mapping[str, str]) -> int:
        return int(query.get("offset", 0)) or (int(query.get("page", 1)) - 1) * self.size

    def _next(self, query: Mapping[str, str], rows: list[tuple[int, str]], *, is_last: bool) -> str | None:
        match self.paging:
            case "page":
                return str(int(query["page"]) + 1) if rows else None
            case "offset":
                return str(int(query["offset"]) + len(rows)) if rows else None
        return None if is_last else f"{rows[-1][0]}~{rows[-1][1]}"

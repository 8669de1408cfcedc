"""The stand-in API, in trouble: it is late, busy, wants to be left alone, hangs up; and takes what arrives."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode

from tests.chaos.reading.lists import PAGINATE, List
from tests.chaos.reading.world import TIMEOUT
from tests.support.faults import BUSY, LOST, OK, RESET, Fault, Weather, soon
from tests.support.faulty_target import Exchange, FaultyTarget
from tests.support.target import Received, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.chaos.reading.lists import Page

ARRIVING = {f"/arrived/{name}": Weather(0.02, (BUSY, LOST, RESET), most=2) for name in PAGINATE}
"""Where the records of each list arrive, and what goes wrong there."""

LATE = 15.0
"""Seconds by which rows are committed late, at most; the polls look back further."""

_SHARE = 0.1  # of the requests for pages meet one of these
_HALF = Fault("half a page")
_FAULTS = (
    soon(429, 1),
    soon(429, 2),
    BUSY,
    soon(503, 1),
    LOST,
    RESET,
    _HALF,
    Fault("late", 200, delay=1.5 * TIMEOUT),
)
_ARE_LATE = 0.25  # of the rows
_CHANGES = (0, 0, 1, 2)  # after each page
_UNREAD = 0.1  # of these are of what was shown just now, so that nobody need have it yet


def records_of(exchange: Exchange) -> list[dict[str, Any]]:
    """The records that arrive with a request: those of a batch, or one."""
    return exchange.body if isinstance(exchange.body, list) else [exchange.body]


class Asked(NamedTuple):
    """One request for a page."""

    name: str
    at: float
    fault: Fault


class Shop(FaultyTarget):
    """Four lists, each paged through in another way, and a target; a context manager.

    Args:
        seed: Decides what goes wrong.
        size: Records of a page.
        weather: Of further places.
    """

    def __init__(self, seed: int, size: int, weather: Mapping[str, Weather] | None = None) -> None:
        super().__init__(seed, {**ARRIVING, **(weather or {})})
        self.lists = {name: List(name, size) for name in PAGINATE}
        self.asked: list[Asked] = []
        self.changed: Counter[str] = Counter()
        self.most_changes: Counter[str] = Counter()  # of each list so far
        self._dice = {name: random.Random(f"{seed}/{name}") for name in PAGINATE}

    def __enter__(self) -> Self:
        super().__enter__()
        for name in PAGINATE:
            self.target.on(f"/lists/{name}", self._page)
        return self

    def noted(self, exchange: Exchange) -> Reply:
        """What was done has arrived."""
        name = exchange.place.rpartition("/")[2]
        if exchange.fault.commits and name in self.lists:
            for record in records_of(exchange):
                self.lists[name].arrived(record["id"], record["version"])
        return super().noted(exchange)

    def commit(self, name: str, first: int, last: int) -> None:
        """New rows of this second and the one before: so many have the same time; some show late."""
        now = time.time()
        with self.lock:
            dice = self._dice[name]
            for number in range(first, last):
                late = now + dice.uniform(0, LATE - 1) if dice.random() < _ARE_LATE else 0.0
                self.lists[name].put(f"{name}-{number:05}", int(now) - dice.randint(0, 1), visible_at=late)

    def waiting(self) -> int:
        """How many versions are known that have not arrived."""
        with self.lock:
            return sum(len(each.waiting) for each in self.lists.values())

    def is_whole(self) -> bool:
        """Whether every row shows."""
        with self.lock:
            return all(each.is_whole() for each in self.lists.values())

    def _page(self, request: Received) -> Reply:
        name, query = request.path.rpartition("/")[2], dict(parse_qsl(request.query))
        with self.lock:
            dice, list_ = self._dice[name], self.lists[name]
            fault = dice.choice(_FAULTS) if dice.random() < _SHARE else OK
            page = list_.read(query, time.time())
            self.asked.append(Asked(name, request.at, fault))
            if fault.status not in (0, OK.status):
                return fault.reply
            reply = _reply(name, query, page)
            if fault is _HALF:
                return Reply(reply.status, reply.body, reply.headers, drop="halfway")
            if not fault.status:
                return fault.reply
            list_.was_shown(query, page)
            self._change(name, page)
            return Reply(reply.status, reply.body, reply.headers, delay=fault.delay)

    def _change(self, name: str, page: Page) -> None:
        """Rows change while the list is read: those that were, and now and then one that was shown just now."""
        dice, list_ = self._dice[name], self.lists[name]
        for _ in range(dice.choice(_CHANGES) if self.changed[name] < self.most_changes[name] else 0):
            if dice.random() < _UNREAD and page.records:
                one = dice.choice(page.records)
                self.changed[name] += list_.replace(one["id"], one["version"], int(time.time()))
            else:
                self.changed[name] += list_.change(dice, int(time.time()))


def _reply(name: str, query: Mapping[str, str], page: Page) -> Reply:
    headers, body = {}, {"records": page.records}
    if name == "link" and page.more:
        more = urlencode({"since": query["since"], "after": page.more})
        headers["Link"] = f'</lists/link?{more}>; rel="next"'
    if name == "cursor" and page.more:
        body["next"] = page.more
    return Reply(200, body, headers)

"""Looking at deliveries: newest first with a cursor, one by its id, those of one event.

What waits and what is dead is in the journal's index ``open``; what was delivered is on its pages, by hour of
acceptance, which list ids and times only. A delivery in its first attempt is in neither: it is found by its
id.

A page asks the journal a bounded number of questions, however large it is and whatever the filter leaves out.
Each place that is looked at says down to which time it was read; the page ends where the first of them does.
So a page may be shorter than its limit, even empty, while there is a cursor.
"""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from causeway.delivery.beside import PART as EVENT
from causeway.delivery.beside import holds_event
from causeway.delivery.journal import PART, SHARDS
from causeway.delivery.listing import listed
from causeway.delivery.pages import delivered_on, page_of
from causeway.events.identity import delivery_id
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock

    Shows = Callable[[str, Item | None], dict[str, JSON]]
    """Of the system's name and what is kept beside a delivery: more to be told of it."""

STATUSES = ("waiting", "delivered", "dead")
"""What can be asked for."""

LOOK_BACK = 86400.0
"""Seconds that delivered ones are looked for, where the query does not say since when."""

FARTHEST = 400 * 86400.0
"""Seconds beyond which nothing delivered is looked for, whatever the query says."""

MOST_READS = 1600
"""A page reads the index of what is open in so many places at most."""

_HOURS = 400
_LEAST_HOURS = 2
"""And so many hours of delivered ones, shared among the integrations, but each has its least."""

_READ_AT_MOST = 1000
"""Deliveries that are read in one place, where a filter leaves most of them out."""

_END = ""
"""Lower than every time."""

_ROUNDED = 0.001
_HOUR = 3600.0
_AT_ONCE = 16


class BadQueryError(Exception):
    """The query cannot be answered; says why, and which part of it is to blame."""

    def __init__(self, message: str, part: str) -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True)
class Query:
    """Which deliveries."""

    integrations: Sequence[str]
    status: str | None = None  # one of STATUSES; None: any
    error: str | None = None  # the reason's class
    since: float | None = None  # accepted then or later
    until: float | None = None  # accepted then or earlier


class Page(NamedTuple):
    """So many deliveries, and the cursor of the next page, if there is more."""

    items: list[dict[str, JSON]]
    cursor: str | None


class _Place(NamedTuple):
    """A delivery's place in the order of lists."""

    accepted: str
    id: str


class _Reach(NamedTuple):
    """What was found in one place, all of it from this time on; ``_END``: all that is there."""

    items: list[tuple[_Place, Item]]
    down_to: str


@dataclass(frozen=True)
class _Look:
    """One request for a page."""

    query: Query
    below: _Place | None
    least: int  # so many are wanted of each place
    now: float

    @property
    def until(self) -> float | None:
        """Accepted then or earlier."""
        below = []
        if self.below is not None:  # without an id it is a time, and what was accepted then has been shown
            below = [from_rfc3339(self.below.accepted) - (0 if self.below.id else _ROUNDED)]
        return min([*below, *([] if self.query.until is None else [self.query.until])], default=None)

    @property
    def span(self) -> tuple[float, float]:
        """Between which times delivered ones are looked for, the last first."""
        ends = self.now if self.query.until is None else min(self.query.until, self.now)
        since = ends - LOOK_BACK if self.query.since is None else self.query.since
        last = self.now if self.until is None else min(self.until, self.now)
        return last, max(since, self.now - FARTHEST)

    def wants(self, place: _Place, item: Item) -> bool:
        """Whether the page may hold it: what has expired is deleted late."""
        return (
            (self.below is None or place < self.below)
            and self.query.error in (None, item.get("error"))
            and item.get("expires_at", self.now) >= self.now
        )


class Deliveries:
    """Queries over the journal. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, journal: Table, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def page(self, query: Query, *, limit: int = 50, cursor: str | None = None) -> Page:
        """A page of deliveries, those accepted last first.

        Args:
            query: Which.
            limit: So many at most.
            cursor: Of the page before.

        Raises:
            BadQueryError: there is no such status or span, this is no cursor, or it is too much to read.
        """
        if query.status not in (None, *STATUSES):
            raise BadQueryError(
                f"there is no status {query.status!r}; there are {', '.join(STATUSES)}", "status"
            )
        check_span(query.since, query.until)
        below = _decoded(cursor) if cursor else None
        look = _Look(query, below, limit + 1, self._clock.now())
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            reaches = list(pool.map(lambda read: read(), self._reads(look)))
        floor = max((reach.down_to for reach in reaches), default=_END)
        found = {place: item for reach in reaches for place, item in reach.items}
        places = sorted((place for place in found if place.accepted >= floor), reverse=True)
        shown = [line(found[place]) for place in places[:limit]]
        if len(places) > limit:
            return Page(shown, _encoded(places[limit - 1]))
        return Page(shown, None if floor == _END else _encoded(_Place(floor, "")))

    def find(self, delivery: str, shows: Shows | None = None) -> dict[str, JSON] | None:
        """One delivery with its attempts, and whether its event is kept.

        Args:
            delivery: Its id.
            shows: Says what people may see of its event; None: nothing.
        """
        item = self._journal.get(delivery, PART)
        if item is None or item.get("expires_at", self._clock.now()) < int(self._clock.now()):
            return None
        kept = self._journal.get(delivery, EVENT)
        is_kept = kept is not None and kept["acceptance"] == item["acceptance"] and holds_event(kept)
        found = line(item) | {
            "idempotency_key": Ticket.parse(item["ticket"]).key(delivery),
            "trace": item.get("trace"),
            "steps": item.get("steps", []),
            "event_kept": is_kept,
            "attempts": [entry | {"at": rfc3339(entry["at"])} for entry in item.get("attempts", [])],
        }
        if shows is not None:
            found |= shows(item["system"], kept if is_kept else None)
        return found

    def of_event(self, system: str, event_id: str, integrations: Iterable[str]) -> list[dict[str, JSON]]:
        """What became of one event in each of these integrations."""
        found = [self.find(delivery_id(system, event_id, name)) for name in integrations]
        return [each for each in found if each is not None]

    def _reads(self, look: _Look) -> list[Callable[[], _Reach]]:
        """What the query means, read by place; delivered ones first: what is open again replaces them."""
        query = look.query
        reads: list[Callable[[], _Reach]] = []
        if query.status in (None, "delivered") and query.error is None:
            hours = max(_LEAST_HOURS, _HOURS // max(1, len(query.integrations)))
            reads += [partial(self._delivered, look, name, hours) for name in query.integrations]
        statuses = [status for status in ("waiting", "dead") if query.status in (None, status)]
        places = [(name, status) for name in query.integrations for status in statuses]
        if len(places) * len(SHARDS) > MOST_READS:
            most = MOST_READS // len(SHARDS) // len(statuses)
            raise BadQueryError(
                f"a list over more than {most} integrations reads too much: name one of them, or one status",
                "integration",
            )
        reads += [partial(self._open, look, *place, shard) for place in places for shard in SHARDS]
        return reads

    def _open(self, look: _Look, integration: str, status: str, shard: str) -> _Reach:
        query, last = look.query, ""
        found: list[tuple[_Place, Item]] = []
        page = min(look.least, _READ_AT_MOST) if query.error is None else _READ_AT_MOST
        items = listed(
            *(self._journal, integration, shard, status),
            since=query.since,
            until=look.until,
            newest_first=True,
            page=page,
        )
        for number, item in enumerate(items):
            place = _Place(rfc3339(item["accepted_at"]), item["id"])
            enough = len(found) >= look.least or number >= _READ_AT_MOST
            if enough and place.accepted != last:  # what is of one moment stays together: ids part it
                return _Reach(found, last)
            last = place.accepted
            if look.wants(place, item):
                found.append((place, {**item, "status": status}))
        return _Reach(found, _END)

    def _delivered(self, look: _Look, integration: str, hours: int) -> _Reach:
        found: list[tuple[_Place, Item]] = []
        last, first = look.span
        hour = last // _HOUR * _HOUR
        for number in range(hours):
            if hour + _HOUR <= first:
                return _Reach(found, _END)
            if number and len(found) >= look.least:
                break
            for (delivery, accepted_at), at in delivered_in(self._journal, integration, hour).items():
                place = _Place(min(rfc3339(accepted_at), rfc3339(hour + _HOUR - _ROUNDED)), delivery)
                item: Item = {"id": delivery, "integration": integration, "status": "delivered"}
                item |= {"accepted_at": accepted_at, "updated_at": at}
                if first <= accepted_at <= last + _ROUNDED and look.wants(place, item):
                    found.append((place, item))
            hour -= _HOUR
        return _Reach(found, rfc3339(hour + _HOUR) if hour + _HOUR > first else _END)


def check_span(since: float | None, until: float | None) -> None:
    """Refuse a span that ends before it begins.

    Raises:
        BadQueryError: it does.
    """
    if since is not None and until is not None and since > until:
        raise BadQueryError("since is after until: nothing was accepted in between", "since")


def delivered_in(journal: Table, integration: str, hour: float) -> dict[tuple[str, float], float]:
    """When each delivery that was accepted in the hour of this time was delivered, by id and acceptance."""
    return {
        (entry.delivery, entry.accepted_at): entry.at
        for page in journal.parts(page_of(integration, hour))
        for entry in delivered_on(page)
    }


def line(item: Item) -> dict[str, JSON]:
    """A delivery as lists show it: times in RFC 3339, what is not known as null."""
    ticket = Ticket.parse(item["ticket"]) if "ticket" in item else None
    due_at = item.get("due_at")
    return {
        **{name: item.get(name) for name in ("id", "integration", "status", "system")},
        **{name: item.get(name) for name in ("event_id", "event_type", "reason", "error")},
        "accepted_at": rfc3339(item["accepted_at"]),
        "updated_at": rfc3339(item["updated_at"]) if "updated_at" in item else None,
        "due_at": rfc3339(due_at / 1000) if due_at is not None else None,
        "replay": ticket.replay if ticket else None,
        "attempt": ticket.attempt if ticket else None,
    }


def _encoded(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(cursor: str) -> _Place:
    try:
        accepted, delivery = json.loads(base64.urlsafe_b64decode(cursor))
        is_ours = isinstance(delivery, str) and accepted == rfc3339(from_rfc3339(accepted))
    except (ValueError, TypeError, AttributeError, OverflowError):
        is_ours = False
    if not is_ours:
        raise BadQueryError("this is no cursor of ours", "cursor")
    return _Place(accepted, delivery)

"""Looking at deliveries: newest first with a cursor, one by its id, those of one event.

What waits and what is dead is in the journal's index ``open``; what was delivered is on its pages, by hour of
acceptance, which list ids and times only. A delivery in its first attempt is in neither: it is found by its
id.
"""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from causeway.delivery.beside import PART as EVENT
from causeway.delivery.journal import PART, SHARDS
from causeway.delivery.listing import listed
from causeway.delivery.pages import page_of
from causeway.events.identity import delivery_id
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock

STATUSES = ("waiting", "delivered", "dead")
"""What can be asked for."""

LOOK_BACK = 86400.0
"""Seconds that delivered ones are looked for, where the query does not say since when."""

_HOUR = 3600.0
_AT_ONCE = 16


class BadQueryError(Exception):
    """The query cannot be answered; says why."""


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
            BadQueryError: there is no such status, or this is no cursor.
        """
        if query.status not in (None, *STATUSES):
            raise BadQueryError(f"there is no status {query.status!r}; there are {', '.join(STATUSES)}")
        below = _decoded(cursor) if cursor else None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            batches = pool.map(lambda each: _some(each, limit + 1), self._streams(query, below))
            found = sorted((item for batch in batches for item in batch), key=_place, reverse=True)
        shown = found[:limit]
        more = len(found) > limit
        return Page([line(item) for item in shown], _encoded(_place(shown[-1])) if more else None)

    def find(self, delivery: str) -> dict[str, JSON] | None:
        """One delivery with its attempts, and whether its event is kept."""
        item = self._journal.get(delivery, PART)
        if item is None:
            return None
        kept = self._journal.get(delivery, EVENT)
        is_kept = kept is not None and kept["acceptance"] == item["acceptance"]
        return line(item) | {
            "idempotency_key": Ticket.parse(item["ticket"]).key(delivery),
            "trace": item.get("trace"),
            "steps": item.get("steps", []),
            "event_kept": is_kept,
            "attempts": [entry | {"at": rfc3339(entry["at"])} for entry in item.get("attempts", [])],
        }

    def of_event(self, system: str, event_id: str, integrations: Iterable[str]) -> list[dict[str, JSON]]:
        """What became of one event in each of these integrations."""
        found = [self.find(delivery_id(system, event_id, name)) for name in integrations]
        return [each for each in found if each is not None]

    def _streams(self, query: Query, below: _Place | None) -> Iterator[Iterator[Item]]:
        """What the query means, each stream newest first."""
        until = query.until
        if below is not None:
            last = from_rfc3339(below.accepted)
            until = last if until is None else min(until, last)
        for integration in query.integrations:
            for status in ("waiting", "dead"):
                if query.status in (None, status):
                    for shard in SHARDS:
                        found = self._open(query, integration, shard, status, until)
                        yield _below(found, below)
            if query.status in (None, "delivered") and query.error is None:
                yield _below(self._delivered(integration, query.since, until), below)

    def _open(
        self, query: Query, integration: str, shard: str, status: str, until: float | None
    ) -> Iterator[Item]:
        items = listed(
            self._journal, integration, shard, status, since=query.since, until=until, newest_first=True
        )
        return ({**item, "status": status} for item in items if query.error in (None, item.get("error")))

    def _delivered(self, integration: str, since: float | None, until: float | None) -> Iterator[Item]:
        last = self._clock.now() if until is None else until
        first = last - LOOK_BACK if since is None else since
        hour = last // _HOUR * _HOUR
        while hour + _HOUR > first:
            done = delivered_in(self._journal, integration, hour)
            for (delivery, accepted_at), at in sorted(
                done.items(), key=lambda each: each[0][1], reverse=True
            ):
                if first <= accepted_at <= last + 0.001:
                    yield {
                        "id": delivery,
                        "integration": integration,
                        "status": "delivered",
                        "accepted_at": accepted_at,
                        "updated_at": at,
                    }
            hour -= _HOUR


def delivered_in(journal: Table, integration: str, hour: float) -> dict[tuple[str, float], float]:
    """When each delivery that was accepted in the hour of this time was delivered, by id and acceptance."""
    return {
        (delivery, accepted_at): at
        for page in journal.parts(page_of(integration, hour))
        for delivery, accepted_at, at in page.get("delivered", [])
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


def _some(stream: Iterator[Item], least: int) -> list[Item]:
    """The first items of a stream, all of the same time together: a cursor parts them by their ids."""
    found: list[Item] = []
    for item in stream:
        if len(found) >= least and _place(item).accepted != _place(found[-1]).accepted:
            break
        found.append(item)
    return found


def _below(stream: Iterator[Item], place: _Place | None) -> Iterator[Item]:
    return stream if place is None else (item for item in stream if _place(item) < place)


def _place(item: Item) -> _Place:
    return _Place(rfc3339(item["accepted_at"]), item["id"])


def _encoded(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(cursor: str) -> _Place:
    try:
        place = _Place(*json.loads(base64.urlsafe_b64decode(cursor)))
        from_rfc3339(place.accepted)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadQueryError("this is no cursor of ours") from error
    return place

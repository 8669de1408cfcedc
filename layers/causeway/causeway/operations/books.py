"""The books: whether everything that was accepted in an hour can be accounted for.

Accepted is what the functions that accept events say in lines (:mod:`causeway.acceptance.lines`), after the
queue has the messages and before anything else. Accounted for is what the journal knows of the same hour, by
query and never by counters: delivered, waiting, dead, and acceptances that met a delivery that was there (a
provider's repeat).

Both are sets of acceptances of deliveries: pairs of the two ids. So each counts once, however often a line or
a page has it; and what was accepted and is not known is a loss, unless its message is still on a queue,
however much is known of which no line says anything. Such a surplus is a receiver that was cut off between
queue and line, or could not store all that it was sent, and was sent it again: harmless.

What is being replayed waits, and is not delivered; what was a repeat and then took over, since the first
one's message was lost, is no repeat.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from causeway.acceptance.lines import LINE, Accepted, pair, read
from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed
from causeway.delivery.pages import delivered_on, page_of, repeats_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.plan.records import JSON

    ByIntegration = dict[str, list[Accepted]]

HOUR = 3600.0

SETTLED_AFTER = 1800.0
"""Seconds after an hour's end from which on its books should close."""

ACCEPTING = ("WebhookFunction", "PollerFunction", "RequestFunction")
"""The functions that write those lines, by their names in the template."""

LATE = 300.0
"""Seconds after an hour's end in which lines about it are still written."""

_ROUNDED = 1.0
"""Seconds beyond the hour that are looked at, too: the index has milliseconds."""

_AT_ONCE = 16

QUEUED_FOR = 6 * HOUR
"""Seconds after an hour's beginning in which what is missing of it may still be on a queue, unbegun.

Queues that are farther behind ring alarms of their own; and what is there later are other messages, of which
there are always some.
"""

NAMED = 10
"""So many of the deliveries that are unaccounted for a book names."""

_FATES = ("duplicates", "delivered", "dead", "waiting")
"""What the journal may know of an acceptance; of several the last one counts."""

_DUPLICATE, _DELIVERED, _DEAD, _WAITING = range(len(_FATES))


@dataclass(frozen=True)
class Book:
    """One integration's hour. No acceptance is in two of the counts of what is known."""

    integration: str
    hour: float
    accepted: int = 0
    delivered: int = 0
    waiting: int = 0
    dead: int = 0
    duplicates: int = 0
    unaccounted: int = 0  # accepted, and nowhere; 0 when the book closes
    lost: tuple[Accepted, ...] = ()  # those, as far as they are named

    @property
    def accounted(self) -> int:
        """All that the journal knows of."""
        return self.delivered + self.waiting + self.dead + self.duplicates

    @property
    def surplus(self) -> int:
        """So many are known, and no line says that they were accepted: harmless."""
        return self.accounted - (self.accepted - self.unaccounted)


def lost_of(books: Iterable[Book], on_queues: int, now: float) -> int:
    """So many deliveries of these books are nowhere: neither known nor, of late hours, on a queue.

    Args:
        books: Of any hours.
        on_queues: So many messages are there; which, nobody can say.
        now: Epoch seconds.
    """
    missing: Counter[bool] = Counter()
    for book in books:
        missing[now - book.hour < QUEUED_FOR] += book.unaccounted
    return missing[False] + max(0, missing[True] - on_queues)


def last_closed(now: float) -> float:
    """The beginning of the last hour whose books should close by now."""
    return (now - SETTLED_AFTER) // HOUR * HOUR - HOUR


def accepted_in(aws: Aws, log_group: str, hour: float) -> ByIntegration:
    """What a function's lines say that was accepted in an hour, by integration.

    Args:
        aws: Whose calls.
        log_group: The function's.
        hour: Its beginning.

    Raises:
        AwsError: the log could not be read.
    """
    return accepted_by(lines_between(aws, log_group, hour, hour + HOUR + LATE), hour)


def lines_between(aws: Aws, log_group: str, since: float, until: float) -> list[str]:
    """The lines of that name that were written then.

    Raises:
        AwsError: the log could not be read.
    """
    parameters: dict[str, JSON] = {
        "logGroupName": log_group,
        "startTime": int(since * 1000),
        "endTime": int(until * 1000) - 1,  # which is included
        "filterPattern": f'"{LINE}"',
    }
    lines: list[str] = []
    while True:
        answer = aws.call("logs", "FilterLogEvents", parameters)
        lines += [event["message"] for event in answer.get("events", [])]
        if not answer.get("nextToken"):
            return lines
        parameters["nextToken"] = answer["nextToken"]


def accepted_by(lines: Iterable[str], hour: float) -> ByIntegration:
    """The same of lines that are at hand; those of a line that is there twice are there twice."""
    found: ByIntegration = defaultdict(list)
    for at, named in read(lines):
        if _within(hour, at):
            for integration, accepted in named.items():
                found[integration] += accepted
    return found


def close(
    journal: Table, hour: float, integrations: Iterable[str], accepted: Callable[[str], Iterable[Accepted]]
) -> list[Book]:
    """The books of an hour.

    Args:
        journal: What is known.
        hour: Its beginning.
        integrations: Whose books.
        accepted: What was accepted for one of them, in any order; asked again for the names of what is
            missing.

    Raises:
        AwsError: the journal could not be read.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda name: _book(journal, name, hour, accepted), sorted(set(integrations))))


def _book(
    journal: Table, integration: str, hour: float, accepted: Callable[[str], Iterable[Accepted]]
) -> Book:
    missing = {each.pair for each in accepted(integration)}
    said = len(missing)
    known: dict[str, int] = {}
    for each, fate in _known(journal, integration, hour):
        missing.discard(each)
        known[each] = max(fate, known.get(each, fate))
    fates = Counter(known.values())
    lost = (each for each in accepted(integration) if each.pair in missing) if missing else ()
    return Book(
        integration,
        hour,
        accepted=said,
        **{name: fates[fate] for fate, name in enumerate(_FATES)},
        unaccounted=len(missing),
        lost=tuple(islice(dict.fromkeys(lost), NAMED)),
    )


def _known(journal: Table, integration: str, hour: float) -> Iterator[tuple[str, int]]:
    """Acceptances that the journal knows of, and as what; the same may come several times."""
    # What is open first: what is delivered meanwhile is on a page by the time that those are read.
    for fate in (_WAITING, _DEAD):
        yield from ((each, fate) for each in _open(journal, integration, hour, _FATES[fate]))
    for page in journal.parts(page_of(integration, hour)):
        yield from ((pair(entry.delivery, entry.acceptance), _DELIVERED) for entry in delivered_on(page))
        yield from ((pair(*entry), _DUPLICATE) for entry in repeats_on(page))


def _open(journal: Table, integration: str, hour: float, status: str) -> Iterator[str]:
    """Deliveries of the hour that are in the index."""
    first, last = hour - _ROUNDED, hour + HOUR + _ROUNDED
    for shard in SHARDS:
        for item in listed(journal, integration, shard, status, since=first, until=last):
            if _within(hour, item["accepted_at"]):
                yield pair(item["id"], item["acceptance"])


def _within(hour: float, accepted_at: float) -> bool:
    return hour <= accepted_at < hour + HOUR

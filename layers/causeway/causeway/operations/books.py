"""The books: whether everything that was accepted in an hour can be accounted for.

Accepted is what the functions that accept events say in one line per request (of a poll: per page), after the
queue has the messages and before anything else. Accounted for is what the journal knows of the same hour, by
query and never by counters: delivered, waiting, dead, and acceptances that met a delivery that was there (a
provider's repeat).

What is counted are acceptances of deliveries, each once: pairs of the two ids. What is being replayed waits,
and is not delivered; what was a repeat and then took over, since the first one's message was lost, is no
repeat. So more than was accepted is a receiver that was cut off between queue and line, or could not store
all that it was sent, and was sent it again: harmless. Less is a loss, unless that many messages are still on
the queue.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed
from causeway.delivery.pages import delivered_on, page_of, repeats_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.plan.records import JSON

HOUR = 3600.0

SETTLED_AFTER = 1800.0
"""Seconds after an hour's end from which on its books should close."""

LINE = "received"
"""The message of the line that says what was accepted."""

ACCEPTING = ("WebhookFunction", "PollerFunction", "RequestFunction")
"""The functions that write it, by their names in the template."""

LATE = 300.0
"""Seconds after an hour's end in which lines about it are still written."""

_ROUNDED = 1.0
"""Seconds beyond the hour that are looked at, too: the index has milliseconds."""

_AT_ONCE = 16


_Known = set[tuple[str, str]]
"""Acceptances of deliveries: the ids of both."""


@dataclass(frozen=True)
class Book:
    """One integration's hour. No acceptance is in two of its counts but the first."""

    integration: str
    hour: float
    accepted: int
    delivered: int
    waiting: int
    dead: int
    duplicates: int

    @property
    def accounted(self) -> int:
        """All that the journal knows of."""
        return self.delivered + self.waiting + self.dead + self.duplicates

    @property
    def unaccounted(self) -> int:
        """So many were accepted and are nowhere; 0 when the book closes."""
        return max(0, self.accepted - self.accounted)


def last_closed(now: float) -> float:
    """The beginning of the last hour whose books should close by now."""
    return (now - SETTLED_AFTER) // HOUR * HOUR - HOUR


def accepted_in(aws: Aws, log_group: str, hour: float) -> Counter[str]:
    """What the receiver says that it accepted in an hour, by integration.

    Args:
        aws: Whose calls.
        log_group: The receiving function's.
        hour: Its beginning.

    Raises:
        AwsError: the log could not be read.
    """
    return count_accepted(lines_between(aws, log_group, hour, hour + HOUR + LATE), hour)


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


def count_accepted(lines: Iterable[str], hour: float) -> Counter[str]:
    """The same of lines that are at hand; a line that is there twice counts once."""
    total: Counter[str] = Counter()
    for text in set(lines):
        try:
            line = json.loads(text)
        except ValueError:
            continue  # Lambda's own
        if isinstance(line, dict) and line.get("message") == LINE and _within(hour, line.get("accepted_at")):
            total.update(line["accepted"])
    return total


def close(journal: Table, hour: float, accepted: Counter[str], integrations: Iterable[str]) -> list[Book]:
    """The books of an hour, of these integrations and of all that accepted something.

    Raises:
        AwsError: the journal could not be read.
    """
    names = sorted({*integrations, *accepted})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda name: _book(journal, name, hour, accepted[name]), names))


def _book(journal: Table, integration: str, hour: float, accepted: int) -> Book:
    # What is open first: what is delivered meanwhile is on a page by the time that those are read.
    waiting = _open(journal, integration, hour, "waiting")
    dead = _open(journal, integration, hour, "dead") - waiting
    delivered: _Known = set()
    repeats: _Known = set()
    for page in journal.parts(page_of(integration, hour)):
        delivered |= {(entry.delivery, entry.acceptance) for entry in delivered_on(page)}
        repeats |= set(repeats_on(page))
    delivered -= waiting | dead  # these are being replayed, or were and died
    return Book(
        integration,
        hour,
        accepted=accepted,
        delivered=len(delivered),
        waiting=len(waiting),
        dead=len(dead),
        duplicates=len(repeats - waiting - dead - delivered),
    )


def _open(journal: Table, integration: str, hour: float, status: str) -> _Known:
    """Deliveries of the hour that are in the index."""
    first, last = hour - _ROUNDED, hour + HOUR + _ROUNDED
    return {
        (item["id"], item["acceptance"])
        for shard in SHARDS
        for item in listed(journal, integration, shard, status, since=first, until=last)
        if _within(hour, item["accepted_at"])
    }


def _within(hour: float, accepted_at: float | None) -> bool:
    return accepted_at is not None and hour <= accepted_at < hour + HOUR

"""Pages: what one invocation delivered, and which repeats it met, listed for the console and the books.

A delivered item is in no index, so that the happy path writes none. Instead each invocation writes one page
per integration and hour of acceptance. A redelivered message lists its delivery again, so every line names
its acceptance, and readers count distinct ones.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message

SLACK = 86400.0
"""Seconds that a page outlives what it lists."""


class Delivered(NamedTuple):
    """A delivery that is done, as a page lists it."""

    delivery: str
    accepted_at: float
    at: float
    acceptance: str


class Retried(NamedTuple):
    """A delivery that is done and of which an attempt had failed, as a page lists it."""

    delivery: str


class Repeat(NamedTuple):
    """An acceptance that met an existing delivery, as a page lists it."""

    delivery: str
    acceptance: str


class Line(NamedTuple):
    """One line of a page, and the message that it is written for."""

    page: str
    kind: str  # "delivered", "retried" or "duplicates"
    entry: Delivered | Retried | Repeat
    expires_at: float
    record_id: str


class Pages:
    """Collects an invocation's lines from its threads, and writes them as few items."""

    def __init__(self, table: Table, *, invocation: str, started: float) -> None:
        self._table = table
        self._part = f"{int(started * 1000):013d}#{invocation}"
        self._lines: list[Line] = []
        self._lock = threading.Lock()

    def delivered(self, message: Message, *, at: float, record_id: str, expires_at: float) -> None:
        """List a delivery that is done."""
        entry = Delivered(message["delivery"], message["accepted_at"], at, message["acceptance"])
        self._add(message, "delivered", entry, record_id, expires_at)

    def duplicate(self, message: Message, *, record_id: str, expires_at: float) -> None:
        """List an acceptance that met an existing delivery."""
        entry = Repeat(message["delivery"], message["acceptance"])
        self._add(message, "duplicates", entry, record_id, expires_at)

    def retried(self, message: Message, *, record_id: str, expires_at: float) -> None:
        """List beside it that a delivery which is done had failed before."""
        self._add(message, "retried", Retried(message["delivery"]), record_id, expires_at)

    def write(self) -> list[str]:
        """Write the pages; return the records' ids of messages whose lines could not be written.

        Such a message is to come again: it meets its delivery as done, and is listed then.
        """
        pages: dict[str, list[Line]] = defaultdict(list)
        for line in self._lines:
            pages[line.page].append(line)
        failed = []
        for page, lines in pages.items():
            listed: dict[str, JSON] = defaultdict(list)
            for line in lines:
                listed[line.kind].append(list(line.entry))
            expires_at = int(max(line.expires_at for line in lines) + SLACK)
            try:
                self._table.put({"id": page, "part": self._part, "expires_at": expires_at, **listed})
            except AwsError:
                failed += [line.record_id for line in lines]
        return failed

    def _add(
        self,
        message: Message,
        kind: str,
        entry: Delivered | Retried | Repeat,
        record_id: str,
        expires_at: float,
    ) -> None:
        page = page_of(message["integration"], message["accepted_at"])
        with self._lock:
            self._lines.append(Line(page, kind, entry, expires_at, record_id))


def page_of(integration: str, accepted_at: float) -> str:
    """The hash key of an integration's pages for the hour of this time."""
    return f"page#{integration}#{datetime.fromtimestamp(accepted_at, UTC):%Y-%m-%dT%H}"


def delivered_on(page: Item) -> Iterator[Delivered]:
    """What a page lists as delivered."""
    return (Delivered(*entry) for entry in page.get("delivered", []))


def repeats_on(page: Item) -> Iterator[Repeat]:
    """The repeats that a page lists."""
    return (Repeat(*entry) for entry in page.get("duplicates", []))

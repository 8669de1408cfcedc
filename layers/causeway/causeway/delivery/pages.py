"""Pages: what one invocation delivered, and which repeats it met, listed for the console and the books.

A delivered item is in no index, so that the happy path writes none. Instead each invocation writes one page
per integration and hour of acceptance. A redelivered message lists its delivery again, so readers count
distinct ids.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from causeway.aws.table import Table
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message

SLACK = 86400.0
"""Seconds that a page outlives what it lists."""


class Line(NamedTuple):
    """One line of a page, and the message that it is written for."""

    page: str
    kind: str  # "delivered", "retried" or "duplicates"
    entry: list[JSON]
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
        """List a delivery that is done: its id, and when it was accepted and delivered."""
        self._add(
            message, "delivered", [message["delivery"], message["accepted_at"], at], record_id, expires_at
        )

    def duplicate(self, message: Message, *, record_id: str, expires_at: float) -> None:
        """List an acceptance that met an existing delivery: the delivery's id and the acceptance's."""
        self._add(message, "duplicates", [message["delivery"], message["acceptance"]], record_id, expires_at)

    def retried(self, message: Message, *, record_id: str, expires_at: float) -> None:
        """List beside it that a delivery which is done had failed before."""
        self._add(message, "retried", [message["delivery"]], record_id, expires_at)

    def write(self) -> list[str]:
        """Write the pages; return the records' ids of messages whose lines could not be written.

        Such a message is to come again: it meets its delivery as done, and is listed then.
        """
        from causeway.aws.client import AwsError  # noqa: PLC0415 - beside its one use

        pages: dict[str, list[Line]] = defaultdict(list)
        for line in self._lines:
            pages[line.page].append(line)
        failed = []
        for page, lines in pages.items():
            listed: dict[str, JSON] = defaultdict(list)
            for line in lines:
                listed[line.kind].append(line.entry)
            expires_at = int(max(line.expires_at for line in lines) + SLACK)
            try:
                self._table.put({"id": page, "part": self._part, "expires_at": expires_at, **listed})
            except AwsError:
                failed += [line.record_id for line in lines]
        return failed

    def _add(self, message: Message, kind: str, entry: list[JSON], record_id: str, expires_at: float) -> None:
        page = page_of(message["integration"], message["accepted_at"])
        with self._lock:
            self._lines.append(Line(page, kind, entry, expires_at, record_id))


def page_of(integration: str, accepted_at: float) -> str:
    """The hash key of an integration's pages for the hour of this time."""
    return f"page#{integration}#{datetime.fromtimestamp(accepted_at, UTC):%Y-%m-%dT%H}"

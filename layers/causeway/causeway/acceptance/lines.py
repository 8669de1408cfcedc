"""The line ``received``, from which the books are kept: what it says of deliveries, and how it is read.

It names each of them with its acceptance, so that what is missing can be told from what is too much, and with
its event's id, so that whoever must find what is missing can ask the provider for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message

LINE = "received"
"""The line's message."""

PART = 250
"""So many deliveries one line names: 256 KB of it are kept, and the id of an event has up to 900 bytes."""


class Accepted(NamedTuple):
    """A delivery of an integration that was accepted, as a line names it."""

    delivery: str
    acceptance: str
    event_id: str

    @property
    def pair(self) -> str:
        """What the journal knows it by."""
        return pair(self.delivery, self.acceptance)


def pair(delivery: str, acceptance: str) -> str:
    """Both ids as one text: a million of these take half the memory of so many tuples."""
    return f"{delivery} {acceptance}"


def parts(messages: Sequence[Message]) -> Iterator[dict[str, JSON]]:
    """What lines say of the first messages of deliveries, which are stored; none are a line, too."""
    for at in range(0, len(messages) or 1, PART):
        yield told(messages[at : at + PART])


def told(messages: Iterable[Message]) -> dict[str, JSON]:
    """What one line says of them: how many by integration, and which."""
    named: dict[str, list[Accepted]] = {}
    for message in messages:
        accepted = Accepted(message["delivery"], message["acceptance"], message["event"]["id"])
        named.setdefault(message["integration"], []).append(accepted)
    return {"accepted": {name: len(each) for name, each in named.items()}, "deliveries": named}


def read(texts: Iterable[str]) -> Iterator[tuple[float, dict[str, list[Accepted]]]]:
    """When deliveries were accepted, and which by integration, as lines say; other lines are passed over."""
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # Lambda's own
        if isinstance(line, dict) and line.get("message") == LINE and "accepted_at" in line:
            named = {name: [Accepted(*each) for each in rows] for name, rows in line["deliveries"].items()}
            yield line["accepted_at"], named

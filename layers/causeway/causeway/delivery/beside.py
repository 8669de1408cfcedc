"""What is kept beside a delivery's item: its event, and the answers of steps that changed something.

It is there from the moment a delivery does not succeed at once, while it is open, and as long as it can be
replayed. Of a request there is also its reply, in an item of its own, for a day. What is large is in the
bucket, and the item points there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.table import Item, Table
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message
    from causeway.queueing.payloads import Payloads

PART = "event"
"""The range key of what is kept."""

REPLY = "reply"
"""The range key of a request's reply."""

REPLY_FOR = 86400.0
"""Seconds for which a reply is kept."""

LARGE = 64 * 1024
"""Texts of more bytes go to the bucket: there they are cheaper, and an item holds 400 KB in all."""


@dataclass(frozen=True)
class Kept:
    """What is beside an item."""

    there: bool
    event: Event | None  # None too when only its place in the bucket is known
    answers: dict[str, JSON]
    expires: bool  # the delivery was settled once: what is kept is on its way out


class Reply(NamedTuple):
    """What the client of a request is answered."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: str


NOTHING = Kept(there=False, event=None, answers={}, expires=False)


class Beside:
    """Keeps, reads and deletes it. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, payloads: Payloads) -> None:
        self._table = table
        self._payloads = payloads

    def read(self, delivery: str, acceptance: str) -> Kept:
        """What lies beside the item, unless it is left over from an earlier acceptance of the same event."""
        item = self._table.get(delivery, PART)
        if item is None or item["acceptance"] != acceptance:
            return NOTHING
        answers = self._load(item, "answers") or {}
        return Kept(
            there=True, event=self._load(item, "event"), answers=answers, expires="expires_at" in item
        )

    def keep(
        self,
        message: Message,
        event: Event | None,
        answers: dict[str, JSON],
        *,
        expires_at: float | None = None,
    ) -> Kept:
        """Keep all of it, over what was there; without an end until it is kept or deleted anew.

        Args:
            message: Whose.
            event: The event; may be None when the message points into the bucket.
            answers: Of the steps up to the last one that changed something.
            expires_at: When it is needed no longer.
        """
        item: Item = {"id": message["delivery"], "part": PART, "acceptance": message["acceptance"]}
        pointer = message.get("event_at", "journal")
        if pointer != "journal":
            item["event_at"] = pointer
        elif event is not None:
            item |= self._store(message, "event", event)
        if answers:
            item |= self._store(message, "answers", answers)
        if expires_at is not None:
            item["expires_at"] = int(expires_at)
        self._table.put(item)
        return Kept(there=True, event=event, answers=dict(answers), expires=expires_at is not None)

    def keep_for_longer(self, message: Message) -> None:
        """What lies beside the item is needed again, if the message's event lies there."""
        if message.get("event_at") != "journal":
            return
        kept = self.read(message["delivery"], message["acceptance"])
        if kept.expires:
            self.keep(message, kept.event, kept.answers)

    def delete(self, delivery: str) -> None:
        """Keep it no longer. The bucket's lifecycle deletes what is there: deliveries share events."""
        self._table.delete(delivery, PART)

    def keep_reply(self, message: Message, reply: Reply, *, now: float) -> None:
        """Keep a request's reply for a day, over one that was there."""
        item: Item = {"id": message["delivery"], "part": REPLY, "expires_at": int(now + REPLY_FOR)}
        self._table.put(item | self._store(message, "reply", reply._asdict()))

    def reply(self, delivery: str, *, now: float) -> Reply | None:
        """A request's reply; None: there is none, or none any more."""
        item = self._table.get(delivery, REPLY)
        if item is None or item["expires_at"] <= now:
            return None
        return Reply(**self._load(item, "reply"))

    def _store(self, message: Message, name: str, value: Mapping[str, JSON]) -> dict[str, str]:
        text = json.dumps(value, separators=(",", ":"))
        if len(text) <= LARGE:
            return {name: text}
        acceptance, accepted_at = message["acceptance"], message["accepted_at"]
        return {f"{name}_at": self._payloads.store(value, acceptance=acceptance, accepted_at=accepted_at)}

    def _load(self, item: Item, name: str) -> JSON:
        return load(item, name, self._payloads)


def load(item: Item, name: str, payloads: Payloads) -> JSON:
    """What is kept under a name (``event``, ``answers``), wherever it lies; None: nothing is.

    Raises:
        AwsError: it could not be read.
    """
    if f"{name}_at" in item:
        return payloads.read(item[f"{name}_at"])
    return json.loads(item[name]) if name in item else None


def holds_event(item: Item) -> bool:
    """Whether an event is kept, here or in the bucket."""
    return "event" in item or "event_at" in item

"""What is kept beside a delivery's item: its event, and the answers of steps that changed something.

It is there from the moment a delivery does not succeed at once, while it is open, and as long as it can be
replayed. What is large is in the bucket, and the item points there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.delivery.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Event, Message
    from causeway.queueing.payloads import Payloads

PART = "event"
"""The range key of what is kept."""

LARGE = 64 * 1024
"""Texts of more bytes go to the bucket: there they are cheaper, and an item holds 400 KB in all."""


@dataclass(frozen=True)
class Kept:
    """What was found beside an item."""

    event: Event | None
    answers: dict[str, JSON]
    expires: bool  # the delivery was settled once: what is kept is on its way out


NOTHING = Kept(event=None, answers={}, expires=False)


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
        return Kept(self._load(item, "event"), self._load(item, "answers") or {}, "expires_at" in item)

    def keep(
        self, message: Message, event: Event, answers: dict[str, JSON], *, expires_at: float | None = None
    ) -> None:
        """Keep all of it, over what was there; without an end until it is kept or deleted anew."""
        item: Item = {"id": message["delivery"], "part": PART, "acceptance": message["acceptance"]}
        pointer = message.get("event_at", "journal")
        item |= self._store(message, "event", event) if pointer == "journal" else {"event_at": pointer}
        if answers:
            item |= self._store(message, "answers", answers)
        if expires_at is not None:
            item["expires_at"] = int(expires_at)
        self._table.put(item)

    def delete(self, delivery: str) -> None:
        """Keep it no longer. The bucket's lifecycle deletes what is there: deliveries share events."""
        self._table.delete(delivery, PART)

    def _store(self, message: Message, name: str, value: dict[str, JSON]) -> dict[str, str]:
        text = json.dumps(value, separators=(",", ":"))
        if len(text) <= LARGE:
            return {name: text}
        acceptance, accepted_at = message["acceptance"], message["accepted_at"]
        return {f"{name}_at": self._payloads.store(value, acceptance=acceptance, accepted_at=accepted_at)}

    def _load(self, item: Item, name: str) -> JSON:
        if f"{name}_at" in item:
            return self._payloads.read(item[f"{name}_at"])
        return json.loads(item[name]) if name in item else None

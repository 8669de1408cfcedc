"""Parked order keys: the key's item, and who waits there, in sequence order.

They lie in the journal's table. A key that is parked has an item that looks like a delivery's to the
scheduler: it is in the index of what is due, and the message with which it goes on is that to the key. Its
followers are items beside it, each with a whole message and named for its place in the order, so that one
consistent query reads them as they are at this moment; an index would be a moment late.

Only who holds the key's group on the FIFO queue writes here, and the scheduler on condition of what it saw,
so nothing here competes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.delivery.beside import LARGE
from causeway.delivery.claims import FORMAT
from causeway.delivery.going_on import KEY, since_of
from causeway.delivery.journal import PART, held_shard
from causeway.queueing.messages import decode, encode, pointing
from causeway.queueing.tickets import FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Table
    from causeway.delivery.received import Received
    from causeway.queueing.messages import Message
    from causeway.queueing.payloads import Payloads

_DIGITS = 40
"""Sequence numbers have up to 128 bits; written with so many digits, they compare as texts."""

_FIRST, _LAST = "0", "9" * _DIGITS


@dataclass(frozen=True)
class Place:
    """Where a message waits."""

    part: str
    message: Message
    sent_at: float

    def received(self, by: Received) -> Received:
        """The message as if it had just come from the queue, by the message that works off its key."""
        return by._replace(message=self.message, sent_at=self.sent_at)


class OrderKeys:
    """Keys by the names of their groups. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, payloads: Payloads) -> None:
        self._table = table
        self._payloads = payloads

    def is_parked(self, group: str) -> bool:
        """Whether messages of this key are to wait."""
        return self._table.get(KEY + group, PART) is not None

    def park(self, head: Received, *, until: float, system: str | None = None) -> None:
        """Let a key wait.

        Args:
            head: Whose turn it is.
            until: When the scheduler is to look.
            system: The system that it waits for instead, until the scheduler lets it go.
        """
        message = head.message
        group = message["order"]
        due_shard, due_at = group[0], until
        if system is not None:  # in line with all others that wait for it
            due_shard, due_at = held_shard(system, group[0]), since_of(message, head.sent_at)
        self._table.put(
            {
                "id": KEY + group,
                "part": PART,
                "format": FORMAT,
                "status": "waiting",
                "ticket": str(FIRST),
                **{name: message[name] for name in ("integration", "system", "acceptance", "accepted_at")},
                "order": group,
                "due_shard": due_shard,
                "due_at": int(due_at * 1000),
            }
        )

    def unpark(self, group: str) -> None:
        """Nobody waits any more."""
        self._table.delete(KEY + group, PART)

    def join(self, received: Received) -> None:
        """Keep a message at its place in the order; twice is harmless."""
        message = received.message
        assert received.sequence is not None, "it came from the FIFO queue"
        body = encode(message)
        if len(body) > LARGE and "event" in message:
            at = self._payloads.store(
                message["event"], acceptance=message["acceptance"], accepted_at=message["accepted_at"]
            )
            body = encode(pointing(message, at))
        place = {"part": received.sequence.zfill(_DIGITS), "message": body, "sent_at": received.sent_at}
        self._table.put({"id": KEY + message["order"], **place})

    def waiting(self, group: str, page: int) -> Iterator[Place]:
        """Who waits, in order; read so many at a time."""
        for item in self._table.between(("id", KEY + group), ("part", _FIRST, _LAST), page=page):
            yield Place(item["part"], decode(item["message"]), item["sent_at"])

    def leave(self, group: str, place: Place) -> None:
        """A message is done."""
        self._table.delete(KEY + group, place.part)

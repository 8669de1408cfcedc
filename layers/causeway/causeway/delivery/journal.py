"""The journal: one item per delivery, which is its idempotency record and its history.

An attempt begins with a claim: one conditional write by which a delivery becomes ``running`` under a random
token and a lease (the end of the invocation). Whatever the attempt comes to is written on condition of that
token, so a writer whose lease has passed cannot overwrite the attempt that took over.

::

                 claim                    settle
    (no item) ─────────▶ running ──▶ delivered | dead     (until they expire, only a replay goes on)
                            │  ▲
                     settle ▼  │ claim
                          waiting

Which message may claim says :mod:`causeway.delivery.claims`. What is delivered in order has one message for
all its attempts, so there the item alone says which one is next, and when: :mod:`causeway.delivery.ordering`.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from causeway.aws.table import ConditionFailed
from causeway.delivery.claims import CLAIMABLE, FORMAT, NOT_BEGUN, claim_of, compared
from causeway.delivery.going_on import since_of
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.aws.table import Item, Table
    from causeway.delivery.claims import Claim
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message
    from causeway.settings.clock import Clock

PART = "delivery"
"""The range key of a delivery's item."""

BEHIND = "order"
"""The class of the reason for which a delivery waits behind others of its order key."""

GRACE = 3600.0
"""Seconds after which a waiting delivery with a message under way is looked at again, lest there be none."""

SHARDS = "0123456789abcdef"
"""The index of what is due has one shard for each first digit of a delivery's id."""

Status = Literal["running", "waiting", "delivered", "dead"]

_OF_A_SETTLEMENT = (
    *("reason", "error", "steps", "kept", "announced", "expires_at", "slots", "deferrals"),
    *("due_shard", "due_at", "open_shard", "open_at"),
)
_OF_WAITING = ("due_shard", "due_at", "expires_at", "announced")


class NotClaimed(Exception):  # noqa: N818 - it is an answer, not an error
    """The message may not run; ``item`` is the journal's, which says why."""

    def __init__(self, item: Item) -> None:
        super().__init__(f"the delivery is {item['status']} at {item['ticket']}")
        self.item = item


class Superseded(Exception):  # noqa: N818 - it is an answer, not an error
    """Another attempt has claimed the delivery since: the lease had passed."""


class Journal:
    """Claims and settlements of deliveries. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def claim(
        self,
        message: Message,
        event: Event | None,
        *,
        sent_at: float,
        lease: float,
        expires_at: float | None = None,
    ) -> Claim:
        """Claim the delivery for one attempt.

        Args:
            message: What asks for it.
            event: Its event, None when it lies beside the item.
            sent_at: When the message was put on the queue: a replay's time runs from there, whoever replays.
            lease: The end of this invocation.
            expires_at: When to forget it if the attempt is cut off: it has no message, and its client may
                never come back. None: never.

        Raises:
            NotClaimed: the message may not run.
        """
        token = uuid.uuid4().hex
        given: dict[str, JSON] = {"status": "running", "claim": token, "lease": int(lease * 1000)}
        if expires_at is not None:
            given["expires_at"] = int(expires_at)
        try:
            before = self._take(message, event, sent_at, given, CLAIMABLE)
        except NotClaimed as refused:
            before = refused.item
            if before.get("claim") != token:
                raise
            # Our own write, whose answer was lost, and with it what was there before; but for the history.
            before["status"] = "waiting"
        now = int(self._clock.now())
        if before is not None and before.get("expires_at", now) < now:
            before = None
        return claim_of(message, token, since_of(message, sent_at), before)

    def line_up(
        self, message: Message, event: Mapping[str, JSON] | None, *, sent_at: float, reason: str
    ) -> None:
        """The delivery waits behind others of its order key; no attempt was made.

        Args:
            message: Its message, which is kept elsewhere.
            event: Its event, None when it lies beside the item.
            sent_at: When the message was put on the queue.
            reason: Why it waits.

        Raises:
            NotClaimed: the message may not run, or its delivery has begun already.
        """
        given = {"status": "waiting", "lease": 0, "reason": reason, "error": BEHIND}
        open_ = _open(message["integration"], message["delivery"], message["accepted_at"], "waiting")
        self._take(message, event, sent_at, given | open_, NOT_BEGUN)

    def _take(
        self,
        message: Message,
        event: Mapping[str, JSON] | None,
        sent_at: float,
        given: dict[str, JSON],
        condition: str,
    ) -> Item | None:
        """Write what a message brings and these values, on a condition; return what was there before.

        Raises:
            NotClaimed: it does not hold.
        """
        now = self._clock.now()
        brought = ("integration", "system", "acceptance", "accepted_at", "order", "trace", "fingerprint")
        values = {
            "format": FORMAT,
            **{name: message[name] for name in brought if name in message},  # type: ignore[literal-required]
            **({"event_id": event["id"], "event_type": event["type"]} if event else {}),
            "ticket": message["ticket"],
            "updated_at": round(now, 3),
            **given,
        }
        since = {"since": since_of(message, sent_at)}
        first = Ticket.parse(message["ticket"]).attempt == 1
        try:
            return self._table.update(
                message["delivery"],
                PART,
                values=values | (since if first else {}),
                defaults={} if first else since,
                remove=[name for name in _OF_WAITING if name not in values],
                condition=condition,
                given=compared(condition, message, now),
            )
        except ConditionFailed as failed:
            found = failed.item or self.find(message["delivery"])
            if found is None:
                raise
            raise NotClaimed(found) from None

    def note_crash(self, claim: Claim) -> Claim:
        """Write down that the attempt before was cut off, before anything else can be."""
        noted = claim.with_entry(
            {"at": round(self._clock.now(), 3), "ticket": str(claim.ticket), "outcome": "crashed"}
        )
        self._write(claim, {"attempts": noted.attempts})
        return noted

    def delivered(self, claim: Claim, *, expires_at: float, kept: bool) -> None:
        """The delivery is done. It meets repeats of its event until it expires.

        Args:
            claim: With the attempt in its history.
            expires_at: When a repeat would be delivered anew.
            kept: Its event was beside it, and is to be taken away.
        """
        self._settle(claim, "delivered", expires_at=int(expires_at), **({"kept": True} if kept else {}))

    def answered(self, claim: Claim, *, reason: str, error: str, expires_at: float, kept: bool) -> None:
        """The delivery failed for good, and its client, who waited for it, is told: it is done.

        Args:
            claim: With the attempt in its history.
            reason: Why, in words.
            error: The reason's class.
            expires_at: When a repeat would be delivered anew.
            kept: Its event was beside it, and is to be taken away.
        """
        more = {"kept": True} if kept else {}
        self._settle(claim, "delivered", reason=reason, error=error, expires_at=int(expires_at), **more)

    def withdrawn(self, claim: Claim, *, ticket: Ticket, reason: str, error: str, expires_at: float) -> None:
        """The delivery waits for nobody but its client, who was told that nothing is queued: it is not open.

        Args:
            claim: With the attempt in its history.
            ticket: With which it goes on, should the client ask again.
            reason: Why, in words.
            error: The reason's class.
            expires_at: When it is forgotten.
        """
        values = {"ticket": str(ticket), "reason": reason, "error": error, "expires_at": int(expires_at)}
        self._settle(claim, "waiting", **values)

    def waiting(
        self,
        claim: Claim,
        *,
        ticket: Ticket,
        due_at: float | None,
        reason: str | None = None,
        error: str | None = None,
        **more: JSON,
    ) -> None:
        """The delivery waits for a message with this ticket.

        Args:
            claim: With the attempt in its history.
            ticket: What the next message carries.
            due_at: When the scheduler is to look, and what is ordered is not tried before; None: never, its
                event is not beside the item, or its order key says when.
            reason: What the last attempt came to.
            error: The reason's class.
            more: What else the next attempt is to find: ``slots``, ``deferrals``.
        """
        values: dict[str, JSON] = {"ticket": str(ticket), **more}
        if due_at is not None:
            values["due_at"] = int(due_at * 1000)
            if not claim.ordered:
                values["due_shard"] = claim.id[0]
        if reason is not None:
            values |= {"reason": reason, "error": error}
        self._settle(claim, "waiting", **values, **_open_of(claim, "waiting"))

    def hold(self, claim: Claim, *, system: str, reason: str, error: str) -> None:
        """The delivery waits for a system, in order of acceptance, until :meth:`let_go`; it keeps its ticket.

        Args:
            claim: With its history.
            system: For which.
            reason: Why.
            error: The reason's class.
        """
        shard = held_shard(system, claim.id[0])
        values = {"ticket": str(claim.ticket), "due_shard": shard, "due_at": int(claim.since * 1000)}
        self._settle(claim, "waiting", **values, reason=reason, error=error, **_open_of(claim, "waiting"))

    def dead(self, claim: Claim, *, reason: str, error: str, steps: list[str], expires_at: float) -> None:
        """The delivery is given up.

        Args:
            claim: With the attempt in its history.
            reason: Why, in words.
            error: The reason's class.
            steps: The steps that were done.
            expires_at: Until when it can be replayed.
        """
        values = {"reason": reason, "error": error, "steps": steps, "expires_at": int(expires_at)}
        self._settle(claim, "dead", **values, **_open_of(claim, "dead"))

    def announced(self, delivery: str, ticket: str) -> None:
        """The dead delivery has been told of, on the dead-letter queue and the bus."""
        with suppress(ConditionFailed):  # it is being replayed already
            self._table.update(
                delivery,
                PART,
                values={"announced": True},
                condition="#status = :dead AND #ticket = :ticket",
                given={"dead": "dead", "ticket": ticket},
            )

    def find(self, delivery: str) -> Item | None:
        """A delivery's item."""
        return self._table.get(delivery, PART)

    def due(self, shard: str) -> Iterator[Item]:
        """What waits and is due, longest overdue first: the item's keys and what a message needs."""
        return self._due(shard, page=100)

    def held(self, system: str, shard: str) -> Iterator[Item]:
        """What waits for a system, first accepted first: the item's keys and what a message needs."""
        return self._due(held_shard(system, shard), page=50)

    def _due(self, due_shard: str, *, page: int) -> Iterator[Item]:
        now = int(self._clock.now() * 1000)
        return self._table.below("due", ("due_shard", due_shard), ("due_at", now), page)

    def let_go(self, item: Item, at: float) -> None:
        """A delivery that was held has a message now; let the scheduler look at it by this time."""
        with suppress(ConditionFailed):
            self._table.update(
                item["id"],
                PART,
                values={"due_shard": _shard_of(item), "due_at": int(at * 1000)},
                condition="#status = :waiting AND #ticket = :ticket AND #due_shard = :seen",
                given={"waiting": "waiting", "ticket": item["ticket"], "seen": item["due_shard"]},
            )

    def look_again(self, item: Item, at: float) -> None:
        """Let the scheduler look at a waiting delivery later, unless it has moved on."""
        with suppress(ConditionFailed):
            self._table.update(
                item["id"],
                PART,
                values={"due_at": int(at * 1000)},
                condition="#status = :waiting AND #ticket = :ticket AND #due_at = :seen",
                given={"waiting": "waiting", "ticket": item["ticket"], "seen": item["due_at"]},
            )

    def _settle(self, claim: Claim, status: Status, **values: JSON) -> None:
        written = {"status": status, "attempts": claim.attempts, "since": claim.since, **values}
        self._write(claim, written, remove=[name for name in _OF_A_SETTLEMENT if name not in values])

    def _write(self, claim: Claim, values: dict[str, JSON], remove: list[str] | None = None) -> None:
        try:
            self._table.update(
                claim.id,
                PART,
                values={**values, "updated_at": round(self._clock.now(), 3)},
                remove=remove or (),
                condition="#claim = :claim AND #status = :running",
                given={"claim": claim.token, "running": "running"},
            )
        except ConditionFailed as failed:
            # With our claim and status on it, it is our own write, whose answer was lost.
            found = failed.item or self.find(claim.id) or {}
            if (found.get("claim"), found.get("status")) != (claim.token, values.get("status")):
                raise Superseded(claim.id) from None


def _shard_of(item: Item) -> str:
    name: str = item["order"] if "order" in item else item["id"]
    return name[0]


def held_shard(system: str, shard: str) -> str:
    """The shard of what waits for a system."""
    return f"held#{system}#{shard}"


def _open_of(claim: Claim, status: Status) -> dict[str, JSON]:
    return _open(claim.integration, claim.id, claim.accepted_at, status)


def _open(integration: str, delivery: str, accepted_at: float, status: Status) -> dict[str, JSON]:
    return {
        "open_shard": f"{integration}#{delivery[0]}",
        "open_at": f"{status}#{rfc3339(accepted_at)}",
    }

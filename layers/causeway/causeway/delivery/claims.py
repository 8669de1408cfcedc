"""Claims: the right to one attempt, with the history of those before; and which message may have it.

Any message may when there is no item, or one that has expired, which DynamoDB deletes late. From then on the
delivery is its acceptance's until it expires; every other one is a repeat. A message of that acceptance may

* when the item is ``waiting`` with the same ticket or a lower one;
* when it is ``running`` with the same ticket or a lower one, and the lease has passed: that attempt was cut
  off, and this is its message, which came again;
* when it is settled, and the message belongs to a later replay. A message of the replay that was settled is
  stale, even with a higher ticket: it was sent by an attempt that was cut off after sending it.

A repeat may only take over an attempt that was cut off more than an hour ago. Its message must have been lost
(the queue was purged), and the provider was asked to send again what was on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from causeway.queueing.tickets import Ticket

if TYPE_CHECKING:
    from causeway.aws.table import Item
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message

FORMAT = 1
"""Format number of an item; a function reads its own and the one before."""

HELD = frozenset({"limit", "circuit"})
"""The classes of the reasons for which a delivery waits for a system."""

_SLACK = 3600.0
"""Seconds before its acceptance in which an attempt may still be a delivery's own: clocks differ."""

_LOST_AFTER = 3600.0
"""Seconds after its lease in which an attempt that was cut off is gone on with by its own message alone."""

_NONE = "attribute_not_exists(#id) OR #expires_at < :now"
_REPLAYED = "(#status IN (:delivered, :dead) AND #ticket < :chain)"
_NEXT = "((#status = :waiting OR (#status = :running AND #lease < :now_ms)) AND #ticket <= :ticket)"
_LOST = "(#status = :running AND #lease < :lost AND #ticket <= :ticket)"

CLAIMABLE = (
    f"{_NONE} OR (#format <= :format AND"
    f" ((#acceptance = :acceptance AND ({_NEXT} OR {_REPLAYED})) OR {_LOST}))"
)
"""The condition on which a message may have a claim."""

NOT_BEGUN = (
    f"{_NONE} OR (#format <= :format AND #acceptance = :acceptance"
    f" AND ((#status = :waiting AND #ticket < :ticket) OR {_REPLAYED}))"
)
"""The same of a message that is to wait first, and has not waited yet."""

HISTORY = 10
"""So many attempts are kept, the last ones."""


Outcome = Literal["delivered", "filtered", "skipped", "refused", "crashed", "fault", "dead"]
"""What an attempt came to."""


class Entry(TypedDict):
    """One attempt in a delivery's history."""

    at: float
    ticket: str
    outcome: Outcome
    seconds: NotRequired[float]
    status: NotRequired[int]  # of the answer
    headers: NotRequired[dict[str, str]]  # of an answer that was refused, redacted
    step: NotRequired[str]  # the one that was refused; absent: the target
    reason: NotRequired[str]
    error: NotRequired[str]  # the reason's class
    answer: NotRequired[str]  # its beginning, where the system's manifest keeps it


@dataclass(frozen=True)
class Claim:
    """The right to carry out one attempt until its lease ends, and what the journal knew before."""

    id: str
    token: str
    ticket: Ticket
    integration: str
    accepted_at: float
    since: float  # when this chain of attempts began
    attempts: list[Entry]
    resumes: bool  # there was an item: event and answers may be beside it
    cut_off: bool  # the attempt before ended without a word
    held: bool = False  # it waited for a system, and nothing was called since
    ordered: bool = False  # its order key is looked at, not it
    slots: dict[str, float] = field(default_factory=dict)  # by system: reserved when it waited in order
    deferrals: int = 0

    @property
    def crashes(self) -> int:
        """How often this very attempt was cut off."""
        own = str(self.ticket)
        return sum(entry["outcome"] == "crashed" and entry["ticket"] == own for entry in self.attempts)

    def with_entry(self, entry: Entry) -> Claim:
        """The same with one attempt more in its history; of our own faults in a row the last one stays."""
        before = self.attempts
        if before and before[-1]["outcome"] == entry["outcome"] == "fault":
            before = before[:-1]
        return replace(self, attempts=[*before, entry][-HISTORY:])


def compared(condition: str, message: Message, now: float) -> dict[str, JSON]:
    """The values that one of these conditions names beside what the message brings."""
    every: dict[str, JSON] = {
        **{name: name for name in ("waiting", "delivered", "dead", "running")},
        "now": int(now),
        "now_ms": int(now * 1000),
        "lost": int((now - _LOST_AFTER) * 1000),
        "chain": Ticket.parse(message["ticket"]).chain,
    }
    return {name: value for name, value in every.items() if re.search(rf":{name}\b", condition)}


def claim_of(message: Message, token: str, since: float, before: Item | None) -> Claim:
    """The claim that was made.

    Args:
        message: Whose it is.
        token: Its own.
        since: When the message's chain of attempts begins.
        before: The item that was there.
    """
    ticket = Ticket.parse(message["ticket"])
    same_ticket = before is not None and before["ticket"] == str(ticket)
    keeps_time = before is not None and "since" in before and (same_ticket or ticket.attempt > 1)
    history: list[Entry] = before.get("attempts", []) if before else []
    return Claim(
        id=message["delivery"],
        token=token,
        ticket=ticket,
        integration=message["integration"],
        accepted_at=message["accepted_at"],
        since=before["since"] if before and keeps_time else since,
        # A claim over an expired item, cut off, leaves that one's history behind; it is days older.
        attempts=[entry for entry in history if entry["at"] > message["accepted_at"] - _SLACK],
        resumes=before is not None,
        cut_off=before is not None and same_ticket and before["status"] == "running",
        held=before is not None and before["status"] == "waiting" and before.get("error") in HELD,
        ordered="order" in message,
        slots=before.get("slots", {}) if before else {},
        deferrals=before.get("deferrals", 0) if before else 0,
    )

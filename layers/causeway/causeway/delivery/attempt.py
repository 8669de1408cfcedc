"""One attempt at one delivery: what it was given, and what it has come to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from causeway.delivery.beside import NOTHING
from causeway.delivery.redaction import redactor
from causeway.delivery.steps import Progress
from causeway.telemetry.logs import about

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.calls.outcome import Answer
    from causeway.delivery.beside import Kept, Reply
    from causeway.delivery.claims import Claim, Outcome
    from causeway.delivery.received import Fate, Received
    from causeway.delivery.work import Invocation, Tools
    from causeway.plan.records import JSON, Integration


class Attempt:
    """What is known of an attempt; :class:`~causeway.delivery.attempting.Attempting` makes it.

    Args:
        tools: What all deliveries share.
        invocation: Which one it is in.
        received: Its message.
        alone: Nothing else runs beside it.
    """

    claimed: Claim
    """Set when it is claimed, before anything else is asked of it."""

    def __init__(
        self, tools: Tools, invocation: Invocation, received: Received, *, alone: bool = False
    ) -> None:
        self.tools = tools
        self.invocation = invocation
        self.received = received
        self.message = received.message
        self.alone = alone
        self.started = tools.clock.now()
        self.integration: Integration | None = tools.plan.integrations.get(self.message["integration"])
        self.event = self.message.get("event")
        self.kept: Kept = NOTHING
        self.slots = dict(self.message.get("slots", {}))
        self.deferrals = self.message.get("deferrals", 0)
        self.its_turn: set[str] = set()  # systems that it came for with a slot, or let go
        self.progress = Progress()
        self.outcome: Outcome = "delivered"
        self.answer: Answer | None = None
        self.called: str | None = None  # who was sent to last: a system's name, or a target that is none
        self.reply: Reply | None = None  # of a request: what its client is answered
        self.fate: Fate | None = None  # set when the journal has what it came to

    @property
    def id(self) -> str:
        """The delivery's id, which is the key."""
        return self.message["delivery"]

    @cached_property
    def about(self) -> dict[str, JSON]:
        """What a log line about it says."""
        return about(
            system=self.message["system"],
            integration=self.message["integration"],
            event_id=self.event["id"] if self.event else None,
            delivery_id=self.id,
            attempt=self.claimed.ticket.attempt,
            accepted_in=self.message.get("trace"),
        )

    @cached_property
    def redact(self) -> Callable[[str], str]:
        """Takes out of a text what the source's manifest redacts."""
        source = self.tools.plan.systems.get(self.message["system"])
        return redactor(source["redact"] if source else [], self.event)

    @property
    def ordered(self) -> bool:
        """Whether others wait for it: then it keeps its message until it is done."""
        return "order" in self.message

    def keep(self, answers: dict[str, JSON], *, expires_at: float | None = None) -> None:
        """Keep the event and these answers beside the item."""
        if self.event is None and self.message.get("event_at") == "journal":
            return  # there is none any more
        self.kept = self.tools.beside.keep(self.message, self.event, answers, expires_at=expires_at)

"""A message of the queue as a function received it, and what can become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.queueing.tickets import Ticket
from causeway.telemetry.logs import about

if TYPE_CHECKING:
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message


class Received(NamedTuple):
    """A message, as it came from the queue."""

    message: Message
    record_id: str
    receipt: str
    sent_at: float
    receives: int
    sequence: str | None = None  # its place in its group on the FIFO queue; None: it came from the other one


class Fate(NamedTuple):
    """What becomes of a message: deleted, or back on the queue after so many seconds.

    One that keeps its order and has to wait until the scheduler lets it go says for which ``system``.
    """

    outcome: str
    back: float | None = None
    system: str | None = None


ALONE = Fate("alone", 0)
"""It is to be run after all others of its batch."""


class Postponed(Exception):  # noqa: N818 - it is no error
    """No attempt can be made now; says what becomes of the message."""

    def __init__(self, reason: str, fate: Fate) -> None:
        super().__init__(reason)
        self.fate = fate


class Paused(Exception):  # noqa: N818 - likewise
    """The integration is paused; says by whom and why."""


class GivenUp(Exception):  # noqa: N818 - likewise
    """There is no point in trying; ``kind`` is the reason's class."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind


def about_message(message: Message) -> dict[str, JSON]:
    """What a log line about a message says; of an event that lies elsewhere the id is not at hand."""
    return about(
        system=message["system"],
        integration=message["integration"],
        event_id=message["event"]["id"] if "event" in message else None,
        delivery_id=message["delivery"],
        attempt=Ticket.parse(message["ticket"]).attempt,
        accepted_in=message.get("trace"),
    )

"""One message carried out: its attempt, or what becomes of a message that may not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.delivery.attempting import Attempting
from causeway.delivery.claims import FORMAT as ITEM_FORMAT
from causeway.delivery.history import in_words
from causeway.delivery.journal import NotClaimed, Superseded
from causeway.delivery.once import once
from causeway.delivery.received import Fate, about_message
from causeway.delivery.settling import back, dedupe_for, list_done
from causeway.queueing.tickets import Ticket

if TYPE_CHECKING:
    from causeway.aws.table import Item
    from causeway.delivery.received import Received
    from causeway.delivery.work import Invocation, Tools
    from causeway.queueing.messages import Message

UNKNOWN_FOR = 3600.0
"""Seconds after a message was sent during which an integration that the plan does not know may yet be
deployed."""

LOOK_AGAIN = 60.0
_AFTER_THE_LEASE = 1.0


class Carrier:
    """Carries out messages of one invocation."""

    def __init__(self, tools: Tools, invocation: Invocation) -> None:
        self.tools = tools
        self.invocation = invocation

    def carry_out(self, received: Received, *, alone: bool = False) -> Fate:
        """Make the attempt that a message stands for; what becomes of the message.

        Args:
            received: The message.
            alone: Nothing else runs beside it.
        """
        try:
            return self._attempt(received, alone=alone)
        finally:
            self.invocation.gathering.left(received.message["integration"], received.record_id)

    def _attempt(self, received: Received, *, alone: bool) -> Fate:
        attempt = Attempting(self.tools, self.invocation, received, alone=alone)
        if attempt.integration is None and self.tools.clock.now() < received.sent_at + UNKNOWN_FOR:
            return Fate("unknown", LOOK_AGAIN)
        if not attempt.has_time():
            return Fate("no time", 0)
        try:
            once(attempt, self.invocation.context)
        except NotClaimed as refused:
            return self._refused(received, refused.item, alone=alone)
        except Superseded:
            return Fate("superseded", back(received))
        except Exception as error:  # noqa: BLE001 - the edge: no delivery's failure may become another's
            return attempt.fate or self.fault(received, error)
        assert attempt.fate is not None, "what ends without an exception is settled"
        return attempt.fate

    def _refused(self, received: Received, item: Item, *, alone: bool) -> Fate:
        """What becomes of a message that may not run with the ticket that it carries."""
        later = goes_on(received, item, self.tools.clock.now())
        if later is None:
            return self.met(received, item)
        wait, raised = later
        return Fate("waits", wait) if wait else self._attempt(raised, alone=alone)

    def met(self, received: Received, item: Item) -> Fate:
        """What becomes of a message that may not run, by the item that it met."""
        now = self.tools.clock.now()
        left = item["lease"] / 1000 - now
        dead = item["status"] == "dead" and not item.get("announced")
        if item["format"] > ITEM_FORMAT:
            return Fate("newer", LOOK_AGAIN)
        # What runs may yet be cut off, and by now its lease may have passed that had not when it was met.
        if may_take_over(received.message, item) or (dead and left >= 0):
            return Fate("running", max(left, 0.0) + _AFTER_THE_LEASE)
        try:
            if dead:  # whoever gave it up was cut off before saying so
                self.tools.giving_up.announce(item["id"])
            if item["status"] == "delivered" and item.get("kept"):  # ... before tidying up
                self.tools.beside.delete(item["id"])
        except AwsError as error:
            return self.fault(received, error)
        return self._list(received, item)

    def fault(self, received: Received, error: Exception) -> Fate:
        """The journal could not be read or written: the message comes again, and finds things as they are."""
        self.tools.logger.error(
            "could not be written down, comes again",
            **about_message(received.message),
            reason=in_words(error),
        )
        return Fate("fault", back(received))

    def _list(self, received: Received, item: Item) -> Fate:
        """List repeats, and what was delivered by an invocation that was cut off before it listed it."""
        message, pages = received.message, self.invocation.pages
        expires_at = self.tools.clock.now() + dedupe_for(self.tools, message)
        if item["acceptance"] != message["acceptance"]:
            pages.duplicate(message, record_id=received.record_id, expires_at=expires_at)
            self.tools.metrics.add("DeliveriesDuplicate")
            return Fate("duplicate")
        if item["status"] == "delivered":
            before = item.get("attempts", [])
            list_done(pages, received, before, at=item["updated_at"], expires_at=expires_at)
        return Fate("stale")


def may_take_over(message: Message, item: Item) -> bool:
    """Whether a message is that of the attempt that runs, or of a later one, should it be cut off.

    Any other is done: it must not hold up those behind it of its order key, the running attempt's among them.
    """
    if item["status"] != "running" or item["acceptance"] != message["acceptance"]:
        return False
    own, its = Ticket.parse(message["ticket"]), Ticket.parse(item["ticket"])
    return own >= its or ("order" in message and own.replay == its.replay)


def goes_on(received: Received, item: Item, now: float) -> tuple[float, Received] | None:
    """Whether an ordered message, which may not run with its own ticket, stands for the item's next attempt.

    It does for all attempts of its chain: the item says which one is next, and when.

    Returns:
        In how many seconds, and the message with that ticket; None: it does not.
    """
    message = received.message
    own, its = Ticket.parse(message["ticket"]), Ticket.parse(item["ticket"])
    same = item["acceptance"] == message["acceptance"] and own.replay == its.replay and own <= its
    open_ = item["status"] == "waiting" or (item["status"] == "running" and item["lease"] < now * 1000)
    if "order" not in message or not same or not open_:
        return None
    wait = max(0.0, item["due_at"] / 1000 - now) if item["status"] == "waiting" and "due_at" in item else 0.0
    return wait, received._replace(message={**message, "ticket": item["ticket"]})

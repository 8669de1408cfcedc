"""An attempt for whose end a client waits.

It is an attempt like any other (:class:`causeway.delivery.attempting.Attempting`), but no message stands
behind it: until its client hears a 2xx nothing was promised. So whatever it comes to has to be said, or
handed over:

* delivered: the reply, kept, then given;
* refused, and the schedule has another try that could end in time: tried again here, under the same claim;
* failed for good: that is the answer. The client knows, so nobody else is told: no dead letter;
* not done, and the manifest says ``queue``: first the message that comes next, then the journal, then 202;
* not done, and it says ``refuse``: withdrawn. Nothing is queued; the client may come again with its key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.calls.outcome import Refused
from causeway.delivery import parking, replies, settling
from causeway.delivery.attempting import Attempting
from causeway.delivery.beside import REPLY_FOR
from causeway.delivery.history import entry_of, reason_of
from causeway.delivery.journal import GRACE
from causeway.delivery.received import Fate, GivenUp, Paused, Postponed
from causeway.delivery.schedule import NoMoreAttempts
from causeway.delivery.transforms import TransformFailed
from causeway.events.expressions import ExpressionError
from causeway.limiting.turns import Held
from causeway.queueing.sending import NotQueued

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.received import Received
    from causeway.delivery.targets import Place
    from causeway.delivery.work import Invocation, Tools
    from causeway.plan.records import JSON

QUEUED = "queued"
"""The fate of a delivery that goes on without its client."""

WITHDRAWN = "withdrawn"
"""The fate of one that does not, and may be asked for again."""

ANSWERED = "answered"
"""The fate of one that failed for good, which was the answer."""

_MOMENT = 1.0
"""Seconds that a message is late, so that it does not overtake the journal."""


class Waited(Attempting):
    """One attempt while its client waits.

    Args:
        tools: What all deliveries share.
        invocation: Which one it is in; its last call ends when the client is to be answered.
        received: Its message, which is on no queue.
        refuses: Nothing is to be queued.
        at_once: The client does not want to wait at all.
    """

    forgotten_after = REPLY_FOR

    def __init__(
        self, tools: Tools, invocation: Invocation, received: Received, *, refuses: bool, at_once: bool
    ) -> None:
        super().__init__(tools, invocation, received, alone=True)
        self.refuses = refuses
        self.at_once = at_once
        self.error: Exception | None = None
        self.leaves = False  # it goes on without its client

    def run(self, *, delivery_id: str) -> None:
        """Do what is left of the delivery, unless its client does not wait for it."""
        if self.at_once:
            raise Postponed("its client does not wait for it", Fate(QUEUED))
        super().run(delivery_id=delivery_id)

    def failed(self, error: Exception) -> None:
        """Say it, or hand it over."""
        self.error = error
        if self._is_final(error):
            self.fate = self._answer(error)
        elif self.refuses:
            self.fate = self._withdraw(error)
        else:
            try:
                self.fate = self._go_on_later(error)
            except (AwsError, NotQueued) as fault:
                self.error = fault
                self.fate = self._withdraw(fault)

    def keep(self, answers: dict[str, JSON], *, expires_at: float | None = None) -> None:
        """Keep the event and these answers, never for good: whoever is cut off here may be the last.

        What goes on without its client is kept as long as a dead letter, and for good by the next attempt.
        """
        seconds = self.tools.keep_dead if self.leaves else REPLY_FOR
        super().keep(answers, expires_at=expires_at or self.tools.clock.now() + seconds)

    def _carry(self, place: Place, scope: Mapping[str, JSON], *, step: str | None) -> Answer:
        while True:
            try:
                return super()._carry(place, scope, step=step)
            except Refused as refused:
                due = self._due_here(refused, place)
                if due is None:
                    raise
                self._note(refused)
                self.tools.clock.sleep(due - self.tools.clock.now())
                self.started = self.tools.clock.now()

    def _due_here(self, refused: Refused, place: Place) -> float | None:
        """When it can be tried again here; None: not in time, or not at all."""
        if self._is_final(refused) or parking.wants_pause(self, refused):
            return None
        due = settling.due_again(self, refused)
        return due if self.invocation.has_time_for(place.timeout, due) else None

    def _is_final(self, error: Exception) -> bool:
        """Whether no later attempt could come to anything else."""
        match error:
            case Refused():
                return not parking.wants_pause(self, error) and not self._has_more(error)
            case GivenUp() | ExpressionError() | TransformFailed():
                return True
        return False

    def _has_more(self, refused: Refused) -> bool:
        if not refused.retry or settling.aborted(refused):
            return False
        try:
            settling.due_again(self, refused)
        except NoMoreAttempts:
            return False
        return True

    def _note(self, refused: Refused) -> None:
        """The try in the delivery's history, and the next one's number."""
        self.tools.metrics.add("DeliveriesRetried")
        entry = entry_of(self, "refused", reason_of(self, refused), refused.kind)
        claim = self.claimed.with_entry(entry)
        self.claimed = replace(claim, ticket=claim.ticket.next())

    def _answer(self, error: Exception) -> Fate:
        tools, reason, kind = self.tools, reason_of(self, error), kind_of(error)
        replies.keep(self, kind)
        entry = entry_of(self, "refused", reason, kind)
        tools.journal.answered(
            self.claimed.with_entry(entry),
            reason=reason,
            error=kind,
            expires_at=tools.clock.now() + settling.dedupe_for(tools, self.message),
            kept=self.kept.there,
        )
        if self.kept.there:
            tools.beside.delete(self.id)
        tools.logger.warning("failed, which its client was answered", **self.about, reason=reason, error=kind)
        return Fate(ANSWERED)

    def _withdraw(self, error: Exception) -> Fate:
        tools, reason, kind = self.tools, reason_of(self, error), kind_of(error)
        claim, ticket = self.claimed, self.claimed.ticket
        if isinstance(error, Refused):
            claim = claim.with_entry(entry_of(self, "refused", reason, kind))
            ticket = ticket.next()
            if parking.wants_pause(self, error):
                parking.pause(self, reason)
        tools.journal.withdrawn(
            claim, ticket=ticket, reason=reason, error=kind, expires_at=tools.clock.now() + REPLY_FOR
        )
        tools.logger.warning("not done, and nothing is queued", **self.about, reason=reason, error=kind)
        return Fate(WITHDRAWN)

    def _go_on_later(self, error: Exception) -> Fate:
        self.leaves = True
        if isinstance(error, Refused | Paused | Held):
            fate = settling.follow(self, error)
            return fate if fate.outcome == "dead" else Fate(QUEUED)  # dead: its time was up
        # No attempt was made, or it met a fault of ours: it goes on with the ticket that it has.
        tools, claim = self.tools, self.claimed
        reason = reason_of(self, error)
        if self.kept.there:
            self.keep(self.kept.answers)
        tools.queue.send([{**self.message, "ticket": str(claim.ticket)}], delay=_MOMENT)
        due_at = tools.clock.now() + GRACE if self.kept.there else None
        tools.journal.waiting(claim, ticket=claim.ticket, due_at=due_at, reason=reason, error=kind_of(error))
        tools.logger.info("goes on without its client", **self.about, reason=reason)
        return Fate(QUEUED)


def kind_of(error: Exception) -> str:
    """The class of a reason, as the journal has it."""
    match error:
        case Refused() | GivenUp() | Held():
            return error.kind
        case ExpressionError() | TransformFailed():
            return "mapping"
        case Paused():
            return parking.PARKED
        case Postponed():
            return error.fate.outcome
    return "fault"

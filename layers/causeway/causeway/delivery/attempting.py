"""Making an attempt: claim the delivery, carry it out. :mod:`~causeway.delivery.settling` does the rest."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from causeway.calls.outcome import Refused
from causeway.delivery import holding, parking, settling
from causeway.delivery.attempt import Attempt
from causeway.delivery.received import ALONE, Fate, GivenUp, Postponed
from causeway.delivery.steps import carry_out, own_headers, resumable
from causeway.delivery.targets import place_of
from causeway.delivery.targets.sending import AWS_TIMEOUT, About, Means
from causeway.events.envelope import scope_of
from causeway.events.expressions import ask
from causeway.events.ordering import key_of
from causeway.telemetry.tracing import subsegment, trace_header, traceparent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.targets import Place
    from causeway.events.envelope import Event
    from causeway.limiting.admission import Call
    from causeway.plan.records import JSON, Integration

CRASHES = 3
"""An attempt that was cut off so often is not made again; from one less on it is made alone."""


class Attempting(Attempt):
    """An attempt, as :func:`causeway.delivery.once.once` runs it."""

    forgotten_after: float | None = None
    """Seconds after which an attempt that was cut off is forgotten; None: never, its message comes again."""

    def has_time(self) -> bool:
        """Whether its first call could end within this invocation."""
        if self.integration is None:
            return True
        calling = (step for step in self.integration["steps"] if "call" in step)
        first = place_of(next(calling, self.integration["target"]))
        return self.invocation.has_time_for(first.timeout, self.tools.clock.now())

    def claim(self) -> None:
        """Claim the delivery, and note it if the attempt before was cut off.

        Raises:
            NotClaimed: it may not run.
        """
        journal, after = self.tools.journal, self.forgotten_after
        self.claimed = journal.claim(
            self.message,
            self.event,
            sent_at=self.received.sent_at,
            lease=self.invocation.deadline,
            expires_at=None if after is None else self.started + after,
        )
        self.slots = self.claimed.slots | self.slots
        self.deferrals = max(self.deferrals, self.claimed.deferrals)
        if self.message.get("missed") and not self.claimed.resumes:
            self.tools.metrics.add("MissedByWebhook")
        if self.claimed.cut_off:
            self.claimed = journal.note_crash(self.claimed)

    def run(self, *, delivery_id: str) -> None:
        """Do what is left of the delivery.

        Args:
            delivery_id: Its id, by which Powertools knows it.

        Raises:
            Exception: what :func:`causeway.delivery.settling.failed` knows how to follow.
        """
        if self.claimed.resumes:
            self.kept = self.tools.beside.read(delivery_id, self.message["acceptance"])
            self.event = self.event or self.kept.event
            steps = self.integration["steps"] if self.integration and not self.claimed.held else None
            self.progress.answers |= resumable(steps, self.kept.answers)
        if self.integration is not None:
            parking.check(self)
        if self.claimed.crashes >= CRASHES:
            raise GivenUp(
                f"the attempt was cut off {CRASHES} times (a crash, or out of time or memory)", "crashed"
            )
        if self.claimed.crashes == CRASHES - 1 and not self.alone:
            raise Postponed("it was cut off before, and runs alone after all others of its batch", ALONE)
        if self.integration is None:
            raise GivenUp("the integration is no longer in the plan", "removed")
        self._deliver(self.integration, self._load())

    def succeeded(self) -> None:
        """It was delivered."""
        self.fate = settling.delivered(self)

    def failed(self, error: Exception) -> None:
        """It was not."""
        self.fate = settling.failed(self, error)

    def _load(self) -> Event:
        if self.event is None:
            self.event = self.tools.queue.event_of(self.message)
        if self.event is None:
            raise GivenUp("its event is no longer kept", "lost")
        return self.event

    def _deliver(self, integration: Integration, event: Event) -> None:
        # The plan of the moment decides, so the filter is asked again.
        scope = scope_of(event, integration["constants"], {})
        if "filter" in integration and not ask(integration["filter"], scope):
            self.outcome = "filtered"
            return
        key_of(integration, event)  # it stays in the group that it has, but without a key there is no order
        self.answer = carry_out(integration, event, self.progress, carry=self._carry, keep=self.keep)
        if self.answer is None:
            self.outcome = "skipped"

    def _carry(self, place: Place, scope: Mapping[str, JSON], *, step: str | None) -> Answer:
        self._check_time(place)
        with holding.calling(self, place) as call:
            return self._send(place, scope, step=step, call=call)

    @contextmanager
    def _admitted(self, place: Place, call: Call) -> Iterator[None]:
        """While a request of a call is under way; before it, it may be waited."""
        with call.request():
            self._check_time(place)
            yield

    def _check_time(self, place: Place) -> None:
        if not self.invocation.has_time_for(place.timeout, self.tools.clock.now()):
            raise Postponed("the invocation has no time left for the next call", Fate("no time", 0))

    def _send(
        self, place: Place, scope: Mapping[str, JSON], *, step: str | None, call: Call | None
    ) -> Answer:
        self.called = place.receiver
        ticket = self.claimed.ticket
        headers = own_headers(ticket.key(self.id), self._load(), step=step, attempt=ticket.attempt)
        headers["traceparent"] = traceparent(self.message.get("trace") or trace_header())
        integration = self.message["integration"]
        about = About(self.id, integration, headers)
        try:
            with subsegment(place.receiver, integration=integration, system=place.receiver):
                answer = place.kind.send(place.words, scope, about, self._means(place, call))
        except Refused as refused:
            self.answer = refused.answer
            self._measure(step, refused.answer)
            if call is not None:
                call.refused(refused)
            raise
        self._measure(step, answer)
        if call is not None:
            call.answered(answer)
        return answer

    def _means(self, place: Place, call: Call | None) -> Means:
        """What is sent with."""
        tools, end = self.tools, self.invocation.last_call_ends
        together = partial(
            self.invocation.gathering.together,
            self.message["integration"],
            self.received.record_id,
            patience=end - AWS_TIMEOUT - tools.clock.now(),
        )
        admitted = partial(self._admitted, place, call) if call else nullcontext
        return Means(tools.caller, tools.aws, end, together, admitted)

    def _measure(self, step: str | None, answer: Answer | None) -> None:
        if step is None and answer is not None:
            self.tools.metrics.add("TargetLatency", answer.seconds * 1000)
            self.invocation.calls.append((answer.seconds, self.called or ""))

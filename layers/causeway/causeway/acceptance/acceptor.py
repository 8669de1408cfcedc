"""Accepting events: all messages are stored, or it fails; only then is anything counted or said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.acceptance.lines import LINE, parts
from causeway.acceptance.sorting import sort_events
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from causeway.acceptance.sightings import Sightings
    from causeway.acceptance.sorting import Outcome, Takers
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message
    from causeway.telemetry.metrics import Metrics

    class Store(Protocol):
        """Where messages go; :class:`causeway.queueing.queue.Queue` is one."""

        def send(self, messages: Sequence[Message]) -> None:
            """Store all of them, or raise ``NotQueued``."""


class Acceptor:
    """Accepts events for a function.

    Args:
        store: Where their messages go.
        metrics: What is counted.
        sightings: Where it is noted that a source sent what filters left out; None: nowhere.
    """

    def __init__(self, store: Store, metrics: Metrics, sightings: Sightings | None = None) -> None:
        self._store = store
        self._metrics = metrics
        self._sightings = sightings

    def accept(
        self, events: Sequence[Event], takers: Takers, *, system: str, now: float, **said: JSON
    ) -> Outcome:
        """Accept all of these events, or none of them for good: whoever sent them sends them again.

        Args:
            events: Of one request, page or call.
            takers: Whom one of them may concern.
            system: Who sent them.
            now: When that is: epoch seconds.
            said: What the line says beside the rest.

        Raises:
            NotQueued: not all messages could be stored; some may be.
        """
        outcome = sort_events(events, takers, system=system, now=now)
        if outcome.messages:
            self._store.send(outcome.messages)
        self._tell(system, events, outcome, now, said)
        if self._sightings and outcome.filtered:
            self._sightings.filtered(outcome.filtered)
        return outcome

    def _tell(
        self, system: str, events: Sequence[Event], outcome: Outcome, now: float, said: dict[str, JSON]
    ) -> None:
        """The line from which the books are kept: after the queue has the messages, before the answer.

        What a line has no room for is in further ones, and only the first says what is of all events.
        """
        whole: dict[str, JSON] = {
            "events": len(events),
            "event_id": events[0]["id"] if len(events) == 1 else None,
            "filtered": outcome.filtered,
            "unmatched": outcome.unmatched,
        }
        for part in parts(outcome.messages):
            logger().info(LINE, **said, system=system, **whole, **part, accepted_at=now)
            whole = {"events": 0, "event_id": None, "filtered": {}, "unmatched": 0}
        counts = {
            "DeliveriesQueued": outcome.accepted.total(),
            "DeliveriesFiltered": outcome.filtered.total(),
            "EventsUnmatched": outcome.unmatched,
        }
        for name, count in counts.items():
            if count:
                self._metrics.add(name, count)

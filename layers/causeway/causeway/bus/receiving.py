"""One event from the stack's bus: messages on the queue, or the invocation fails and comes again.

EventBridge invokes the webhook function, and asynchronously: what raises here is tried again by Lambda, and
lies in a queue with an alarm after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.acceptance.acceptor import Acceptor
from causeway.bus.announcements import RULE, SOURCE
from causeway.bus.patterns import matches
from causeway.events.envelope import make_event
from causeway.plan.sources import BUS
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.acceptance.acceptor import Store
    from causeway.acceptance.sightings import Sightings
    from causeway.events.envelope import Event
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON, Integration
    from causeway.queueing.payloads import Payloads
    from causeway.settings.clock import Clock
    from causeway.telemetry.metrics import Metrics


class BusReceiver:
    """Accepts events from the bus. One object serves an instance of the function.

    Args:
        plan: Whom they may concern.
        store: Where messages go.
        payloads: Where the answers in large announcements lie.
        clock: The time.
        metrics: What is counted.
        sightings: As an acceptor is given them.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        store: Store,
        payloads: Payloads,
        clock: Clock,
        metrics: Metrics,
        sightings: Sightings | None = None,
    ) -> None:
        self._plan = plan
        self._acceptor = Acceptor(store, metrics, sightings)
        self._payloads = payloads
        self._clock = clock

    def take(self, entry: Mapping[str, JSON]) -> None:
        """Accept one event, as EventBridge sends it.

        Raises:
            NotQueued: not all messages could be stored; some may be.
            AwsError: what an announcement points to could not be read.
        """
        if not matches(RULE, entry):
            logger().warning("not taken from the bus", event_id=entry["id"], source=entry["source"])
            return
        if entry["source"] == SOURCE and "answers_at" in entry["detail"]:
            answers = self._payloads.read(entry["detail"]["answers_at"])
            entry = {**entry, "detail": {**entry["detail"], "answers": answers}}
        takers = takers_of(self._plan, entry)
        if takers or entry["source"] != SOURCE:  # of what is announced nobody need take anything
            self._acceptor.accept([event_of(entry)], lambda _: takers, system=BUS, now=self._clock.now())


def event_of(entry: Mapping[str, JSON]) -> Event:
    """An event from the bus as integrations see it.

    Announcements name themselves, so that one that is told twice is one event.
    """
    own = entry["source"] == SOURCE
    return make_event(
        id=entry["detail"].get("id", entry["id"]) if own else entry["id"],
        type=entry["detail-type"],
        source=entry["source"],
        time=entry["time"],
        data=entry["detail"],
    )


def entry_of(event: Event) -> dict[str, JSON]:
    """The event as it was on the bus, as far as it is known afterwards."""
    return {
        "id": event["id"],
        "detail-type": event["type"],
        "source": event["source"],
        "time": event["time"],
        "detail": event.get("data"),
    }


def takers_of(plan: Plan, entry: Mapping[str, JSON]) -> list[Integration]:
    """The integrations whose patterns an event matches."""
    return [taker for taker in plan.on_bus if matches(taker["source"]["bus"], entry)]

"""What the scheduler does each minute: a message for each poll that is due.

Due is a poll whose last slot has not been read to its end. So nothing is written down when a message is
sent, and nothing is lost when a minute is, or a message: whoever looks next finds the same slot, or a later
one that covers it. What is sent twice is one message within five minutes, and afterwards one that goes on
with the run or finds nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.polling.schedules import last_slot
from causeway.polling.states import covered
from causeway.polling.taking import is_taken
from causeway.polling.ticks import make_tick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Table
    from causeway.plan.plan import Plan
    from causeway.plan.records import Poll
    from causeway.polling.ticks import PollQueue
    from causeway.settings.clock import Clock

AGAIN_AFTER = 300.0
"""Seconds after which a slot that is still not covered is looked at again: so long SQS knows repeats."""


class Dispatching:
    """Makes messages of due polls; one object serves an instance of the scheduler."""

    def __init__(self, plan: Plan, state: Table, ticks: PollQueue, clock: Clock) -> None:
        self._plan = plan
        self._state = state
        self._ticks = ticks
        self._clock = clock
        self._sent: dict[tuple[str, str], tuple[float, float]] = {}  # the slot, and when that was

    def run(self, *, until: float) -> int:
        """Send what is due; return how many that was. What is left over at ``until`` is the next minute's.

        Raises:
            AwsError: a state could not be read, or a message not be sent.
        """
        return sum(self._send(poll) for poll in self._polls() if self._clock.now() < until)

    def _polls(self) -> Iterator[Poll]:
        """Those whose records somebody takes."""
        for system in self._plan.systems.values():
            for poll in system.get("polls", {}).values():
                if is_taken(self._plan, poll):
                    yield poll

    def _send(self, poll: Poll) -> bool:
        name = poll["system"], poll["name"]
        now = self._clock.now()
        slot = last_slot(poll, now)
        sent, at = self._sent.get(name, (0.0, 0.0))
        if sent == slot and now < at + AGAIN_AFTER:
            return False
        due = covered(self._state, *name) < slot
        if due:
            self._ticks.send(make_tick(*name, slot))
        self._sent[name] = slot, now
        return due

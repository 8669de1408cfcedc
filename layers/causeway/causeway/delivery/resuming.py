"""Releasing what waits after a pause, at a bounded rate: by the scheduler, minute after minute.

A step works off one batch and notes in the state how far it got, so that whoever makes the next one goes on
there. The journal is gone through twice: an instance may rely for five seconds on what it read of the pause,
and so park a delivery just behind the first pass. What should slip through even so is looked at within a day,
as its due time says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causeway.aws.table import ConditionFailed
from causeway.delivery.going_on import wake
from causeway.delivery.listing import BEGINNING, walk
from causeway.delivery.parking import PARKED
from causeway.delivery.pauses import RELEASES

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Item, Table
    from causeway.delivery.pauses import Pauses
    from causeway.plan.records import JSON
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

LATE = 30.0
"""Seconds after a resume in which an instance may still park a delivery; then the second pass begins."""

EARLY = 60.0
"""Seconds before a resume: what was parked since then concerns the second pass, too."""

DONE = 3
"""The pass of a release that has nothing left to do."""

_MOST = 100
_REMEMBERED = 86400.0


class Resuming:
    """Releases deliveries of integrations that were resumed.

    Args:
        journal: The journal's table.
        state: The state's table.
        pauses: What is paused.
        queue: Where deliveries go.
        clock: The time.
        logger: Hears when an integration is done.
    """

    def __init__(
        self, *, journal: Table, state: Table, pauses: Pauses, queue: Queue, clock: Clock, logger: Logger
    ) -> None:
        self._journal = journal
        self._state = state
        self._pauses = pauses
        self._queue = queue
        self._clock = clock
        self._logger = logger

    def run(self, *, until: float) -> int:
        """Release until a time, or until there is nothing left; return how many were released.

        Raises:
            AwsError: a table could not be read or written.
            NotQueued: the queue did not take them.
        """
        released = 0
        while (now := self._clock.now()) < until:
            releases = [each for each in self._state.parts(RELEASES) if each["pass"] != DONE]
            due = [each for each in releases if each["not_before"] <= now and self._may(each)]
            for each in due:
                released += self.step(each)
            if not due:
                later = [each["not_before"] for each in releases if each["not_before"] > now]
                if not later or min(later) >= until:
                    break
                self._clock.sleep(min(later) - now)
        return released

    def step(self, release: Item) -> int:
        """Release one batch; return how many.

        Args:
            release: What :meth:`run` found in the state.
        """
        integration, rate = release["part"], release["rate"]
        second = release["pass"] == 2  # noqa: PLR2004 - the second
        items, position = walk(
            self._journal,
            [integration],
            "waiting",
            position=release.get("position", BEGINNING),
            limit=max(1, min(_MOST, math.floor(rate))),
        )
        parked = [item for item in items if item.get("error") == PARKED]
        if second:
            parked = [item for item in parked if item["updated_at"] >= release["resumed_at"] - EARLY]
        self._queue.send([wake(item) for item in parked])
        released = release["released"] + len(parked)
        not_before = self._clock.now() + len(parked) / rate
        values: dict[str, JSON] = {"released": released, "position": position, "not_before": not_before}
        if position is None and second:
            values |= {"pass": DONE, "expires_at": int(not_before + _REMEMBERED)}
            self._logger.info("resumed", integration=integration, released=released)
        elif position is None:
            not_before = max(not_before, release["resumed_at"] + LATE)
            values |= {"pass": 2, "position": BEGINNING, "not_before": not_before}
        self._note(release, values)
        return len(parked)

    def _may(self, release: Item) -> bool:
        return not self._pauses.now(
            release["part"]
        ).paused  # it was paused again: the next resume begins anew

    def _note(self, release: Item, values: dict[str, JSON]) -> None:
        try:
            self._state.update(
                RELEASES,
                release["part"],
                values=values,
                condition="#resumed_at = :resumed AND #released = :before",
                given={"resumed": release["resumed_at"], "before": release["released"]},
            )
        except ConditionFailed:
            return  # it was resumed anew, or another process made this step, too: its messages are stale

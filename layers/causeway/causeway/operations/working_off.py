"""Working off replays that were handed over: by the scheduler, minute after minute, each at its own rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.operations.replays import RUNNING, NotThereError

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Item, Table
    from causeway.operations.replays import Replays
    from causeway.settings.clock import Clock

MADE_WITHIN = 3600.0
"""Seconds after which a replay that was handed over and is not there was never made."""


class WorkingOff:
    """Makes the steps of replays.

    Args:
        replays: The stack's.
        state: The state's table.
        clock: The time.
        logger: Hears when one is over.
    """

    def __init__(self, replays: Replays, state: Table, clock: Clock, logger: Logger) -> None:
        self._replays = replays
        self._state = state
        self._clock = clock
        self._logger = logger

    def run(self, *, until: float) -> int:
        """Make steps until a time, or until there is nothing left; return how many were replayed.

        Raises:
            AwsError: a table could not be read or written.
            NotQueued: the queue did not take them.
        """
        replayed = 0
        while self._clock.now() < until:
            due = [self._step(handed) for handed in list(self._state.parts(RUNNING))]
            replayed += sum(count for count, _ in due)
            next_steps = [at for _, at in due if at is not None]
            if not next_steps or min(next_steps) >= until:
                break
            self._clock.sleep(min(next_steps) - self._clock.now())
        return replayed

    def _step(self, handed: Item) -> tuple[int, float | None]:
        """Make a step, if it is time for it: how many were replayed, and when the next is, None when over."""
        replay = handed["part"]
        try:
            before = self._replays.find(replay)
        except NotThereError:
            if handed["at"] < self._clock.now() - MADE_WITHIN:
                self._state.delete(RUNNING, replay)
            return 0, None
        record = self._replays.step(replay)
        count = record["replayed"] - before["replayed"]
        if record["state"] == "running":
            return count, record["not_before"]
        self._logger.info(
            "replay is over",
            replay=replay,
            by=record["by"],
            state=record["state"],
            replayed=record["replayed"],
        )
        self._state.delete(RUNNING, replay)
        return count, None

"""What the scheduler puts back on the queue each minute: deliveries that are due again.

Such an item waits without a message, or its message is overdue and perhaps lost. In both cases a message with
the item's ticket is right: if there are two, the second one is stale.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from causeway.delivery.going_on import wake
from causeway.delivery.journal import GRACE, SHARDS

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.delivery.journal import Journal
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

CONCURRENCY = 4
"""So many shards are worked off at once."""

_AT_ONCE = 10


class Releaser:
    """Puts what is due back on the queue."""

    def __init__(self, journal: Journal, queue: Queue, clock: Clock, logger: Logger) -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock
        self._logger = logger

    def run(self, *, until: float) -> int:
        """Work off what is due until a time; what is left over is the next minute's. Return how many were.

        Raises:
            AwsError: the journal could not be read or written.
            NotQueued: the queue did not take them.
        """
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            done = list(pool.map(lambda shard: self._work_off(shard, until), SHARDS))
        if left := sum(left for _, left in done):
            self._logger.warning("more is due than could be released", shards_left=left)
        return sum(released for released, _ in done)

    def _work_off(self, shard: str, until: float) -> tuple[int, bool]:
        """How many were released, and whether there may be more."""
        released = 0
        due = self._journal.due(shard)
        while self._clock.now() < until:
            batch = list(islice(due, _AT_ONCE))
            # First the message, then the item: cut off in between, there are two messages, and never none.
            self._queue.send([wake(item) for item in batch])
            for item in batch:
                self._journal.look_again(item, self._clock.now() + GRACE)
            released += len(batch)
            if len(batch) < _AT_ONCE:
                return released, False
        return released, True

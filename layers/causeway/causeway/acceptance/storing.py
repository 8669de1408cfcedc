"""Where the messages of an integration go: to the queue, or where its map says so, to the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.queueing.queue import Queue
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.acceptance.acceptor import Store
    from causeway.aws.client import Aws
    from causeway.plan.plan import Plan
    from causeway.queueing.messages import Message
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings


def make_store(plan: Plan, aws: Aws, settings: Settings, clock: Clock) -> Store:
    """Where a function's messages go, as its plan and its settings say."""
    queue = Queue.from_settings(aws, settings, clock)
    streamed = {name for name, each in plan.integrations.items() if each.get("buffer") == "stream"}
    if not streamed:
        return queue
    if not settings.stream:
        logger().warning(
            "the stack has no stream: their messages go to the queue", integrations=sorted(streamed)
        )
        return queue
    from causeway.queueing.stream import Stream  # noqa: PLC0415 - few maps have one

    stream = Stream(
        aws,
        name=settings.stream,
        bucket=settings.payloads,
        claim_check_over=settings.claim_check_over,
        clock=clock,
    )
    return Divided(queue=queue, stream=stream, streamed=streamed)


class Divided:
    """A queue and a stream.

    Args:
        queue: For all other integrations.
        stream: For these.
        streamed: Their names.
    """

    def __init__(self, *, queue: Store, stream: Store, streamed: set[str]) -> None:
        self._queue = queue
        self._stream = stream
        self._streamed = streamed

    def send(self, messages: Sequence[Message]) -> None:
        """Store all messages.

        Raises:
            NotQueued: not all could be stored; some may be.
        """
        streamed = [message for message in messages if message["integration"] in self._streamed]
        queued = [message for message in messages if message["integration"] not in self._streamed]
        if streamed:
            self._stream.send(streamed)
        if queued:
            self._queue.send(queued)

"""Moving messages from the dead-letter queue back: each starts its delivery afresh, by its ticket.

What is no message of ours, or not of the integration that is wanted, stays there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.queueing.messages import UnreadableMessageError, decode

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message
    from causeway.queueing.queue import Queue

_WAIT = 1
_RECEIVED_AT_ONCE = 10


class Moved(NamedTuple):
    """What one step came to."""

    moved: int
    left: int  # seen for the first time, and not moved
    over: bool  # nothing new was there


class Redriving:
    """One redrive, in steps of at most ten messages. Every step raises ``AwsError`` and ``NotQueued``.

    Args:
        aws: Whose calls.
        dead_letters: The URL of the dead-letter queue.
        queue: Where deliveries go.
        integration: Only its messages; None: all.
    """

    def __init__(self, aws: Aws, *, dead_letters: str, queue: Queue, integration: str | None = None) -> None:
        self._aws = aws
        self._url = dead_letters
        self._queue = queue
        self._integration = integration
        self._seen: set[str] = set()

    def step(self) -> Moved:
        """Receive some, send those that are wanted, then delete them: cut off, there are two, never none."""
        received = self._call(
            "ReceiveMessage", MaxNumberOfMessages=_RECEIVED_AT_ONCE, WaitTimeSeconds=_WAIT
        ).get("Messages", [])
        messages = [(each, self._wanted(each["Body"])) for each in received]
        self._queue.send([message for _, message in messages if message])
        left = 0
        for each, message in messages:
            receipt = {"ReceiptHandle": each["ReceiptHandle"]}
            if message:
                self._call("DeleteMessage", **receipt)
            elif each["MessageId"] not in self._seen:
                left += 1
                self._seen.add(each["MessageId"])
        moved = sum(message is not None for _, message in messages)
        return Moved(moved, left, over=not moved and not left)

    def _wanted(self, body: str) -> Message | None:
        try:
            message = decode(body)
        except UnreadableMessageError:
            return None
        return message if self._integration in (None, message["integration"]) else None

    def _call(self, operation: str, **parameters: JSON) -> dict[str, JSON]:
        return self._aws.call("sqs", operation, {"QueueUrl": self._url, **parameters})

"""Moving messages from the dead-letter queue back: each starts its delivery afresh, by its ticket.

AWS can do it by itself (a message-move task, which goes on when nobody looks). It takes everything; and where
only one integration's messages are wanted, or the service has no such operation, they are received, sent and
deleted here. Then what is no message of ours stays, and so does what dies again meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError
from causeway.queueing.messages import UnreadableMessageError, decode

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message
    from causeway.queueing.queue import Queue

_WAIT = 1
_RECEIVED_AT_ONCE = 10
_MOVED_PER_SECOND = range(1, 501)
_NO_SUCH_OPERATION = frozenset({"InvalidAction", "UnknownOperationException"})
"""What a service says that does not know an operation; never what one says that knows it."""


class MoveFailedError(Exception):
    """AWS gave up moving; says why."""


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
        self._left: dict[str, str] = {}  # by message, the receipt of its last receive
        self._begun: dict[str, str] = {}  # the ticket with which each delivery was moved

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
                self._begun[message["delivery"]] = message["ticket"]
                self._call("DeleteMessage", **receipt)
            else:
                left += each["MessageId"] not in self._left
                self._left[each["MessageId"]] = each["ReceiptHandle"]
        moved = sum(message is not None for _, message in messages)
        over = not moved and not left
        if over:
            self._show_again()
        return Moved(moved, left, over=over)

    def _show_again(self) -> None:
        """Let whoever looks next see what was left, who would not until it has come back by itself."""
        for receipt in self._left.values():
            with suppress(AwsError):  # it has come back
                self._call("ChangeMessageVisibility", ReceiptHandle=receipt, VisibilityTimeout=0)

    def _wanted(self, body: str) -> Message | None:
        try:
            message = decode(body)
        except UnreadableMessageError:
            return None
        if message["ticket"] > self._begun.get(message["delivery"], message["ticket"]):
            return None  # moved before, and dead again since: it would go in circles
        return message if self._integration in (None, message["integration"]) else None

    def _call(self, operation: str, **parameters: JSON) -> dict[str, JSON]:
        return self._aws.call("sqs", operation, {"QueueUrl": self._url, **parameters})


class MoveTask:
    """AWS's own redrive of a dead-letter queue. :meth:`step` looks how far it is.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """

    def __init__(self, aws: Aws, source: str) -> None:
        self._aws = aws
        self._source = source
        self._moved = 0

    @classmethod
    def start(cls, aws: Aws, *, dead_letters: str, deliveries: str, rate: float) -> MoveTask | None:
        """Have AWS move everything from one queue to another; None where it knows no such operation.

        Args:
            aws: Whose calls.
            dead_letters: The URL of the dead-letter queue.
            deliveries: The URL of the queue of deliveries. It must be named: a dead letter was not on it.
            rate: Messages a second, at most.

        Raises:
            AwsError: it refused; such as where a task is under way already.
        """
        source, destination = _arn(aws, dead_letters), _arn(aws, deliveries)
        parameters = {
            "SourceArn": source,
            "DestinationArn": destination,
            "MaxNumberOfMessagesPerSecond": max(_MOVED_PER_SECOND[0], min(_MOVED_PER_SECOND[-1], int(rate))),
        }
        try:
            aws.call("sqs", "StartMessageMoveTask", parameters)
        except AwsError as error:
            if error.code in _NO_SUCH_OPERATION:
                return None
            raise
        return cls(aws, source)

    def step(self) -> Moved:
        """How many were moved since the last look.

        Raises:
            MoveFailedError: AWS gave up.
        """
        parameters = {"SourceArn": self._source, "MaxResults": 1}  # the latest
        (task,) = self._aws.call("sqs", "ListMessageMoveTasks", parameters)["Results"]
        if task["Status"] == "FAILED":
            raise MoveFailedError(f"the move of the dead-letter queue failed: {task.get('FailureReason')}")
        before, self._moved = self._moved, task.get("ApproximateNumberOfMessagesMoved", 0)
        return Moved(self._moved - before, 0, over=task["Status"] not in ("RUNNING", "CANCELLING"))


def _arn(aws: Aws, url: str) -> str:
    answer = aws.call("sqs", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["QueueArn"]})
    return str(answer["Attributes"]["QueueArn"])

"""Putting messages on a queue so that all of them are there, and putting them back.

There are two queues of deliveries, and a message itself says to which it goes. One without an ``order`` goes
to the standard queue, where the integration is the ``MessageGroupId``: SQS's fair queues then keep one
integration's backlog from delaying the others. One with an ``order`` goes to the FIFO queue, where that is
the ``MessageGroupId``: SQS hands out a group's messages in the order in which they were sent, and none while
one of them is being worked on.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from causeway.queueing.payloads import Payloads
from causeway.queueing.sending import Bounds, NotQueued, Sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.aws.client import Aws
    from causeway.events.envelope import Event
    from causeway.queueing.messages import Message
    from causeway.queueing.sending import Entry
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
BOUNDS = Bounds(entries=10, together=1_048_576, each=1_048_576)  # of bodies
LONGEST_DELAY = 900.0
LONGEST_INVISIBLE = 42_000.0  # SQS counts 12 h from the receiving, which was one invocation ago at most

_PATIENCE = 5.0


class Queue:
    """The queues of deliveries.

    Args:
        aws: Whose calls.
        url: The standard queue's URL.
        fifo_url: The FIFO queue's URL, for messages with an ``order``.
        bucket: Where events lie that are too large.
        claim_check_over: Bytes of body beyond which a message's event goes to the bucket.
        patience: Seconds for which sending is tried again: as long as the provider waits for its answer.
        clock: For patience and pauses.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        url: str,
        fifo_url: str = "",
        bucket: str,
        claim_check_over: int = 262_144,
        patience: float = _PATIENCE,
        clock: Clock | None = None,
    ) -> None:
        self._aws = aws
        self._url = url
        self._fifo_url = fifo_url
        self._payloads = Payloads(aws, bucket)
        self._sender = Sender(
            self._payloads, BOUNDS, claim_check_over=claim_check_over, patience=patience, clock=clock
        )

    @classmethod
    def from_settings(cls, aws: Aws, settings: Settings, clock: Clock) -> Queue:
        """The queues that a function's settings name."""
        return cls(
            aws,
            url=settings.deliveries_url,
            fifo_url=settings.deliveries_fifo_url,
            bucket=settings.payloads,
            claim_check_over=settings.claim_check_over,
            clock=clock,
        )

    def send(self, messages: Sequence[Message], *, delay: float = 0) -> None:
        """Put all messages on their queues, those of one order in this order.

        Args:
            messages: What is sent.
            delay: Seconds for which they are invisible, at most :data:`LONGEST_DELAY`. A FIFO queue knows no
                delays: an ordered message comes at once, and whoever receives it waits.

        Raises:
            NotQueued: SQS or S3 did not take them within the patience.
            ValueError: the delay is longer than SQS can.
        """
        if not 0 <= delay <= LONGEST_DELAY:
            raise ValueError(f"SQS delays a message by 0 to {LONGEST_DELAY:g} s, not by {delay:g} s")
        until = self._sender.patience_ends()
        delayed = {"DelaySeconds": math.ceil(delay)} if delay else {}
        parallel: list[Entry] = []
        ordered: list[Entry] = []
        for message, body in self._sender.encoded(messages):
            if "order" in message:
                ordered.append(_entry(message["order"], body, MessageDeduplicationId=_once(message)))
            else:
                parallel.append(_entry(message["integration"], body, **delayed))
        for url, entries in ((self._url, parallel), (self._fifo_url, ordered)):
            self._sender.send(entries, partial(self._send_batch, url), until=until)

    def put_back(self, receipt_handle: str, *, delay: float, fifo: bool = False) -> None:
        """Let a received message be received again after ``delay`` seconds, whatever its visibility timeout.

        Args:
            receipt_handle: Of its receiving.
            delay: In how many seconds.
            fifo: Whether it came from the FIFO queue.

        Raises:
            AwsError: it did not work; then the visibility timeout brings it back.
        """
        self._aws.call(
            "sqs",
            "ChangeMessageVisibility",
            {
                "QueueUrl": self._fifo_url if fifo else self._url,
                "ReceiptHandle": receipt_handle,
                "VisibilityTimeout": math.ceil(min(max(delay, 0), LONGEST_INVISIBLE)),
            },
        )

    def receive(self, most: int, *, seconds: int) -> list[dict[str, Any]]:
        """Messages of the standard queue, as the records of an event of Lambda's.

        Args:
            most: So many; never more than ten.
            seconds: So long it is waited for the first one.

        Raises:
            AwsError: none could be received.
        """
        answer = self._aws.call(
            "sqs",
            "ReceiveMessage",
            {
                "QueueUrl": self._url,
                "MaxNumberOfMessages": min(most, BOUNDS.entries),
                "WaitTimeSeconds": seconds,
                "AttributeNames": ["SentTimestamp", "ApproximateReceiveCount"],
            },
        )
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
            }
            for each in answer.get("Messages", [])
        ]

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Delete messages that were received from the standard queue, at most ten.

        Raises:
            AwsError: they come again.
        """
        if receipt_handles:
            entries = [
                {"Id": str(place), "ReceiptHandle": handle} for place, handle in enumerate(receipt_handles)
            ]
            self._aws.call("sqs", "DeleteMessageBatch", {"QueueUrl": self._url, "Entries": entries})

    def event_of(self, message: Message) -> Event | None:
        """The event of a message; None when it lies in the journal, beside the delivery's item.

        Raises:
            AwsError: it lies in the bucket and could not be read.
        """
        if "event" in message:
            return message["event"]
        pointer = message["event_at"]
        return None if pointer == "journal" else self._payloads.read(pointer)

    def _send_batch(self, url: str, batch: list[dict[str, Any]]) -> dict[int, str]:
        entries = [{"Id": str(place), **parameters} for place, parameters in enumerate(batch)]
        answer = self._aws.call("sqs", "SendMessageBatch", {"QueueUrl": url, "Entries": entries})
        failed: list[dict[str, Any]] = answer.get("Failed") or []
        for each in failed:
            if each["SenderFault"]:
                raise NotQueued(f"{each['Code']}: {each.get('Message', '')}")
        return {int(each["Id"]): each["Code"] for each in failed}


def _entry(group: str, body: str, **more: Any) -> Entry:
    return {"MessageBody": body, "MessageGroupId": group, **more}, len(body)


def _once(message: Message) -> str:
    """By what a FIFO queue knows, for five minutes, a message that it has already.

    Never by the delivery alone: what comes again on purpose, such as a replay, would silently be dropped.
    """
    return f"{message['delivery']}-{message['acceptance']}-{message['ticket']}"

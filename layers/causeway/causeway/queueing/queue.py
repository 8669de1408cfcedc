"""Putting messages on a queue so that all of them are there, and putting them back.

There are two queues of deliveries, and a message itself says to which it goes. One without an ``order`` goes
to the standard queue, where the integration is the ``MessageGroupId``: SQS's fair queues then keep one
integration's backlog from delaying the others. One with an ``order`` goes to the FIFO queue, where that is
the ``MessageGroupId``: SQS hands out a group's messages in the order in which they were sent, and none while
one of them is being worked on.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.aws.client import AwsError
from causeway.queueing.bodies import bodies
from causeway.queueing.payloads import Payloads
from causeway.settings.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.aws.client import Aws
    from causeway.queueing.messages import Event, Message
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
BATCH_ENTRIES = 10
BATCH_BYTES = 1_048_576  # of all bodies together, and of one
LONGEST_DELAY = 900.0
LONGEST_INVISIBLE = 42_000.0  # SQS counts 12 h from the receiving, which was one invocation ago at most

_PATIENCE = 5.0
_PAUSE = 0.1


class NotQueued(Exception):  # noqa: N818 - an outcome with a name of its own, like the provider's Rejected
    """Not all messages are on the queue; some may be."""


class _Entry(NamedTuple):
    group: str
    body: str
    once: str = ""  # on a FIFO queue: what two messages have in common that are one


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
        self._claim_check_over = min(claim_check_over, BATCH_BYTES)
        self._patience = patience
        self._clock = clock or SystemClock()

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
        until = self._clock.now() + self._patience
        try:
            encoded = bodies(messages, self._payloads, over=self._claim_check_over, together=BATCH_BYTES)
        except AwsError as error:
            raise NotQueued(f"an event could not be stored: {error}") from error
        bodied = list(zip(messages, encoded, strict=True))
        parallel = [
            _Entry(message["integration"], body) for message, body in bodied if "order" not in message
        ]
        ordered = [
            _Entry(message["order"], body, _once(message)) for message, body in bodied if "order" in message
        ]
        for batch in _batches(parallel):
            self._send_all(self._url, batch, math.ceil(delay), until)
        for batch in _batches(ordered):
            self._send_all(self._fifo_url, batch, 0, until)

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
                "MaxNumberOfMessages": min(most, BATCH_ENTRIES),
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

    def _send_all(self, url: str, entries: Sequence[_Entry], delay: int, until: float) -> None:
        for attempt in itertools.count():
            entries, reason = self._send_batch(url, entries, delay)
            if not entries:
                return
            pause = _PAUSE * 2**attempt
            if self._clock.now() + pause > until:
                raise NotQueued(f"{len(entries)} messages were not taken: {reason}")
            self._clock.sleep(pause)

    def _send_batch(self, url: str, entries: Sequence[_Entry], delay: int) -> tuple[Sequence[_Entry], str]:
        """Send once; returns what was not taken but may be taken later, and why."""
        request = {"QueueUrl": url, "Entries": [_request(*each, delay) for each in enumerate(entries)]}
        try:
            answer = self._aws.call("sqs", "SendMessageBatch", request)
        except AwsError as error:
            if not error.retryable:
                raise NotQueued(str(error)) from error
            return entries, str(error)
        failed: list[dict[str, Any]] = answer.get("Failed") or []
        for each in failed:
            if each["SenderFault"]:
                raise NotQueued(f"{each['Code']}: {each.get('Message', '')}")
        return [entries[int(each["Id"])] for each in failed], ", ".join({each["Code"] for each in failed})


def _request(place: int, entry: _Entry, delay: int) -> dict[str, Any]:
    request = {"Id": str(place), "MessageBody": entry.body, "MessageGroupId": entry.group}
    if entry.once:
        request["MessageDeduplicationId"] = entry.once
    return {**request, "DelaySeconds": delay} if delay else request


def _batches(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """In order, each of at most 10 entries and 1 MiB."""
    batch: list[_Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH_ENTRIES or size + len(entry.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry.body)
    if batch:
        yield batch


def _once(message: Message) -> str:
    """By what a FIFO queue knows, for five minutes, a message that it has already.

    Never by the delivery alone: what comes again on purpose, such as a replay, would silently be dropped.
    """
    return f"{message['delivery']}-{message['acceptance']}-{message['ticket']}"

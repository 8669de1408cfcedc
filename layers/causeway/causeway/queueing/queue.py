"""Putting messages on a queue so that all of them are there, and putting them back.

The same code sends to the deliveries and to the dead-letter queue. On these standard queues the integration
is the ``MessageGroupId``: SQS's fair queues then keep one integration's backlog from delaying the others.
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


class Queue:
    """One SQS queue.

    Args:
        aws: Whose calls.
        url: The queue's URL.
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
        bucket: str,
        claim_check_over: int = 262_144,
        patience: float = _PATIENCE,
        clock: Clock | None = None,
    ) -> None:
        self._aws = aws
        self._url = url
        self._payloads = Payloads(aws, bucket)
        self._claim_check_over = min(claim_check_over, BATCH_BYTES)
        self._patience = patience
        self._clock = clock or SystemClock()

    def send(self, messages: Sequence[Message], *, delay: float = 0) -> None:
        """Put all messages on the queue, invisible for ``delay`` seconds (at most :data:`LONGEST_DELAY`).

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
        entries = [
            _Entry(message["integration"], body) for message, body in zip(messages, encoded, strict=True)
        ]
        for batch in _batches(entries):
            self._send_all(batch, math.ceil(delay), until)

    def put_back(self, receipt_handle: str, *, delay: float) -> None:
        """Let a received message be received again after ``delay`` seconds, whatever its visibility timeout.

        Raises:
            AwsError: it did not work; then the visibility timeout brings it back.
        """
        self._aws.call(
            "sqs",
            "ChangeMessageVisibility",
            {
                "QueueUrl": self._url,
                "ReceiptHandle": receipt_handle,
                "VisibilityTimeout": math.ceil(min(max(delay, 0), LONGEST_INVISIBLE)),
            },
        )

    def event_of(self, message: Message) -> Event | None:
        """The event of a message; None when it lies in the journal, beside the delivery's item.

        Raises:
            AwsError: it lies in the bucket and could not be read.
        """
        if "event" in message:
            return message["event"]
        pointer = message["event_at"]
        return None if pointer == "journal" else self._payloads.read(pointer)

    def _send_all(self, entries: Sequence[_Entry], delay: int, until: float) -> None:
        for attempt in itertools.count():
            entries, reason = self._send_batch(entries, delay)
            if not entries:
                return
            pause = _PAUSE * 2**attempt
            if self._clock.now() + pause > until:
                raise NotQueued(f"{len(entries)} messages were not taken: {reason}")
            self._clock.sleep(pause)

    def _send_batch(self, entries: Sequence[_Entry], delay: int) -> tuple[Sequence[_Entry], str]:
        """Send once; returns what was not taken but may be taken later, and why."""
        request = {"QueueUrl": self._url, "Entries": [_request(*each, delay) for each in enumerate(entries)]}
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

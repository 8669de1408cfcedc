"""Putting messages on a Kinesis stream so that all of them are there.

It takes more at once than a queue, and costs less per message where there are very many. The key that chooses
the shard is the delivery's id, so that the load is even; nothing keeps an order.
"""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError
from causeway.queueing.bodies import bodies
from causeway.queueing.payloads import Payloads
from causeway.queueing.queue import NotQueued
from causeway.settings.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.aws.client import Aws
    from causeway.queueing.messages import Message
    from causeway.settings.clock import Clock

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
BATCH_RECORDS = 500
BATCH_BYTES = 5 * 1_048_576  # of all records together
RECORD_BYTES = 1_000_000  # of one with its key, of 1 MiB

_PATIENCE = 4.0
_PAUSE = 0.1


class _Record(NamedTuple):
    key: str
    body: str


class Stream:
    """One Kinesis stream.

    Args:
        aws: Whose calls.
        name: The stream's name.
        bucket: Where events lie that are too large.
        claim_check_over: Bytes of body beyond which a message's event goes to the bucket.
        patience: Seconds for which putting is tried again: as long as the provider waits for its answer.
        clock: For patience and pauses.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        name: str,
        bucket: str,
        claim_check_over: int = 262_144,
        patience: float = _PATIENCE,
        clock: Clock | None = None,
    ) -> None:
        self._aws = aws
        self._name = name
        self._payloads = Payloads(aws, bucket)
        self._claim_check_over = min(claim_check_over, RECORD_BYTES)
        self._patience = patience
        self._clock = clock or SystemClock()

    def send(self, messages: Sequence[Message]) -> None:
        """Put all messages on the stream.

        Raises:
            NotQueued: Kinesis or S3 did not take them within the patience.
        """
        until = self._clock.now() + self._patience
        try:
            encoded = bodies(messages, self._payloads, over=self._claim_check_over, together=BATCH_BYTES)
        except AwsError as error:
            raise NotQueued(f"an event could not be stored: {error}") from error
        records = [
            _Record(message["delivery"], body) for message, body in zip(messages, encoded, strict=True)
        ]
        for batch in _batches(records):
            self._put_all(batch, until)

    def _put_all(self, records: Sequence[_Record], until: float) -> None:
        for attempt in itertools.count():
            records, reason = self._put(records)
            if not records:
                return
            pause = _PAUSE * 2**attempt
            if self._clock.now() + pause > until:
                raise NotQueued(f"{len(records)} messages were not taken: {reason}")
            self._clock.sleep(pause)

    def _put(self, records: Sequence[_Record]) -> tuple[Sequence[_Record], str]:
        """Put once; returns what was not taken but may be taken later, and why."""
        request = {
            "StreamName": self._name,
            "Records": [
                {"Data": base64.b64encode(record.body.encode()).decode(), "PartitionKey": record.key}
                for record in records
            ],
        }
        try:
            answer = self._aws.call("kinesis", "PutRecords", request)
        except AwsError as error:
            if not error.retryable:
                raise NotQueued(str(error)) from error
            return records, str(error)
        codes = [each.get("ErrorCode") for each in answer["Records"]]
        failed = [record for record, code in zip(records, codes, strict=True) if code]
        return failed, ", ".join(sorted({code for code in codes if code}))


def _batches(records: Sequence[_Record]) -> Iterator[list[_Record]]:
    """In order, each of at most 500 records and 5 MiB."""
    batch: list[_Record] = []
    size = 0
    for record in records:
        length = len(record.body) + len(record.key)
        if batch and (len(batch) == BATCH_RECORDS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch

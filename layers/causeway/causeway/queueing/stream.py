"""Putting messages on a Kinesis stream so that all of them are there.

It takes more at once than a queue, and costs less per message where there are very many. The key that chooses
the shard is the delivery's id, so that the load is even; nothing keeps an order.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from causeway.queueing.payloads import Payloads
from causeway.queueing.sending import Bounds, Sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.aws.client import Aws
    from causeway.queueing.messages import Message
    from causeway.queueing.sending import Entry
    from causeway.settings.clock import Clock

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
BOUNDS = Bounds(entries=500, together=5 * 1_048_576, each=1_000_000)  # of records with keys; of 1 MiB each

_PATIENCE = 4.0


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
        self._sender = Sender(
            Payloads(aws, bucket), BOUNDS, claim_check_over=claim_check_over, patience=patience, clock=clock
        )

    def send(self, messages: Sequence[Message]) -> None:
        """Put all messages on the stream.

        Raises:
            NotQueued: Kinesis or S3 did not take them within the patience.
        """
        until = self._sender.patience_ends()
        records = [_record(message["delivery"], body) for message, body in self._sender.encoded(messages)]
        self._sender.send(records, self._put, until=until)

    def _put(self, records: list[dict[str, Any]]) -> dict[int, str]:
        answer = self._aws.call("kinesis", "PutRecords", {"StreamName": self._name, "Records": records})
        codes = (each.get("ErrorCode") for each in answer["Records"])
        return {place: code for place, code in enumerate(codes) if code}


def _record(key: str, body: str) -> Entry:
    data = base64.b64encode(body.encode()).decode()
    return {"Data": data, "PartitionKey": key}, len(body) + len(key)

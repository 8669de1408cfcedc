"""One shard of a stream before a stage: what Lambda does with its records."""

from __future__ import annotations

import base64
import itertools
from contextlib import suppress

from causeway.delivery.streaming import Streaming
from causeway.queueing.messages import encode
from tests.support.deliveries import QUEUE, Context

TIMEOUT = 30.0


def record_of(body, number, at):
    """A record as Lambda hands it to the function."""
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "key",
            "sequenceNumber": f"{49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898 + number}",
            "data": base64.b64encode(body.encode()).decode(),
            "approximateArrivalTimestamp": at,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventName": "aws:kinesis:record",
        "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/stream",
        "awsRegion": "eu-central-1",
    }


class Shard:
    """Its records, and how far the function has come.

    Args:
        stage: On which its deliveries are carried out.
        effects: A process that is cut off begins anew.
    """

    def __init__(self, stage, effects=None):
        self.stage = stage
        self.effects = effects
        self.records = []
        self.batches = 0
        self.streaming = Streaming(stage.tools)
        self._numbers = itertools.count()

    def put(self, body):
        self.records.append(record_of(body, next(self._numbers), self.stage.clock.now()))

    def accept(self, *arguments, **named):
        """As the stage's own, but onto the stream."""
        delivery = self.stage.accept(*arguments, **named)
        self.put(self.stage.memory.queues[QUEUE].pop().body)
        return delivery

    def send(self, messages):
        """As a store's."""
        for message in messages:
            self.put(encode(message))

    def invoke(self, most=100):
        """One invocation with the next batch; the shard goes on after it, or at the first that failed."""
        if self.effects:
            self.effects.restart()
        self.batches += 1
        batch = self.records[:most]
        context = Context(self.stage.clock, f"of-the-stream-{self.batches}", TIMEOUT)
        response = self.streaming.carry_out({"Records": batch}, context)
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        numbers = [record["kinesis"]["sequenceNumber"] for record in batch]
        assert failed <= set(numbers)
        done = min((numbers.index(each) for each in failed), default=len(batch))
        del self.records[:done]
        return failed

    def until_empty(self, crash=(), most=20):
        """Invoke until the shard has nothing more; Lambda begins a batch anew that ended with its process."""
        for _ in range(most):
            if not self.records:
                return
            with suppress(*crash):
                self.invoke()
        raise AssertionError(f"the shard is stuck: {self.records}")

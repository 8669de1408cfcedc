"""SQS in memory: queues by URL, each as its URL says, on a clock that tests set."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from causeway.aws.client import AwsError
from tests.support.memory_fifo import FifoQueue


@dataclass
class SqsMessage:
    body: str
    sent_at: float
    visible_at: float
    attributes: dict = field(default_factory=dict)
    group: str | None = None
    id: str = ""
    receipt: str = ""
    receives: int = 0
    sequence: str = ""


class Queues(defaultdict):
    """Queues by URL; each is as its URL says."""

    def __missing__(self, url):
        self[url] = FifoQueue() if url.endswith(".fifo") else []
        return self[url]


class Sqs:
    """The operations; whoever has them has ``queues``, ``clock``, ``visibility`` and ``_numbers``."""

    def _sqs_get_queue_url(self, parameters):
        return {"QueueUrl": f"https://sqs/{parameters['QueueName']}"}

    def _sqs_send_message(self, parameters):
        delay = parameters.get("DelaySeconds", 0)
        assert delay in range(901)
        now = self.clock.now()
        message = SqsMessage(
            body=parameters["MessageBody"],
            sent_at=now,
            visible_at=now + delay,
            attributes=parameters.get("MessageAttributes", {}),
            group=parameters.get("MessageGroupId"),
            id=f"message-{next(self._numbers)}",
        )
        queue = self.queues[parameters["QueueUrl"]]
        if isinstance(queue, FifoQueue):
            assert "DelaySeconds" not in parameters, "SQS refuses a delay for one message of a FIFO queue"
            message.sequence = f"{next(self._numbers):020d}"
            return {"MessageId": queue.send(message, parameters["MessageDeduplicationId"], now)}
        queue.append(message)
        return {"MessageId": message.id}

    def _sqs_send_message_batch(self, parameters):
        entries = parameters["Entries"]
        assert 1 <= len(entries) <= 10
        sent = [
            {"Id": entry["Id"], **self._sqs_send_message({"QueueUrl": parameters["QueueUrl"], **entry})}
            for entry in entries
        ]
        return {"Successful": sent}

    def _sqs_change_message_visibility(self, parameters):
        queue, receipt = self.queues[parameters["QueueUrl"]], parameters["ReceiptHandle"]
        if isinstance(queue, FifoQueue):
            found = queue.of_receipt(receipt)
        else:
            found = next((message for message in queue if message.receipt == receipt), None)
        if found is not None:
            found.visible_at = self.clock.now() + parameters["VisibilityTimeout"]
            return {}
        raise AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", 404)

    def _sqs_get_queue_attributes(self, parameters):
        """How much is on a queue, exactly."""
        queue, now = self.queues[parameters["QueueUrl"]], self.clock.now()
        visible = sum(message.visible_at <= now for message in queue)
        numbers = {
            "ApproximateNumberOfMessages": visible,
            "ApproximateNumberOfMessagesNotVisible": len(queue) - visible,
            "ApproximateNumberOfMessagesDelayed": 0,
        }
        return {"Attributes": {name: str(numbers[name]) for name in parameters["AttributeNames"]}}

    def _sqs_receive_message(self, parameters):
        records = self.receive(parameters["QueueUrl"], parameters["MaxNumberOfMessages"])
        names = {
            "MessageId": "messageId",
            "ReceiptHandle": "receiptHandle",
            "Body": "body",
            "Attributes": "attributes",
        }
        found = [{name: each[key] for name, key in names.items()} for each in records]
        return {"Messages": found} if found else {}

    def _sqs_delete_message(self, parameters):
        url, receipt = parameters["QueueUrl"], parameters["ReceiptHandle"]
        self.queues[url] = [message for message in self.queues[url] if message.receipt != receipt]
        return {}

    def _sqs_delete_message_batch(self, parameters):
        for entry in parameters["Entries"]:
            self._sqs_delete_message({"QueueUrl": parameters["QueueUrl"], **entry})
        return {"Successful": [{"Id": entry["Id"]} for entry in parameters["Entries"]], "Failed": []}

    def receive(self, url, limit=10):
        """What Lambda's poller takes from a queue: records of an SQS event."""
        now, queue = self.clock.now(), self.queues[url]
        if isinstance(queue, FifoQueue):
            return [_record(message) for message in queue.receive(now, limit, self.visibility, self._receipt)]
        received = [message for message in queue if message.visible_at <= now][:limit]
        for message in received:
            message.receives += 1
            message.visible_at = now + self.visibility
            message.receipt = self._receipt()
        return [_record(message) for message in received]

    def _receipt(self):
        return f"receipt-{next(self._numbers)}"

    def next_at(self, url):
        """When something can be received from a queue; None: never."""
        queue = self.queues[url]
        if isinstance(queue, FifoQueue):
            return queue.next_at(self.clock.now())
        return min((message.visible_at for message in queue), default=None)

    def delete(self, url, message_ids):
        """What the poller does with messages that were not reported as failed."""
        if isinstance(self.queues[url], FifoQueue):
            self.queues[url].delete(message_ids)
            return
        self.queues[url] = [message for message in self.queues[url] if message.id not in message_ids]


def _record(message):
    """A message as Lambda hands it over."""
    attributes = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(int(message.sent_at * 1000)),
        **({"MessageGroupId": message.group} if message.group else {}),
        **({"SequenceNumber": message.sequence} if message.sequence else {}),
    }
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode()).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:deliveries",
        "awsRegion": "eu-central-1",
    }

"""An SQS queue: one message for each delivery, its body JSON, what goes along as attributes.

Sent at least once. A FIFO queue (``NAME.fifo``) takes the same delivery once within its five minutes, and
keeps an integration's messages in the order in which they were sent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from causeway.delivery.targets.sending import AWS_TIMEOUT, Shown, as_json, body_of, carry_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.client import Aws
    from causeway.calls.outcome import Answer
    from causeway.delivery.targets.sending import About, Means
    from causeway.plan.records import JSON, QueueTarget, System

_FIFO = ".fifo"


def receiver(words: QueueTarget) -> str:
    """The queue, by its name."""
    return f"queue {words['name']}"


def described(words: QueueTarget) -> str:
    """Likewise."""
    return receiver(words)


def timeout(_: QueueTarget) -> float:
    """As of all of AWS."""
    return AWS_TIMEOUT


def show(words: QueueTarget, scope: Mapping[str, JSON], about: About, _: Mapping[str, System]) -> Shown:
    """The message."""
    body = as_json(body_of(words, scope))
    headers = {"Content-Type": "application/json", **about.headers, **_order(words, about)}
    return Shown("SendMessage", f"sqs://{words['name']}", headers, body)


def send(words: QueueTarget, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:
    """Put it there."""
    parameters = {
        "MessageBody": as_json(body_of(words, scope)),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in about.headers.items()
        },
        **_order(words, about),
    }

    def put() -> None:
        url = _url(means.aws, words["name"])
        means.aws.call("sqs", "SendMessage", {"QueueUrl": url, **parameters})

    return carry_out(receiver(words), put)


def _order(words: QueueTarget, about: About) -> dict[str, str]:
    if not words["name"].endswith(_FIFO):
        return {}
    return {"MessageGroupId": about.integration, "MessageDeduplicationId": about.headers["Idempotency-Key"]}


@lru_cache(maxsize=256)
def _url(aws: Aws, name: str) -> str:
    """A queue's URL, asked for once per instance."""
    url: str = aws.call("sqs", "GetQueueUrl", {"QueueName": name})["QueueUrl"]
    return url

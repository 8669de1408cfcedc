"""The messages of the polls' queue: that a slot is due, or a backfill is wanted.

A FIFO queue with one group for each poll, so that no two of its runs overlap; a backfill has a group of its
own. What is to be read stands in the state: whichever message of a group comes next goes on with it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON

FORMAT = 1
"""Format number of these messages; the poller reads its own and the one before."""


class Backfill(TypedDict):
    """What is to be read again, beside the regular runs."""

    id: str
    since: str  # RFC 3339, or of the cursor's format
    until: NotRequired[str]


class Tick(TypedDict):
    """A poll is due."""

    format: int
    system: str
    poll: str
    slot: float  # epoch seconds: what a later run has covered is dropped
    backfill: NotRequired[Backfill]


class UnreadableTickError(Exception):
    """The body is no such message, or of a format that this version does not read."""


def make_tick(system: str, poll: str, slot: float, backfill: Backfill | None = None) -> Tick:
    """The message that says it."""
    tick: Tick = {"format": FORMAT, "system": system, "poll": poll, "slot": slot}
    return {**tick, "backfill": backfill} if backfill else tick


def group_of(tick: Tick) -> str:
    """Within which no two are worked on at once."""
    group = f"{tick['system']}/{tick['poll']}"
    return f"{group}/{tick['backfill']['id']}" if "backfill" in tick else group


def read_tick(body: str) -> Tick:
    """The message in an SQS message's body.

    Raises:
        UnreadableTickError: it is none.
    """
    try:
        tick: JSON = json.loads(body)
    except ValueError as error:
        raise UnreadableTickError("the body is not JSON") from error
    if not isinstance(tick, dict) or tick.get("format") not in (FORMAT, FORMAT - 1):
        raise UnreadableTickError(f"no message of format {FORMAT - 1} or {FORMAT}")
    wanted: dict[str, Any] = {"system": str, "poll": str, "slot": (int, float), "backfill": dict}
    wrong = [
        name
        for name, kind in wanted.items()
        if (name in tick or name != "backfill") and not isinstance(tick.get(name), kind)
    ]
    if wrong:
        raise UnreadableTickError(f"missing or of the wrong type in the message: {', '.join(wrong)}")
    return tick  # type: ignore[return-value]  # as was just checked


class PollQueue:
    """The queue of ticks. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    def send(self, tick: Tick, *, again: bool = False) -> None:
        """Put a tick at the end of its group; the same slot's twice within five minutes is once.

        Args:
            tick: What is said.
            again: It is the continuation of a message that was received, and no repeat.
        """
        group = group_of(tick)
        slot = hashlib.sha256(f"{group}/{tick['slot']:.3f}".encode()).hexdigest()
        self._aws.call(
            "sqs",
            "SendMessage",
            {
                "QueueUrl": self._url,
                "MessageBody": json.dumps(tick, separators=(",", ":")),
                "MessageGroupId": group,
                "MessageDeduplicationId": uuid.uuid4().hex if again else slot,
            },
        )

    def put_back(self, receipt_handle: str, *, delay: float) -> None:
        """Let a received message be received again after so many seconds; its group waits as long."""
        self._aws.call(
            "sqs",
            "ChangeMessageVisibility",
            {"QueueUrl": self._url, "ReceiptHandle": receipt_handle, "VisibilityTimeout": int(delay)},
        )

"""Strays: messages that SQS itself put away, since they were handed out a thousand times.

The journal says what to make of one. What is settled there, or was carried on by a later message, needs it no
more: it is taken away. What is not may be lost, and is told until somebody puts it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.delivery.journal import PART
from causeway.queueing.messages import UnreadableMessageError, decode
from causeway.watching.finding import Finding
from causeway.watching.spans import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.client import Aws
    from causeway.plan.records import JSON
    from causeway.watching.world import World

LOOKED_AT = 10
"""So many are judged in each run; SQS hands out no more at once."""

HIDDEN_FOR = 300
"""Seconds for which one that was looked at is not looked at again."""

_DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_SETTLED = frozenset({"delivered", "dead"})


def strays(world: World, now: float) -> Iterator[Finding]:  # noqa: ARG001 - as long as they lie there
    """There are messages that nobody carries on."""
    aws = world.means.aws
    for url in world.means.settings.strays_urls:
        number = _depth(aws, url)
        if not number:
            continue
        concerned, removed = _judge(world, url)
        if number > removed:
            yield _finding(url.rpartition("/")[2], number - removed, concerned)


def _judge(world: World, url: str) -> tuple[set[str], int]:
    """Take away what the journal has done with; the integrations of the others, and how many it was."""
    aws = world.means.aws
    asked = {"QueueUrl": url, "MaxNumberOfMessages": LOOKED_AT, "VisibilityTimeout": HIDDEN_FOR}
    concerned: set[str] = set()
    removed = 0
    for each in aws.call("sqs", "ReceiveMessage", asked).get("Messages", []):
        integration, done = _stands(world, each["Body"])
        if done:
            aws.call("sqs", "DeleteMessage", {"QueueUrl": url, "ReceiptHandle": each["ReceiptHandle"]})
            removed += 1
        elif integration:
            concerned.add(integration)
    return concerned, removed


def _stands(world: World, body: str) -> tuple[str | None, bool]:
    """Whose a message is, and whether nobody needs it any more."""
    try:
        message = decode(body)
    except UnreadableMessageError:
        return None, False
    item: JSON = world.means.journal.get(message["delivery"], PART)
    done = item is not None and (item["status"] in _SETTLED or item["ticket"] > message["ticket"])
    known = message["integration"] in world.plan.integrations
    return message["integration"] if known else None, done


def _depth(aws: Aws, url: str) -> int:
    asked = {"QueueUrl": url, "AttributeNames": list(_DEPTHS)}
    return sum(int(number) for number in aws.call("sqs", "GetQueueAttributes", asked)["Attributes"].values())


def _finding(queue: str, number: int, concerned: set[str]) -> Finding:
    return Finding(
        check="strays",
        subject=queue,
        level="critical",
        what=f"{count(number, 'message')} went astray in {queue}",
        cause="each was handed out a thousand times and never finished: something of ours fails",
        next_step=(
            "remove the cause (`causeway tail`), then move the messages back with SQS's own redrive: "
            "each starts where its delivery stands"
        ),
        value=number,
        unit="message",
        integrations=tuple(sorted(concerned)),
    )

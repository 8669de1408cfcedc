"""One invocation of the poller: a message of the polls' queue, and whether it is to come back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from causeway.aws.errors import AwsError
from causeway.limiting.admission import Admissions
from causeway.limiting.turns import Wanted
from causeway.polling.poller import Polling
from causeway.polling.ticks import UnreadableTickError, read_tick
from causeway.polling.work import Invocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.plan.records import Poll
    from causeway.polling.ticks import Tick
    from causeway.polling.work import Tools

BACK = 30.0
"""Seconds after which a message comes back whose state could not be read or written."""


def receive(
    event: Mapping[str, Any], context: LambdaContext, tools: Tools
) -> dict[str, list[dict[str, str]]]:
    """Carry out the messages of one invocation, one after the other.

    Returns:
        What Lambda is told: the messages that are to stay on the queue. Of a FIFO queue these are, from the
        first such one on, all that come after it in its group.
    """
    failed: list[str] = []
    held: set[str] = set()
    for record in event["Records"]:
        group = record["attributes"].get("MessageGroupId", "")
        wait = 0.0 if group in held else _carry_out(record, context, tools)
        if wait is None:
            continue
        held.add(group)
        failed.append(record["messageId"])
        with suppress(AwsError):  # then the queue's visibility timeout brings it back
            tools.ticks.put_back(record["receiptHandle"], delay=wait)
    tools.metrics.emit()
    return {"batchItemFailures": [{"itemIdentifier": record_id} for record_id in failed]}


def _carry_out(record: Mapping[str, Any], context: LambdaContext, tools: Tools) -> float | None:
    """In how many seconds the message is to come back; None when it is done with."""
    try:
        tick = read_tick(record["body"])
    except UnreadableTickError as error:
        tools.logger.error(  # noqa: TRY400 - its traceback tells nothing more
            "unreadable message", reason=str(error), message_id=record["messageId"]
        )
        return None
    poll = _poll_of(tools, tick)
    if poll is None:
        tools.logger.warning("a poll that the map does not have", system=tick["system"], poll=tick["poll"])
        return None
    now = tools.clock.now()
    deadline = now + context.get_remaining_time_in_millis() / 1000
    admissions = Admissions(
        tools.limits, holder=context.aws_request_id, until=deadline, wanted={poll["system"]: Wanted(1, 1)}
    )
    try:
        return Polling(tools, Invocation(now, deadline, admissions), poll, tick).carry_out()
    except AwsError as error:
        tools.logger.error(  # noqa: TRY400 - likewise
            "could not be written down, comes again",
            system=tick["system"],
            poll=tick["poll"],
            reason=str(error),
        )
        return BACK
    finally:
        admissions.end()


def _poll_of(tools: Tools, tick: Tick) -> Poll | None:
    system = tools.plan.systems.get(tick["system"])
    return system.get("polls", {}).get(tick["poll"]) if system else None

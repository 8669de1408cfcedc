"""Putting an event on an EventBridge bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON


def put_event(aws: Aws, entry: dict[str, JSON]) -> None:
    """Put one event on the bus that it names.

    Raises:
        AwsError: it was not taken; also where EventBridge says so with a status of success.
    """
    answer = aws.call("events", "PutEvents", {"Entries": [entry]})
    if answer.get("FailedEntryCount"):
        failed = answer["Entries"][0]
        raise AwsError(failed["ErrorCode"], failed.get("ErrorMessage", ""), 200)

"""What functions that accept events have logged, as the watchdog reads it."""

from __future__ import annotations

import itertools
import json

from causeway.acceptance.lines import LINE, told
from tests.support.deliveries import QUEUE

_NUMBERS = itertools.count()


def line_of(messages, **more):
    """What is logged when these messages are accepted."""
    said = {"message": LINE, "accepted_at": messages[0]["accepted_at"], **told(messages)}
    return json.dumps(said | more)


def nowhere(count=1, integration="orders-to-ledger"):
    """Messages of which nothing but a line knows."""
    numbers = itertools.islice(_NUMBERS, count)
    ids = [{"delivery": f"{number:032x}", "acceptance": f"{number:016x}"} for number in numbers]
    return [
        {**each, "integration": integration, "accepted_at": 0.0, "event": {"id": f"lost-{number}"}}
        for number, each in enumerate(ids)
    ]


class Logs:
    """CloudWatch Logs, as far as it is asked: lines of two groups, two at a time."""

    def __init__(self, memory):
        self.lines = {"webhook": [], "poller": []}
        self.asked = 0
        memory._logs_filter_log_events = self.filter
        memory._sqs_get_queue_attributes = lambda parameters: {
            "Attributes": dict.fromkeys(parameters["AttributeNames"], "0")
            | {"ApproximateNumberOfMessages": str(self.on_queue if parameters["QueueUrl"] == QUEUE else 0)}
        }
        self.on_queue = 0

    def received(self, at, *messages, group="webhook", accepted_at=None, **unknown):
        """A line about these messages; without any, about some that are nowhere."""
        self.lines[group].append((at, line_of(messages or nowhere(**unknown), accepted_at=accepted_at or at)))

    def filter(self, parameters):
        self.asked += 1
        assert parameters["filterPattern"] == '"received"'
        first = int(parameters.get("nextToken", 0))
        found = [
            line
            for at, line in self.lines[parameters["logGroupName"]]
            if parameters["startTime"] <= at * 1000 <= parameters["endTime"]
        ]
        more = {"nextToken": str(first + 2)} if len(found) > first + 2 else {}
        return {"events": [{"message": line} for line in found[first : first + 2]], **more}

"""What functions that accept events have logged, as the watchdog reads it."""

from __future__ import annotations

import json

from tests.support.deliveries import QUEUE


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

    def received(self, at, count=1, group="webhook", accepted_at=None, **more):
        line = {
            "message": "received",
            "accepted": {"orders-to-ledger": count},
            "accepted_at": accepted_at or at,
            "number": len(self.lines[group]),
        }
        self.lines[group].append((at, json.dumps(line | more)))

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

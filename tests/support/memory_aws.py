"""The AWS that deliveries use, in memory and on a clock that tests set: as fast as crash-point tests need.

It stands in for :class:`causeway.aws.client.Aws`. That it behaves as AWS does is tested against moto, by one contract
that both must fulfil (tests/functions/test_memory_aws.py).
"""

from __future__ import annotations

import bisect
import functools
import itertools
import json
import re
import threading
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass

from causeway.aws.client import AwsError
from tests.support.memory_expressions import Expressions
from tests.support.memory_sqs import Queues, Sqs

INDEXES = {"due": ("due_shard", "due_at"), "open": ("open_shard", "open_at")}


@dataclass
class Published:
    """A message on a topic."""

    topic: str
    subject: str
    by_protocol: dict
    attributes: dict
    at: float


class _Items(dict):
    """A table's items by their keys; knows the range keys of each hash key in order, as a table does."""

    def __init__(self):
        super().__init__()
        self.parts = defaultdict(list)

    def __setitem__(self, key, item):
        if key not in self:
            bisect.insort(self.parts[key[0]], key[1])
        super().__setitem__(key, item)

    def pop(self, key, *default):
        if key in self:
            self.parts[key[0]].remove(key[1])
        return super().pop(key, *default)

    def with_hash(self, name, after=""):
        """The items with a hash key, in order, from after a range key on; as many as anyone asks for."""
        parts = self.parts.get(name, [])
        for place in range(bisect.bisect_right(parts, after), len(parts)):
            yield self[name, parts[place]]


class MemoryAws(Sqs):
    """Tables, queues, buckets and a bus, made when they are first used."""

    def __init__(self, clock, *, visibility=360.0):
        self.clock = clock
        self.visibility = visibility
        self.tables = defaultdict(_Items)
        self.queues = Queues()
        self.objects = {}
        self.events = []
        self.published = []
        self.subscribed = {}  # addresses, and the subscriptions' ARNs or "PendingConfirmation"
        self.alarms = []  # those that ring, as CloudWatch describes them
        self.calls = []
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def call(self, service, operation, parameters):
        with self._lock:
            self.calls.append((service, operation))
            parameters = json.loads(json.dumps(parameters))
            # What is answered is not copied: items are replaced, never changed, and the caller reads them at once.
            return getattr(self, f"_{service}_{_snake(operation)}")(parameters)

    def query(self, service, action, fields):
        with self._lock:
            self.calls.append((service, action))
            return getattr(self, f"_{service}_{_snake(action)}")(dict(fields))

    def put_object(self, bucket, key, body, *, content_type):
        self.calls.append(("s3", "PutObject"))
        assert content_type
        self.objects[bucket, key] = body

    def get_object(self, bucket, key):
        self.calls.append(("s3", "GetObject"))
        if (bucket, key) not in self.objects:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        return self.objects[bucket, key]

    def delete_object(self, bucket, key):
        self.calls.append(("s3", "DeleteObject"))
        self.objects.pop((bucket, key), None)

    def count(self, service, operation=None):
        """How many calls there were."""
        return sum(call[0] == service and operation in (None, call[1]) for call in self.calls)

    # DynamoDB

    def _dynamodb_get_item(self, parameters):
        item = self.tables[parameters["TableName"]].get(_key(parameters["Key"]))
        return {"Item": item} if item is not None else {}

    def _dynamodb_batch_get_item(self, parameters):
        found = {}
        for table, asked in parameters["RequestItems"].items():
            keys = [_key(key) for key in asked["Keys"]]
            assert 1 <= len(set(keys)) == len(keys) <= 100
            names = [
                asked["ExpressionAttributeNames"][name] for name in asked["ProjectionExpression"].split(", ")
            ]
            items = [self.tables[table][key] for key in keys if key in self.tables[table]]
            found[table] = [{name: item[name] for name in names if name in item} for item in items]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _dynamodb_put_item(self, parameters):
        item = parameters["Item"]
        _check_size(item)
        self.tables[parameters["TableName"]][_key(item)] = item
        return {}

    def _dynamodb_delete_item(self, parameters):
        self.tables[parameters["TableName"]].pop(_key(parameters["Key"]), None)
        return {}

    def _dynamodb_update_item(self, parameters):
        table = self.tables[parameters["TableName"]]
        key = _key(parameters["Key"])
        before = table.get(key)
        expressions = Expressions(parameters)
        condition = parameters.get("ConditionExpression")
        holds = not condition or expressions.holds(condition, before or {})
        after = expressions.update(parameters["UpdateExpression"], before or parameters["Key"])
        expressions.check_all_used()
        if not holds:
            raise AwsError(
                "ConditionalCheckFailedException",
                "The conditional request failed",
                400,
                item=deepcopy(before),
            )
        _check_size(after)
        table[key] = after
        return {"Attributes": before} if before is not None else {}

    def _dynamodb_query(self, parameters):
        hash_key, range_key = (
            INDEXES[parameters["IndexName"]] if "IndexName" in parameters else ("id", "part")
        )
        expressions = Expressions(parameters)
        table, limit = self.tables[parameters["TableName"]], parameters["Limit"]
        backwards = not parameters.get("ScanIndexForward", True)
        in_order = "IndexName" not in parameters and not backwards
        matching = (
            item
            for item in (_of_hash(table, parameters) if in_order else table.values())
            if hash_key in item
            and range_key in item
            and expressions.holds(parameters["KeyConditionExpression"], item)
        )
        # A long list of one hash key is not read to its end for each page.
        found = list(itertools.islice(matching, limit + 1) if in_order else matching)

        def place(item):
            return _sortable(item[range_key]), _key(item)

        found.sort(key=place, reverse=backwards)
        start = parameters.get("ExclusiveStartKey")
        if start:
            found = [
                item
                for item in found
                if (place(item) < place(start) if backwards else place(item) > place(start))
            ]
        page = found[:limit]
        answer = {"Items": page, "Count": len(page)}
        if len(found) > len(page):
            answer["LastEvaluatedKey"] = {
                name: page[-1][name] for name in {"id", "part", hash_key, range_key}
            }
        return answer

    def _dynamodb_scan(self, parameters):
        hash_key, range_key = INDEXES[parameters["IndexName"]]
        found = [
            item
            for _, item in sorted(self.tables[parameters["TableName"]].items())
            if hash_key in item and range_key in item
        ]
        start = parameters.get("ExclusiveStartKey")
        found = [item for item in found if not start or _key(item) > _key(start)]
        page = found[: parameters["Limit"]]
        answer = {"Items": page, "Count": len(page)}
        if len(found) > len(page):
            names = {"id", "part", hash_key, range_key}
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in names}
        return answer

    # CloudWatch Logs

    def _logs_filter_log_events(self, parameters):
        """Nobody has logged anything; :class:`tests.support.logs.Logs` has lines."""
        assert parameters["startTime"] <= parameters["endTime"]
        return {"events": []}

    # CloudWatch

    def _monitoring_describe_alarms(self, parameters):
        assert parameters["StateValue"] == "ALARM"
        assert set(parameters["AlarmTypes"]) == {"MetricAlarm", "CompositeAlarm"}
        found = [each for each in self.alarms if each["AlarmName"].startswith(parameters["AlarmNamePrefix"])]
        return {"MetricAlarms": [], "CompositeAlarms": found}

    # SNS

    def _sns_publish(self, fields):
        assert re.fullmatch(r"[!-~][ -~]{0,98}", fields["Subject"]), "SNS takes no such subject"
        assert len(fields["Message"]) < 256 * 1024
        attributes = {}
        for name in [name for name in fields if name.endswith(".Name")]:
            entry = name.removesuffix(".Name")
            value = fields[f"{entry}.Value.StringValue"]
            is_list = fields[f"{entry}.Value.DataType"] == "String.Array"
            attributes[fields[name]] = json.loads(value) if is_list else value
        self.published.append(
            Published(
                fields["TopicArn"],
                fields["Subject"],
                json.loads(fields["Message"]),
                attributes,
                self.clock.now(),
            )
        )
        return "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"

    def _sns_list_subscriptions_by_topic(self, fields):
        first = int(fields.get("NextToken", 0))
        members = "".join(
            f"<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>email</Protocol>"
            f"<Endpoint>{address}</Endpoint></member>"
            for address, arn in list(self.subscribed.items())[first : first + 100]
        )
        more = f"<NextToken>{first + 100}</NextToken>" if len(self.subscribed) > first + 100 else ""
        return f"<Subscriptions>{members}</Subscriptions>{more}"

    # EventBridge

    def _events_put_events(self, parameters):
        self.events += parameters["Entries"]
        return {
            "FailedEntryCount": 0,
            "Entries": [{"EventId": str(next(self._numbers))} for _ in parameters["Entries"]],
        }


@functools.cache
def _snake(operation):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def _of_hash(table, parameters):
    """The items that a query of the table itself can find, from where it goes on."""
    start = parameters.get("ExclusiveStartKey", {"part": {"S": ""}})
    return table.with_hash(parameters["ExpressionAttributeValues"][":hash"]["S"], start["part"]["S"])


def _key(item):
    return item["id"]["S"], item["part"]["S"]


def _sortable(typed):
    ((kind, value),) = typed.items()
    return float(value) if kind == "N" else value


def _check_size(item):
    if len(json.dumps(item)) > 600_000:  # roughly DynamoDB's 400 KB, without the types
        raise AwsError("ValidationException", "Item size has exceeded the maximum allowed size", 400)

"""Targets that are no call, and what arrives there."""

from __future__ import annotations

import json
import zlib

import pytest

from causeway.aws.client import AwsError
from tests.support.deliveries import Stage, plan_of

BODY = {"id": "${id}", "total": "${data.total}"}
QUEUE = {"queue": {"name": "jobs", "body": BODY}}
BUS = {"bus": {"name": "main", "detail_type": "${type}", "body": BODY}}
JSON = {"bucket": {"name": "lake", "key": "orders/${id}.json", "content": "json", "body": BODY}}
LINES = {
    "bucket": {
        "name": "lake",
        "key": "dt=${date(time, '%Y-%m-%d')}/${id}.ndjson.gz",
        "content": "ndjson",
        "body": BODY,
    }
}
KINDS = [
    pytest.param(target, id=f"{kind} {words.get('content', '')}".strip())
    for target in (QUEUE, BUS, JSON, LINES)
    for kind, words in target.items()
]


def stage_of(target, **more):
    return Stage(plan_of(target=target, **more))


def jobs(stage):
    return stage.memory.queues["https://sqs/jobs"]


def lines(stage):
    """Every line of every object, as (key, line)."""
    return [
        (key, json.loads(line))
        for (bucket, key), body in stage.memory.objects.items()
        if bucket == "lake"
        for line in zlib.decompress(body, wbits=31).decode().splitlines()
    ]


def sent(stage):
    """How often something arrived, whatever the kind."""
    objects = [key for key in stage.memory.objects if key[0] == "lake"]
    return len(jobs(stage)) + len(stage.memory.events) + len(objects)


def failing(stage, code, status, *, times=1, at=("sqs SendMessage", "events PutEvents", "s3 PutObject")):
    """Let AWS refuse what is sent to a target so often."""
    left = [times]
    call, put = stage.memory.call, stage.memory.put_object

    def refuse(what, target):
        if what in at and target in ("https://sqs/jobs", "main", "lake") and left[0]:
            left[0] -= 1
            raise AwsError(code, "no", status)

    def failing_call(service, operation, parameters):
        entries = parameters.get("Entries") or [{}]
        refuse(f"{service} {operation}", parameters.get("QueueUrl") or entries[0].get("EventBusName"))
        return call(service, operation, parameters)

    def failing_put(bucket, key, body, *, content_type):
        refuse("s3 PutObject", bucket)
        return put(bucket, key, body, content_type=content_type)

    stage.memory.call, stage.memory.put_object = failing_call, failing_put

"""The poller as Lambda runs it: on moto, with a real API, and the corpus of events."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.poller import app
from functions.scheduler import app as scheduler
from tests.support.polling import plan_with
from tests.support.target import Reply, Target

EVENTS = Path(__file__).parents[3] / "events" / "poller"
CONTEXT = SimpleNamespace(aws_request_id="invocation-1", get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture
def api():
    with Target() as target:
        yield target


@pytest.fixture
def stack(cloud, api, tmp_path, monkeypatch):
    """A shop whose API is the target; handlers that find it in their environment."""
    shop = {
        "api": {
            "base_url": f"{api.url}/v1",
            "allow_private": ["127.0.0.0/8"],
            "auth": {"type": "api_key", "key": "shop/key", "query": "key"},
        }
    }
    cursor = {"field": "updated_at", "param": "since", "start": "2025-11-01T00:00:00Z"}
    plan = plan_with(system=shop, every="1d", paginate="link", cursor=cursor)
    (tmp_path / "dev.json").write_text(json.dumps(plan.record))
    cloud.put_secret("shop/key", "s3cr3t", "out")
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CAUSEWAY_PLAN", str(tmp_path))
    tools, work = functools.cache(app._tools.__wrapped__), functools.cache(scheduler._work.__wrapped__)
    monkeypatch.setattr(app, "_tools", tools)
    monkeypatch.setattr(scheduler, "_work", work)
    yield cloud
    if tools.cache_info().currsize:
        tools().caller.close()


def event(name):
    return json.loads((EVENTS / f"{name}.json").read_text())


def orders(*numbers):
    return {
        "orders": [
            {"id": f"o{number}", "version": 1, "updated_at": f"2025-11-20T10:00:{number:02}Z"}
            for number in numbers
        ]
    }


def test_a_poll_that_is_due_is_read_page_by_page_and_queued(stack, api, capsys):
    link = {"Link": f'<{api.url}/v1/orders/next?page=2&key=s3cr3t>; rel="next"'}
    api.on("/v1/orders", Reply(body=orders(1, 2), headers=link))
    api.on("/v1/orders/next", Reply(body=orders(3)))
    assert app.handler(event("due"), CONTEXT) == {"batchItemFailures": []}
    first, second = api.requests
    assert first.query == "since=2025-11-01T00%3A00%3A00Z&key=s3cr3t"
    assert second.query == "page=2&key=s3cr3t"
    messages = stack.messages(stack.deliveries)
    assert [message["event"]["id"] for message in messages] == ["o1@1", "o2@1", "o3@1"]
    assert {message["integration"] for message in messages} == {"orders-copy"}
    item = stack.boto("dynamodb").get_item(
        TableName=stack.state, Key={"id": {"S": "poll#shop/orders"}, "part": {"S": "state"}}
    )["Item"]
    assert json.loads(item["state"]["S"])["finished"]["records"] == 3
    written = capsys.readouterr().out
    assert "s3cr3t" not in written + json.dumps(item)
    emitted = [json.loads(line) for line in written.splitlines() if "PollRecords" in line]
    assert emitted[0]["PollRecords"] == [3.0]
    assert "PollLag" in emitted[0]


def test_a_backfill_has_a_state_of_its_own(stack, api):
    api.on("/v1/orders", Reply(body=orders(1, 2)))
    assert app.handler(event("backfill"), CONTEXT) == {"batchItemFailures": []}
    assert [message["event"]["id"] for message in stack.messages(stack.deliveries)] == ["o1@1", "o2@1"]
    table = stack.boto("dynamodb").query(
        TableName=stack.state,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "poll#shop/orders"}},
    )
    assert [item["part"]["S"] for item in table["Items"]] == ["backfill#1763999400-a1b2c3"]


def test_a_page_that_must_wait_leaves_its_message_on_the_queue(stack, api):
    """It comes back after ``Retry-After``, whatever the queue's visibility timeout."""
    api.on("/v1/orders", Reply(429, headers={"Retry-After": "20"}), Reply(body=orders(1)))
    scheduler.handler({}, CONTEXT)
    (record,) = stack.records(stack.polls)
    record["attributes"]["MessageGroupId"] = "shop/orders"
    answer = app.handler({"Records": [record]}, CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert len(api.requests) == 1
    assert stack.messages(stack.deliveries) == []


def test_the_scheduler_sends_what_is_due_once(stack):
    assert scheduler.handler({}, CONTEXT)["polls"] == 1
    assert scheduler.handler({}, CONTEXT)["polls"] == 0
    (record,) = stack.records(stack.polls)
    tick = json.loads(record["body"])
    assert (tick["system"], tick["poll"]) == ("shop", "orders")
    assert tick["slot"] % 86400 == 0


def test_a_record_without_a_name_is_delivered_and_told(stack, api, capsys):
    api.on("/v1/orders", Reply(body={"orders": [{"updated_at": "2025-11-20T10:00:00Z", "total": 5}]}))
    app.handler(event("due"), CONTEXT)
    (message,) = stack.messages(stack.deliveries)
    assert message["event"]["data"]["total"] == 5
    assert "a record is not as the map says" in capsys.readouterr().out

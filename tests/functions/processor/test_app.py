"""The processor and the scheduler as Lambda runs them: on moto, with a real target, and the corpus of events."""

import functools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from causeway.plan.compiler import compile_map
from causeway.queueing.messages import encode
from functions.processor import app
from functions.scheduler import app as scheduler
from tests.functions.processor.make_events import DIRECTORY, ORDER, make, message, records
from tests.support.target import Reply, Target

MAP = Path(__file__).parents[3] / "integrations"
CONTEXT = SimpleNamespace(aws_request_id="invocation-1", get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture
def target():
    with Target() as target:
        target.on("/ledger/accounts", Reply(200, {"id": "acc_1"}))
        yield target


@pytest.fixture
def stack(cloud, target, tmp_path, monkeypatch):
    """The example map, its systems at the target; handlers that find it in their environment."""
    plan = compile_map(MAP).plans["dev"]
    for name, system in plan["systems"].items():
        if "api" in system:
            system["api"] |= {"base_url": f"{target.url}/{name}", "allow_private": ["127.0.0.0/8"]}
    (tmp_path / "dev.json").write_text(json.dumps(plan))
    for secret in ("ledger/token", "chat/bot-token"):
        cloud.put_secret(secret, "test-token", "out")
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CAUSEWAY_PLAN", str(tmp_path))
    monkeypatch.syspath_prepend(str(MAP))
    tools, work = (
        functools.cache(app._tools.__wrapped__),
        functools.cache(scheduler._work.__wrapped__),
    )
    monkeypatch.setattr(app, "_tools", tools)
    monkeypatch.setattr(scheduler, "_work", work)
    yield cloud
    if tools.cache_info().currsize:
        tools().caller.close()


def minute():
    """One minute of the scheduler; what there was to do in it."""
    return {name for name, count in scheduler.handler(event("scheduler/minute"), CONTEXT).items() if count}


def item(cloud, delivery, part="delivery"):
    table = cloud.boto("dynamodb").get_item(
        TableName=cloud.journal, Key={"id": {"S": delivery}, "part": {"S": part}}, ConsistentRead=True
    )
    return table.get("Item")


def event(name):
    return json.loads((DIRECTORY / f"{name}.json").read_text())


def delivery_of(name):
    return json.loads(event(name)["Records"][0]["body"])["delivery"]


@pytest.mark.parametrize("name", make())
def test_the_corpus_is_what_its_maker_makes(name):
    assert event(name) == make()[name]


def test_an_order_becomes_an_entry_of_the_ledger(stack, target):
    assert app.handler(event("processor/order"), CONTEXT) == {"batchItemFailures": []}
    (look_up,) = target.received("/ledger/accounts")
    assert look_up.query == "email=jon%40example.com"
    (entry,) = target.received("/ledger/entries")
    assert entry.json == {
        "account": "acc_1",
        "code": "8400",
        "date": "2025-11-24",
        "currency": "EUR",
        "memo": "Order #9999",
        "lines": [{"text": "Aviator sunglasses", "quantity": 2, "cents": 39800}],
    }
    assert entry.headers["authorization"] == "Bearer test-token"
    assert entry.headers["idempotency-key"] == delivery_of("processor/order")
    assert entry.headers["traceparent"] == "00-69247b004bf92f3577b34da6a3ce929d-00f067aa0ba902b7-01"
    assert item(stack, delivery_of("processor/order"))["status"] == {"S": "delivered"}


def test_an_order_that_is_free_is_filtered_and_an_incomplete_one_dead(stack, target):
    app.handler(event("processor/filtered"), CONTEXT)
    app.handler(event("processor/incomplete"), CONTEXT)
    assert target.received("/ledger/entries") == []
    assert item(stack, delivery_of("processor/filtered"))["status"] == {"S": "delivered"}
    dead = item(stack, delivery_of("processor/incomplete"))
    assert (dead["status"], dead["error"]) == ({"S": "dead"}, {"S": "mapping"})
    (letter,) = stack.messages(stack.dead_letters)
    assert (letter["delivery"], letter["ticket"]) == (delivery_of("processor/incomplete"), "0001.000001")


def test_poison_goes_to_the_dead_letters_and_what_is_beside_it_is_delivered(stack, target):
    assert app.handler(event("processor/batch"), CONTEXT) == {"batchItemFailures": []}
    (letter,) = stack.records(stack.dead_letters)
    assert letter["body"] == "this is no message"
    assert len(target.received("/ledger/entries")) == 1


def test_an_integration_that_was_removed_is_dead_and_told_of_on_the_bus(stack):
    heard = stack.heard
    app.handler(event("processor/removed-integration"), CONTEXT)
    (record,) = stack.records(heard)
    told = json.loads(record["body"])
    assert (told["detail-type"], told["detail"]["error"]) == ("causeway.delivery.dead", "removed")


def test_a_long_wait_is_released_by_the_scheduler_and_then_delivered(stack, target, monkeypatch):
    target.on("/ledger/entries", Reply(503, headers={"Retry-After": "1000"}), Reply(201))
    fresh = event("processor/order")
    body = json.loads(fresh["Records"][0]["body"])
    clock = app._tools().clock
    body["accepted_at"] = clock.now()
    fresh["Records"][0]["body"] = json.dumps(body)
    app.handler(fresh, CONTEXT)
    waiting = item(stack, body["delivery"])
    assert waiting["status"] == {"S": "waiting"}
    assert item(stack, body["delivery"], "event") is not None
    assert minute() == set()
    later = clock.now() + 1001
    monkeypatch.setattr(type(scheduler._work().clock), "now", lambda _: later)
    assert minute() == {"released"}
    assert minute() == set()
    records = stack.records(stack.deliveries)
    assert app.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    assert item(stack, body["delivery"])["status"] == {"S": "delivered"}
    assert item(stack, body["delivery"], "event") is None


def test_deliveries_of_a_batch_are_under_way_at_once(stack, target):
    together = threading.Barrier(5, timeout=20)

    def wait(_):
        together.wait()
        return Reply(201)

    target.on("/ledger/entries", wait)
    orders = [message("orders-to-ledger", "shop", f"order {n}", "orders/paid", ORDER) for n in range(5)]
    assert app.handler(records(*map(encode, orders)), CONTEXT) == {"batchItemFailures": []}
    assert len(target.received("/ledger/entries")) == 5


def test_two_invocations_with_the_same_message_call_the_target_once(stack, target):
    arrived, answered = threading.Event(), threading.Event()

    def slowly(_):
        arrived.set()
        answered.wait(20)
        return Reply(201)

    target.on("/ledger/entries", slowly)
    order = event("processor/order")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(app.handler, order, CONTEXT)
        assert arrived.wait(20)
        second = app.handler(order, CONTEXT)
        answered.set()
        assert first.result() == {"batchItemFailures": []}
    assert second == {"batchItemFailures": [{"itemIdentifier": order["Records"][0]["messageId"]}]}
    assert len(target.received("/ledger/entries")) == 1
    assert app.handler(order, CONTEXT) == {"batchItemFailures": []}
    assert len(target.received("/ledger/entries")) == 1


def test_without_a_plan_the_batch_fails_as_a_whole(stack, monkeypatch, tmp_path):
    monkeypatch.setenv("CAUSEWAY_PLAN", str(tmp_path / "nowhere"))
    with pytest.raises(Exception, match="no plan for environment"):
        app.handler(event("processor/order"), CONTEXT)

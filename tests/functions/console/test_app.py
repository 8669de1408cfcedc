"""The function as Lambda runs it: on moto, with a journal that the real processor has written."""

import functools
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from causeway.events.identity import delivery_id
from causeway.plan.compiler import compile_map
from causeway.queueing.messages import decode, encode
from functions.console import app
from functions.processor import app as processor
from tests.functions.console.make_events import DIRECTORY, make
from tests.functions.processor.make_events import ORDER, message, records
from tests.support.console import CONTEXT, event_of
from tests.support.target import Reply, Target

ROOT = Path(__file__).parents[3]
MAP = ROOT / "integrations"
NAME = "orders-to-ledger"
WORKING = SimpleNamespace(aws_request_id="invocation-1", get_remaining_time_in_millis=lambda: 60_000)
SAID = {"lambda": {"client": "key:ann", "scopes": "console:operate console:read"}}


@pytest.fixture
def stack(cloud, tmp_path, monkeypatch):
    """The example map, an order that was delivered and one that died."""
    plan = compile_map(MAP).plans["dev"]
    with Target() as target:
        for name, system in plan["systems"].items():
            if "api" in system:
                system["api"] |= {"base_url": f"{target.url}/{name}", "allow_private": ["127.0.0.0/8"]}
        (tmp_path / "dev.json").write_text(json.dumps(plan))
        for secret in ("ledger/token", "chat/bot-token"):
            cloud.put_secret(secret, "test-token", "out")
        for name, value in (cloud.environ | {"CAUSEWAY_PLAN": str(tmp_path)}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(str(MAP))
        tools = functools.cache(processor._tools.__wrapped__)
        monkeypatch.setattr(processor, "_tools", tools)
        monkeypatch.setattr(app, "_stack", functools.cache(app._stack.__wrapped__))
        target.on("/ledger/accounts", Reply(200, {"id": "acc_1"}))
        now = time.time()
        for number, status in enumerate((200, 400)):
            target.on("/ledger/entries", Reply(status))
            first = message(NAME, "shop", f"order-{number}", "orders/paid", ORDER, accepted_at=now - number)
            assert processor.handler(records(encode(first)), WORKING) == {"batchItemFailures": []}
        tools().caller.close()
    return cloud


def ask(method, path, **more):
    found = app.handler(event_of(method, path, said=SAID, **more), CONTEXT)
    return found["statusCode"], json.loads(found["body"])


def test_what_the_processor_wrote_is_listed_found_and_replayed(stack):
    status, listed = ask("GET", "/api/deliveries", query=f"integration={NAME}")
    assert status == 200
    assert [each["status"] for each in listed["deliveries"]] == ["delivered", "dead"]
    dead = listed["deliveries"][1]["id"]
    assert dead == delivery_id("shop", "order-1", NAME)
    _, found = ask("GET", f"/api/deliveries/{dead}")
    assert found["event"]["data"]["name"] == "#9999"
    assert found["event"]["data"]["email"] == "[redacted]"
    assert ORDER["email"] not in json.dumps(found)
    assert ask("POST", f"/api/deliveries/{dead}/replay")[0] == 202
    (sent,) = (decode(record["body"]) for record in stack.records(stack.deliveries))
    assert (sent["delivery"], sent["ticket"]) == (dead, "0001.000001")


STATUSES = {"event": 404, "pause": 202, "dry-run": 202, "bad-limit": 400, "nobody": 401, "only-looking": 403}


@pytest.mark.parametrize("name", make())
def test_the_corpus_is_what_its_maker_makes(name):
    assert json.loads((DIRECTORY / f"{name}.json").read_text()) == make()[name]


def test_the_corpus_is_answered(stack):
    for name, event in make().items():
        answered = app.handler(event, CONTEXT)
        assert answered["statusCode"] == STATUSES.get(name, 200), name


def test_integrations_are_told_of_by_queries_alone(stack):
    status, found = ask("GET", "/api/integrations")
    assert status == 200
    (orders,) = [each for each in found["integrations"] if each["integration"] == NAME]
    assert (orders["delivered"], orders["dead"], orders["state"]) == (1, 1, "active")


def test_a_pause_is_the_stacks(stack):
    assert ask("POST", f"/api/integrations/{NAME}/pause", body={"reason": "why"})[1]["by"] == "key:ann"
    item = stack.boto("dynamodb").get_item(
        TableName=stack.state, Key={"id": {"S": f"pause#{NAME}"}, "part": {"S": "pause"}}
    )["Item"]
    assert (item["by"]["S"], item["reason"]["S"]) == ("key:ann", "why")


def test_a_missing_plan_is_503_and_health_is_well(monkeypatch):
    monkeypatch.setenv("CAUSEWAY_PLAN", "/nowhere")
    monkeypatch.setenv("CAUSEWAY_ENVIRONMENT", "dev")
    for name in ("AWS_REGION", "CAUSEWAY_JOURNAL", "CAUSEWAY_STATE_TABLE"):
        monkeypatch.setenv(name, "eu-central-1")
    monkeypatch.setattr(app, "_stack", functools.cache(app._stack.__wrapped__))
    assert ask("GET", "/api/integrations")[0] == 503
    assert ask("GET", "/api/health") == (200, {"status": "ok"})


def test_its_cold_start_imports_neither_pydantic_nor_boto3_nor_the_tracer():
    code = (
        "import sys, functions.console.app; "
        "print([name for name in ('pydantic', 'boto3', 'aws_xray_sdk', 'yaml', 'requests') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"

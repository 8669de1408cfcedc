"""Logs: what every line about a delivery says; and the queries of docs/logs.md, over lines that functions wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from causeway.aws.errors import AwsError
from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.settings.clock import SettableClock
from causeway.webhooks.canaries import Canaries, body_with
from tests.support.deliveries import Stage, plan_of
from tests.support.insights import run
from tests.support.memory_aws import MemoryAws
from tests.support.receiving import NOW, Bench, request, signed

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
QUERIES = dict(re.findall(r"^## ([^\n]+)\n[^#]*?```\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))
EVENT, DELIVERY = "evt_1", "f68c811b0d10e0d7d9b39149cea2c594"
TRACE = "Root=1-67a1b2c3-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0"
KEYS = {"system", "integration", "event_id", "delivery_id", "attempt"}


def deliver(answers, **plan):
    """One delivery, that meets these answers."""
    stage = Stage(plan_of(**plan))
    stage.target.on("/entries", *answers)
    stage.accept(EVENT, trace=TRACE)
    stage.until_quiet()
    return stage


def wait_for_a_system():
    breaker = {"failures": 0.5, "of_at_least": 1, "within": 300.0, "open_for": 30.0}
    stage = Stage(plan_of(ledger={"circuit_breaker": breaker}))
    stage.target.on("/entries", 500, 500, 200)
    for number in range(4):
        stage.accept(f"evt_{number}", trace=TRACE)
        stage.invoke()


def wait_for_an_integration():
    stage = Stage()
    Pauses(Table(stage.memory, "state"), stage.clock).pause("orders-to-ledger", by="ann", reason="moving")
    stage.accept(EVENT, trace=TRACE)
    stage.invoke()


def fail_to_write():
    class Failing:
        def __init__(self, aws):
            self.aws = aws

        def __getattr__(self, name):
            return getattr(self.aws, name)

        def call(self, service, operation, parameters):
            if service == "dynamodb" and operation == "UpdateItem":
                raise AwsError("ThrottlingException", "slow down", 400)
            return self.aws.call(service, operation, parameters)

    stage = Stage(wrap=lambda thing: Failing(thing) if isinstance(thing, MemoryAws) else thing)
    stage.accept(EVENT, trace=TRACE)
    stage.invoke()


def keep_an_order():
    stage = Stage(plan_of(order_by="data.customer"))
    stage.target.on("/entries", 500, (500, {}, {"retry-after": "3600"}), 200)
    for number in range(2):
        stage.accept(f"evt_{number}", data={"customer": "c1"}, trace=TRACE)
    for _ in range(4):
        stage.invoke()
        stage.clock.advance(61)


def receive():
    bench = Bench()
    bench.answer(signed("github", b'{"action": "opened"}', event_id=EVENT, event_type="pull_request"))
    bench.answer(signed("shop", b"{}", event_id=EVENT, event_type="unheard/of"))
    bench.answer(request("github", b"{}", {"x-hub-signature-256": "sha256=" + "0" * 64}))


def receive_a_canary():
    bench = Bench()
    state = Table(MemoryAws(SettableClock(NOW)), "state")
    canaries = Canaries(lambda: state, bench.clock)
    canaries.sent("github", "known", NOW)
    bench.receiver._canaries = lambda: canaries
    bench.receiver._plan.systems["github"]["webhooks"]["canary"] = True
    bench.answer(signed("github", body_with("known")[0], event_id="gh-1", event_type="push"))


SCENARIOS = {
    "delivered": lambda: deliver([200]),
    "retried": lambda: deliver([503, 500, 200]),
    "dead": lambda: deliver([400]),
    "waits for its system": wait_for_a_system,
    "waits for its integration": wait_for_an_integration,
    "cannot be written down": fail_to_write,
    "its order key waits": keep_an_order,
    "received": receive,
    "canary": receive_a_canary,
}


@pytest.fixture(autouse=True)
def traced(monkeypatch):
    """As Lambda has it."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)


def lines_of(scenario, capsys):
    capsys.readouterr()
    SCENARIOS[scenario]()
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if "_aws" not in line]


@pytest.mark.parametrize(
    "scenario", [name for name in SCENARIOS if name not in ("received", "canary", "delivered")]
)
def test_every_line_about_a_delivery_says_which_it_is_and_in_which_trace(scenario, capsys):
    about = [line for line in lines_of(scenario, capsys) if "delivery_id" in line]
    assert about
    for line in about:
        assert line.keys() >= KEYS, line["message"]
        assert (line["system"], line["integration"]) == ("shop", "orders-to-ledger")
        assert line["accepted_in"] == TRACE
        assert line["xray_trace_id"] == "1-67a1b2c3-0123456789abcdef01234567"


def test_a_delivery_that_succeeds_at_once_has_no_line_of_its_own(capsys):
    assert [line["message"] for line in lines_of("delivered", capsys)] == ["batch"]


def test_a_batch_names_its_slowest_target(capsys):
    (line,) = lines_of("delivered", capsys)
    assert (line["slowest"], line["slowest_ms"]) == ("ledger", 100)


@pytest.mark.parametrize("question", QUERIES)
def test_a_query_of_the_page_finds_what_it_asks_for(question, capsys):
    """Run over the lines of all scenarios: it gives rows, and each of their fields is in one."""
    lines = [line for scenario in SCENARIOS for line in lines_of(scenario, capsys)]
    rows = run(QUERIES[question], lines)
    assert rows, question
    for field in rows[0]:
        assert any(row[field] is not None for row in rows), f"no line has {field}"


def test_the_ids_that_the_page_asks_for_are_those_of_one_delivery():
    assert f'"{EVENT}"' in QUERIES["What happened to event X?"]
    assert f'"{DELIVERY}"' in QUERIES["And to one delivery?"]
    assert len(QUERIES) >= 10

"""What a dead delivery had done is undone by an integration that takes its announcement: the map in docs/undoing.md."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from causeway.bus.announcements import RULE
from causeway.bus.patterns import matches
from causeway.bus.receiving import BusReceiver
from causeway.plan.compiler import compile_map
from causeway.plan.plan import Plan
from causeway.queueing.payloads import Payloads
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import Stage, call_of, plan_of

PAGE = Path(__file__).parents[3] / "docs" / "undoing.md"

ORDER = {"id": "o1", "total": 5, "customer": {"email": "jon@example.com"}}


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The map that the page shows."""
    directory = tmp_path_factory.mktemp("undoing")
    blocks = re.findall(r"```yaml\n# (integrations/\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 6
    for path, text in blocks:
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Plan(compile_map(directory / "integrations").plans["production"])


def brought(stage: Any, plan: Plan, *, times: int = 1) -> list[dict[str, Any]]:
    """Let EventBridge bring what was announced since; returns what the rule let through."""
    receiver = BusReceiver(
        plan=plan,
        store=stage.tools.queue,
        payloads=Payloads(stage.aws, "payloads"),
        clock=stage.clock,
        metrics=stage.tools.metrics,
    )
    found = []
    while stage.memory.events:
        entry = entry_of(stage.memory.events[0])
        if matches(RULE, entry):
            for _ in range(times):
                receiver.take(entry)
            found.append(entry)
        stage.memory.events.pop(0)
    return found


def entry_of(put: dict[str, Any]) -> dict[str, Any]:
    """An event that was put on the bus, as EventBridge sends it."""
    return {
        "version": "0",
        "id": uuid.uuid4().hex,
        "detail-type": put["DetailType"],
        "source": put["Source"],
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-central-1",
        "resources": put["Resources"],
        "detail": json.loads(put["Detail"]),
    }


def scripted(stage: Any, **charge: Any) -> Any:
    stage.memory._ssm_get_parameters = lambda asked: {
        "Parameters": [
            {"Name": name, "Value": "a token", "Version": 1, "LastModifiedDate": 0} for name in asked["Names"]
        ],
        "InvalidParameters": [],
    }
    stage.target.on("/customers?email=jon%40example.com", (200, {"id": "c1"}))
    stage.target.on("/charges", (201, {"id": "ch_1", "for": "jon@example.com", **charge}))
    stage.target.on("/entries", 400)
    stage.target.on("/charges/ch_1/refunds", 201)
    return stage


def dead(plan: Plan, **charge: Any) -> Any:
    """A stage on which an order was charged and refused by the ledger."""
    stage = scripted(Stage(plan), **charge)
    stage.accept(data=ORDER)
    stage.until_quiet()
    return stage


def test_what_a_dead_delivery_had_done_is_undone(plan):
    stage = dead(plan)
    assert [asked.path.partition("?")[0] for asked in stage.target.asked] == [
        "/customers",
        "/charges",
        "/entries",
    ]
    (entry,) = brought(stage, plan)
    stage.until_quiet()
    (refund,) = stage.target.at("/charges/ch_1/refunds")
    assert refund.body == {"reason": entry["detail"]["reason"], "delivery": entry["detail"]["delivery"]}


def test_the_announcement_says_what_the_page_says(plan):
    (entry,) = brought(dead(plan), plan)
    detail = entry["detail"]
    table = PAGE.read_text().partition("## What the announcement says")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert set(detail) | {"answers_at"} == documented
    assert detail["steps"] == ["customer", "charge"]
    assert detail["of_announcement"] is False
    charge = detail["answers"].pop("charge")
    assert detail["answers"] == {}, "what only reads can be read again"
    assert charge["status"] == 201
    assert charge["body"] == {"id": "ch_1", "for": "[redacted]"}


def test_a_death_that_is_told_twice_is_undone_once(plan):
    stage = dead(plan)
    stage.memory.events.append(
        stage.memory.events[0]
    )  # the processor was cut off before it noted that it told
    assert len(brought(stage, plan, times=2)) == 2
    stage.until_quiet()
    assert len(stage.target.at("/charges/ch_1/refunds")) == 1


def test_large_answers_lie_in_the_bucket_and_come_all_the_same(plan):
    stage = dead(plan, receipt="x" * 100_000)
    (entry,) = brought(stage, plan)
    assert "answers" not in entry["detail"]
    assert entry["detail"]["answers_at"].startswith("s3:announced/")
    stage.until_quiet()
    assert len(stage.target.at("/charges/ch_1/refunds")) == 1


def test_an_order_that_died_before_it_was_charged_is_not_undone(plan):
    stage = scripted(Stage(plan))
    stage.target.on("/charges", 400)
    stage.accept(data=ORDER)
    stage.until_quiet()
    (entry,) = brought(stage, plan)
    assert entry["detail"]["steps"] == ["customer"]
    stage.until_quiet()
    assert not stage.target.at("/charges/ch_1/refunds")


def test_an_undoing_that_dies_is_announced_and_starts_nothing(plan):
    """It would take its own death, and the death of that, for ever."""
    taking_all = {**plan.record, "integrations": {**plan.integrations}}
    undoing = plan.integrations["undo-charges"]
    taking_all["integrations"]["undo-charges"] = {**undoing, "source": {"bus": {"source": [{"prefix": ""}]}}}
    loose = Plan(taking_all)
    stage = dead(loose)
    stage.target.on("/charges/ch_1/refunds", 400)
    assert len(brought(stage, loose)) == 1
    stage.until_quiet()
    (announcement,) = stage.memory.events
    detail = json.loads(announcement["Detail"])
    assert (detail["integration"], detail["system"], detail["of_announcement"]) == (
        "undo-charges",
        "bus",
        True,
    )
    assert brought(stage, loose) == []
    assert stage.until_quiet() is None
    assert len(stage.dead_letters()) == 2


def test_a_pause_that_an_announcement_led_to_is_announced_and_starts_nothing(plan):
    stage = dead(plan)
    stage.target.on("/charges/ch_1/refunds", 410)
    brought(stage, plan)
    stage.invoke()
    (announcement,) = stage.memory.events
    assert announcement["DetailType"] == "causeway.integration.paused"
    assert brought(stage, plan) == []


def test_a_delivery_that_bus_events_of_others_brought_can_be_undone(plan):
    """Only of announcements nothing more is announced to integrations."""
    stage = Stage(plan_of(target=call_of()))
    stage.target.on("/entries", 400)
    stage.accept(system="bus")
    stage.until_quiet()
    (announcement,) = stage.memory.events
    assert json.loads(announcement["Detail"])["of_announcement"] is False


def test_wherever_the_processor_is_cut_off_the_charge_is_refunded_once(plan):
    """What it announces twice is one event, and the refund is one call with one key."""
    undisturbed = Effects()
    played(plan, undisturbed)
    assert len(undisturbed.seen) > 20
    for number in range(len(undisturbed.seen)):
        for after in (False, True):
            stage = played(plan, Effects([number], after=after))
            keys = {asked.headers["idempotency-key"] for asked in stage.target.at("/charges/ch_1/refunds")}
            assert len(keys) == 1, (number, after)


def played(plan: Plan, effects: Effects) -> Any:
    """Charge, die, announce, undo; cut off where ``effects`` say, and begun again."""
    stage: Any = scripted(Stage(plan, wrap=effects.wrap))
    stage.accept(data=ORDER)
    invoke = stage.invoke

    def restarted(*arguments: Any, **named: Any) -> Any:
        effects.restart()
        return invoke(*arguments, **named)

    stage.invoke = restarted
    for _ in range(3):
        stage.until_quiet(crash=(Crash,))
        effects.restart()
        with suppress(Crash):
            brought(stage, plan)
    assert not stage.memory.events
    return stage

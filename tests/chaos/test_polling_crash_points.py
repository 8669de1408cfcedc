"""A poll that is cut off between any two of its effects brings what it would have brought, once.

And a webhook endpoint that loses events, whose poll finds exactly those.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import NamedTuple

import pytest

from causeway.aws.table import Table
from causeway.events.envelope import make_event
from causeway.events.identity import delivery_id
from causeway.queueing.queue import Queue
from causeway.settings.clock import rfc3339
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import Stage
from tests.support.polling import DELIVERIES, NOW, PAGINATE, POLLS, Context, PollStage, plan_with


class Scenario(NamedTuple):
    poll: dict
    paging: str = "link"
    slow: float = 0.1  # seconds of an answer
    shifts: bool = True  # a page that is read a second time is another one: what comes first is new


CURSOR = {"field": "updated_at", "param": "since", "start": "2023-11-01T00:00:00Z", "lookback": "3h"}
SCENARIOS = {
    "a cursor": Scenario({"paginate": "link", "cursor": CURSOR}),
    "a run over several invocations": Scenario({"paginate": "link", "cursor": CURSOR}, slow=25.0),
    "pages by number": Scenario({"paginate": PAGINATE["page"], "cursor": CURSOR}, "page"),
    "the whole list": Scenario({"cursor": None}, "none"),
    "batches": Scenario({"paginate": "link", "batch": 4, "cursor": CURSOR}),
    "changes of a list": Scenario(
        {"cursor": None, "version": None, "paginate": "link", "diff": {"ignore": [], "deleted": True}}
    ),
    "slices": Scenario(
        {
            "cursor": {"start": "2023-11-14T21:00:00Z", "window": "40m"},
            "query": {"since": "${since}", "until": "${until}"},
        },
        "none",
        shifts=False,
    ),
}


def carry_out(scenario, effects):
    """Two slots, with news in between; each has a new process, and each cut is one."""
    stage = PollStage(plan_with(**scenario.poll), wrap=effects.wrap, paging=scenario.paging, size=6)
    stage.api.seconds = scenario.slow
    for number in range(15):
        stage.api.put(f"r{number:02}", at=NOW - 3600 + number * 200)
    if scenario.shifts:
        stage.api.after = lambda *_: stage.api.put(f"first{len(stage.api.requests)}", at=NOW - 3601)
    slot(stage, effects)
    stage.api.put("r03")
    stage.api.put("r20")
    del stage.api.rows["r05"]
    stage.api.after = lambda *_: None
    slot(stage, effects)
    slot(stage, effects)
    return stage


def slot(stage, effects):
    """One slot, minute by minute, until nothing is left to be done."""
    begins = (stage.clock.now() // 600 + 1) * 600
    for minute in range(10):
        stage.clock.set(begins + 60 * minute + 1)
        run(stage, effects, stage.minute)
        while True:
            if run(stage, effects, stage.invoke):
                continue
            visible = [message.visible_at for message in stage.memory.queues[POLLS]]
            if not visible:
                break
            if min(visible) > begins + 60 * (minute + 1):
                break
            stage.clock.set(max(stage.clock.now(), *visible))
        if not stage.memory.queues[POLLS] and stage.covers(begins):
            return
    raise AssertionError("the slot was not read in its time")


def run(stage, effects, function):
    effects.restart()
    try:
        return function()
    except Crash:
        effects.restart()
        stage.deploy(stage.tools.plan)
        return True


def downstream(stage):
    """What the journal lets through: each delivery once; of batches their members."""
    events = {message["delivery"]: message["event"] for message in stage.queued()}
    records = [event["data"] for event in events.values()]
    return Counter(
        json.dumps([record["id"], record.get("version"), "_deleted" in record])
        for each in records
        for record in (each if isinstance(each, list) else [each])
    )


def expected(stage):
    return Counter(
        {json.dumps([id_, version, False]): count for (id_, version), count in stage.api.versions.items()}
    )


CLEAN = {name: Effects() for name in SCENARIOS}
STAGES = {name: carry_out(scenario, CLEAN[name]) for name, scenario in SCENARIOS.items()}
POINTS = [
    pytest.param(name, number, id=f"{name}: after {number} {effect}")
    for name, effects in CLEAN.items()
    for number, effect in enumerate(effects.seen)
    if not effect.endswith(("GetItem", "Query"))  # a read that was lost is a read that was not made
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_uninterrupted_it_brings_everything(name):
    check(STAGES[name])


@pytest.mark.parametrize(("name", "number"), POINTS)
def test_cut_off_after_any_effect_it_brings_the_same(name, number):
    """Before an effect is after the one before it."""
    effects = Effects([number], after=True)
    stage = carry_out(SCENARIOS[name], effects)
    assert effects.crashes == 1
    check(stage)


def check(stage):
    gone = Counter({each: count for each, count in downstream(stage).items() if each.endswith("true]")})
    got = downstream(stage) - gone
    assert got - expected(stage) == Counter(), "nothing twice"
    assert expected(stage) - got == Counter(), "nothing missing"
    if "diff" in stage.tools.plan.systems["shop"]["polls"]["orders"]:
        assert gone == Counter(['["r05", null, true]'])
    assert "open" not in stage.state()
    assert not stage.memory.queues[POLLS]


RECONCILED = {
    "every": "10m",
    "get": "/events",
    "records": "body.orders",
    "id": "id",
    "event_type": "orders/paid",
    "paginate": "link",
    "cursor": {"field": "updated_at", "param": "since", "start": "2023-11-01T00:00:00Z", "delay": "1m"},
    "reconcile": True,
}
WEBHOOKS = {"webhooks": {"scheme": "stripe", "secrets": ["shop/webhook"], "dedupe_for": "7d"}}
INTEGRATION = {
    "integration": "orders-to-ledger",
    "owner": {"team": "desk", "email": "desk@example.com"},
    "source": {"system": "shop", "events": ["orders/*"]},
    "flow": {},
    "target": {"system": "desk", "post": "/in"},
    "frequency": {"expect_every": "never"},
    "errors": {},
}


@pytest.mark.parametrize("seed", range(2))
def test_a_poll_brings_exactly_what_webhooks_lost_and_counts_it(seed):
    """An endpoint loses a tenth of its events; the poll reads all of them; each arrives once, the count is exact."""
    dice = random.Random(seed)
    polling, delivering, missed = reconciling()
    queue = Queue(polling.memory, url=DELIVERIES, bucket="payloads", clock=polling.clock)
    lost = 0
    for slot_number in range(4):
        for number in range(60):
            polling.clock.advance(7)
            row = polling.api.put(f"evt_{slot_number}_{number}", total=number)
            if dice.random() < 0.1:
                lost += 1
            else:
                queue.send([webhook(row, polling.clock.now())])
            process(polling, delivering)
        polling.slot()
        process(polling, delivering)
    polling.clock.advance(120)
    polling.slot()
    process(polling, delivering)
    arrived = Counter(asked.headers["causeway-event-id"] for asked in delivering.target.asked)
    assert len(arrived) == 240
    assert set(arrived.values()) == {1}
    assert lost > 10
    assert missed["MissedByWebhook"] == lost
    assert missed["DeliveriesDuplicate"] == 0, "what the journal knows is not queued again"


def test_what_a_webhook_brings_while_the_poll_reads_is_delivered_once_by_who_comes_first():
    plan = plan_with(RECONCILED, system=WEBHOOKS, integrations=[INTEGRATION])
    polling = PollStage(plan, paging="link", size=20)
    row = polling.api.put("evt_1", at=NOW - 60)
    polling.slot()
    late = webhook(row, polling.clock.now())
    (message,) = polling.queued()
    assert message["missed"] is True
    assert (message["delivery"], message["event"]["data"]) == (late["delivery"], late["event"]["data"])
    Table(polling.memory, "journal").put({"id": late["delivery"], "part": "delivery", "status": "waiting"})
    polling.api.put("evt_2")
    polling.clock.advance(120)
    polling.slot()
    assert [message["event"]["id"] for message in polling.queued()] == ["evt_1", "evt_2"]


@pytest.mark.parametrize("first", ["webhook", "poll"])
def test_the_journal_says_who_came_first_and_counts_once(first):
    """Both messages are on the queue before either is carried out; the target refuses the first attempt."""
    polling, delivering, counts = reconciling()
    delivering.target.on("/api/in", 500, 200)
    row = polling.api.put("evt_1", at=NOW - 60)
    polling.slot()
    queue = polling.memory.queues[DELIVERIES]
    Queue(polling.memory, url=DELIVERIES, bucket="payloads", clock=polling.clock).send(
        [webhook(row, polling.clock.now())]
    )
    if first == "webhook":
        queue.reverse()
    for _ in range(3):
        process(polling, delivering, limit=1)
        polling.clock.advance(60)
    assert [asked.headers["causeway-event-id"] for asked in delivering.target.asked] == ["evt_1"] * 2
    assert counts["MissedByWebhook"] == (first == "poll")
    assert counts["DeliveriesDuplicate"] == 1


def reconciling():
    """A poll and a processor on one AWS and one clock, and what the processor counts."""
    plan = plan_with(RECONCILED, system=WEBHOOKS, integrations=[INTEGRATION])
    polling, delivering = PollStage(plan, paging="link", size=20), Stage(plan)
    delivering.clock = delivering.target.clock = polling.clock
    delivering.memory = delivering.aws = polling.memory
    delivering.deploy(plan)
    counted, counts = delivering.tools.metrics.add, Counter()

    def add(name, value=1, **more):
        counts[name] += value
        counted(name, value, **more)

    delivering.tools.metrics.add = add
    return polling, delivering, counts


def webhook(row, now):
    event = make_event(id=row.id, type="orders/paid", source="shop", time=rfc3339(now), data=row.shown)
    return {
        "format": 1,
        "delivery": delivery_id("shop", row.id, "orders-to-ledger"),
        "integration": "orders-to-ledger",
        "system": "shop",
        "ticket": "0000.000001",
        "acceptance": f"webhook-{row.id}",
        "accepted_at": now,
        "event": event,
    }


def process(polling, delivering, *, limit=10):
    """The processor, on the same queue."""
    from causeway.delivery.processor import process as carry

    while records := polling.memory.receive(DELIVERIES, limit):
        delivering.invocations += 1
        context = Context(polling.clock, f"p{delivering.invocations}", 60.0)
        assert carry({"Records": records}, context, delivering.tools)["batchItemFailures"] == []
        polling.memory.delete(DELIVERIES, {record["messageId"] for record in records})

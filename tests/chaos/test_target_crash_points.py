"""What is delivered to a queue, a bus or a bucket has arrived there, wherever the processor is cut off.

Several deliveries of one integration are in one batch, so that lines of a bucket are written together. They are
carried out undisturbed once, which counts the effects, and then once for every effect, cut off before or after it.
At every moment, also right after the crash, the journal never says more than is so.
"""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.crashes import Crash, Effects, crash_points
from tests.support.deliveries import Stage, call_of, plan_of

COUNT = 4
BODY = {"id": "${id}"}
STEPS = [{"name": "make", "call": call_of("/make")}]
LINES = {"name": "lake", "key": "${id}.ndjson.gz", "content": "ndjson", "body": BODY}
SCENARIOS = {
    "queue": ({"queue": {"name": "jobs", "body": BODY}}, []),
    "bus": ({"bus": {"name": "main", "detail_type": "${type}", "body": BODY}}, []),
    "object": ({"bucket": {**LINES, "key": "${id}.json.gz", "content": "json"}}, []),
    "lines": ({"bucket": LINES}, []),
    "lines after a step": ({"bucket": LINES}, STEPS),
}


def arrived(stage):
    """The ids of events that are there, as often as they are."""
    messages = [json.loads(message.body) for message in stage.memory.queues["https://sqs/jobs"]]
    events = [json.loads(entry["Detail"]) for entry in stage.memory.events if entry["EventBusName"] == "main"]
    objects = [body for (bucket, _), body in stage.memory.objects.items() if bucket == "lake"]
    lines = [json.loads(line) for body in objects for line in zlib.decompress(body, wbits=31).splitlines()]
    return sorted(each["id"] for each in (*messages, *events, *lines))


def check_honest(stage, deliveries):
    """Nothing is said to be delivered that has not arrived."""
    there = set(arrived(stage))
    for event, delivery in deliveries.items():
        item = stage.item(delivery)
        assert item is None or item["status"] != "delivered" or event in there, "said, and not so"


def carry_out(name, effects):
    target, steps = SCENARIOS[name]
    stage = Stage(plan_of(target=target, steps=steps), wrap=effects.wrap)
    deliveries = {f"evt_{number}": stage.accept(f"evt_{number}") for number in range(COUNT)}
    invoke = stage.invoke

    def restarted(*arguments, **named):
        effects.restart()
        try:
            return invoke(*arguments, **named)
        finally:
            check_honest(stage, deliveries)

    stage.invoke = restarted
    stage.until_quiet(crash=(Crash,))
    return stage, deliveries


CLEAN = {name: Effects() for name in SCENARIOS}
STAGES = {name: carry_out(name, effects)[0] for name, effects in CLEAN.items()}
POINTS = crash_points(CLEAN, in_order=False)


@pytest.mark.parametrize("name", SCENARIOS)
def test_undisturbed_everything_arrives_once(name):
    assert arrived(STAGES[name]) == [f"evt_{number}" for number in range(COUNT)]
    assert CLEAN[name].seen.count("put_object.lake") <= COUNT
    if name.startswith("lines"):
        assert sum(bucket == "lake" for bucket, _ in STAGES[name].memory.objects) == 1


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_cut_off_anywhere_everything_arrives(name, number, after):
    effects = Effects([number], after=after)
    stage, deliveries = carry_out(name, effects)
    assert effects.crashes == 1
    assert {stage.item(delivery)["status"] for delivery in deliveries.values()} == {"delivered"}
    assert set(arrived(stage)) == set(deliveries)
    assert set(stage.pages()[0]) == set(deliveries.values())
    assert len(arrived(stage)) <= 2 * COUNT, "one crash repeats each at most once"
    keys = {asked.headers["idempotency-key"] for asked in stage.target.asked}
    assert len(keys) == (COUNT if SCENARIOS[name][1] else 0)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 60), max_size=6), st.booleans(), st.sampled_from(sorted(SCENARIOS)))
def test_cut_off_again_and_again_everything_arrives_or_is_given_up_as_crashed(numbers, after, name):
    effects = Effects(numbers, after=after)
    stage, deliveries = carry_out(name, effects)
    there = set(arrived(stage))
    for event, delivery in deliveries.items():
        item = stage.item(delivery)
        assert item["status"] == "delivered" or item["error"] == "crashed"
        assert event in there or item["status"] == "dead"

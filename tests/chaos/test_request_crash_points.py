"""A request is never half done, wherever the request function or the processor is cut off.

Each scenario is carried out undisturbed, which counts its effects; then once for every effect, cut off before it and
once cut off after it. A client that hears nothing comes again with its key, as clients do, or never. However it was
cut off: who comes again gets the same answer, the target is asked at most once more, and what a client was told
with 2xx is delivered; of who never comes nothing is left open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from causeway.requests.standing import Standing, standing_of
from tests.support.crashes import Crash, Effects, crash_points, until_quiet
from tests.support.deliveries import QUEUE, call_of
from tests.support.requests import Asking, plan_for

STEPS = [{"name": "look", "call": call_of("/look", method="GET")}, {"name": "make", "call": call_of("/make")}]
QUICK = {"retry": {"first": 1.0, "factor": 1.0, "max": 1.0}}
REPLY = {"reply": {"status": 200, "headers": {}, "content": "json", "body": "${data}"}}


@dataclass
class Scenario:
    """What is asked, and how the client is answered in the end."""

    status: int
    answers: dict = field(default_factory=dict)
    plan: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)


SCENARIOS = {
    "success": Scenario(201, {"/entries": [201]}),
    "a reply alone": Scenario(200, plan={"target": REPLY}),
    "refused for good": Scenario(422, {"/entries": [422]}),
    "refused once": Scenario(201, {"/entries": [503, 201]}, {"errors": QUICK}),
    "steps": Scenario(201, {"/entries": [201]}, {"steps": STEPS}),
    "steps, refused once": Scenario(201, {"/entries": [503, 201]}, {"steps": STEPS, "errors": QUICK}),
    "not in time": Scenario(201, {"/entries": ["timeout", 201]}, {"wait": 3.0}),
    "steps, not in time": Scenario(201, {"/entries": ["timeout", 201]}, {"wait": 3.0, "steps": STEPS}),
    "nobody waits": Scenario(201, {"/entries": [201]}, headers={"prefer": "respond-async"}),
    "a step fails for good": Scenario(502, {"/make": [404]}, {"steps": STEPS}),
    "refused, and nothing queued": Scenario(
        201, {"/entries": ["timeout", 201]}, {"wait": 3.0, "otherwise": "refuse"}
    ),
    "steps, refused, and nothing queued": Scenario(
        201, {"/entries": ["timeout", 201]}, {"wait": 3.0, "otherwise": "refuse", "steps": STEPS}
    ),
}


def staged(scenario, effects):
    stage = Asking(plan_for(**scenario.plan), wrap=effects.wrap)
    for path, answers in scenario.answers.items():
        stage.target.on(path, *answers)
    return stage


def ask(stage, scenario, effects):
    """Ask once; None: the function was cut off, so the gateway answers 5xx."""
    effects.restart()
    try:
        return stage.ask(idempotency_key="k1", **scenario.headers)
    except Crash:
        return None


def ask_until_answered(stage, scenario, effects):
    """A client that comes again until it has an answer that is no 202, no 409 and no failure of ours."""
    for _ in range(12):
        reply = ask(stage, scenario, effects)
        if reply is not None and reply.status not in (202, 409, 503, 504):
            return reply
        if reply is not None and reply.status == 202:
            until_quiet(stage, effects)
            item = stage.item(reply.delivery)
            assert item["status"] == "delivered", "what was told with 202 is delivered"
        stage.clock.advance(31)  # beyond any lease
    raise AssertionError("never answered")


def paths(stage):
    return [asked.path for asked in stage.target.asked]


CLEAN = {name: Effects() for name in SCENARIOS}
CALLS = {}
for _name, _scenario in SCENARIOS.items():
    _stage = staged(_scenario, CLEAN[_name])
    assert ask_until_answered(_stage, _scenario, CLEAN[_name]).status == _scenario.status, _name
    until_quiet(_stage, CLEAN[_name])
    CALLS[_name] = paths(_stage)
POINTS = crash_points(CLEAN)


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_a_client_that_comes_again_is_answered_as_if_nothing_had_happened(name, number, after):
    scenario, effects = SCENARIOS[name], Effects({number}, after=after)
    stage = staged(scenario, effects)
    reply = ask_until_answered(stage, scenario, effects)
    assert reply.status == scenario.status
    until_quiet(stage, effects)
    assert not stage.memory.queues[QUEUE]
    assert effects.crashes == 1
    changed = [path for path in paths(stage) if path != "/look"]
    assert len(changed) <= len([path for path in CALLS[name] if path != "/look"]) + 1
    assert not stage.dead_letters()
    again = ask(stage, scenario, effects)
    assert (again.status, again.body) == (reply.status, reply.body)
    item = stage.item(reply.delivery)
    assert item["status"] == "delivered"
    assert item["expires_at"] > stage.clock.now()
    assert "open_shard" not in item
    beside = stage.beside(reply.delivery)
    assert beside is None or beside["expires_at"] > stage.clock.now(), "its event would be there for good"


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_of_a_client_that_never_comes_again_nothing_is_left_open(name, number, after):
    scenario, effects = SCENARIOS[name], Effects({number}, after=after)
    stage = staged(scenario, effects)
    told = ask(stage, scenario, effects)
    until_quiet(stage, effects)
    effects.crash_at.clear()
    assert not stage.memory.queues[QUEUE]
    for item in stage.items():
        stage.clock.advance(31)
        standing = standing_of(item, now=stage.clock.now())
        assert standing in (Standing.DONE, Standing.LEFT)
        assert "due_at" not in item
        assert item["expires_at"] > stage.clock.now(), "it would be there for good"
        beside = stage.beside(item["id"])
        assert beside is None or beside["expires_at"] > stage.clock.now(), "and its event"
        if told is not None and told.status < 300:
            assert standing is Standing.DONE
            assert json.loads(stage.tools.table.get(item["id"], "reply")["reply"])

"""No message of the stream is lost, wherever its function is cut off, and no shard is stuck.

Lambda begins a batch anew that ended with its process. What it meets as running it hands over to the queue, where
the processor finds that the attempt was cut off, as it does with its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.support.crashes import Crash, Effects, crash_points, until_quiet
from tests.support.deliveries import Stage, plan_of
from tests.support.streams import Shard


@dataclass
class Scenario:
    """What the target answers, and how it ends."""

    answers: dict = field(default_factory=dict)
    plan: dict = field(default_factory=dict)
    status: str = "delivered"
    not_yet: bool = False  # the integration is not deployed: all goes to the queue as it is


SCENARIOS = {
    "success": Scenario(),
    "refused, then accepted": Scenario({"/entries": [500, 200]}),
    "no answer, then accepted": Scenario({"/entries": ["timeout", 200]}),
    "permanent failure": Scenario({"/entries": [400]}, status="dead"),
    "handed over": Scenario(status="dead", not_yet=True),
}


def carried_out(scenario, effects):
    stage = Stage(plan_of(**scenario.plan), wrap=effects.wrap)
    for path, answers in scenario.answers.items():
        stage.target.on(path, *answers)
    shard = Shard(stage, effects)
    delivery = shard.accept(**({"integration": "not-yet"} if scenario.not_yet else {}))
    shard.until_empty(crash=(Crash,))
    until_quiet(stage, effects)
    return stage, delivery


CLEAN = {name: Effects() for name in SCENARIOS}
EXPECTED = {
    name: Counter(asked.path for asked in carried_out(scenario, CLEAN[name])[0].target.asked)
    for name, scenario in SCENARIOS.items()
}
POINTS = crash_points(CLEAN)


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_cut_off_anywhere_it_ends_the_same(name, number, after):
    scenario = SCENARIOS[name]
    effects = Effects([number], after=after)
    stage, delivery = carried_out(scenario, effects)
    assert effects.crashes == 1
    item = stage.item(delivery)
    assert item["status"] == scenario.status
    more = Counter(asked.path for asked in stage.target.asked) - EXPECTED[name]
    assert all(count <= 1 for count in more.values()), f"more requests than one crash explains: {more}"
    assert not EXPECTED[name] - Counter(asked.path for asked in stage.target.asked)
    assert len({asked.headers["idempotency-key"] for asked in stage.target.asked}) <= 1
    if scenario.status == "delivered":
        assert set(stage.pages()[0]) == {delivery}
    else:
        assert {letter["delivery"] for letter in stage.dead_letters()} == {delivery}


def test_a_message_that_ends_the_process_each_time_is_given_up_and_holds_no_shard():
    effects = Effects()
    stage = Stage(wrap=effects.wrap)
    shard = Shard(stage, effects)
    poisoned = shard.accept("evt_poison", acceptance="p")
    healthy = [shard.accept(f"evt_{number}", acceptance=str(number)) for number in range(5)]
    effects.poison = lambda name, arguments: (
        name == "exchange" and arguments[0][0].headers.get("Idempotency-Key") == poisoned
    )
    shard.until_empty(crash=(Crash,))
    until_quiet(stage, effects)
    assert (stage.item(poisoned)["status"], stage.item(poisoned)["error"]) == ("dead", "crashed")
    assert {stage.item(delivery)["status"] for delivery in healthy} == {"delivered"}

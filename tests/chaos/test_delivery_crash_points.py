"""A delivery is never lost, wherever the processor or the scheduler is cut off.

Each scenario is first carried out undisturbed, which counts its effects (AWS calls and requests to the target).
Then it is carried out once for every effect, cut off before it, and once cut off after it; SQS hands the message
out again when its visibility timeout is over. However it was cut off, it ends as the undisturbed one did, and costs
the target at most one request more.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from causeway.delivery.journal import GRACE
from tests.support.crashes import Effects, crash_points, until_quiet
from tests.support.deliveries import VISIBILITY, Stage, call_of, plan_of

STEPS = [
    {"name": "look", "call": call_of("/look", method="GET")},
    {"name": "make", "call": call_of("/make")},
    {"name": "check", "call": call_of("/check", method="GET")},
    {"name": "book", "call": call_of("/book")},
]


@dataclass
class Scenario:
    """What happens, and how it ends."""

    answers: dict = field(default_factory=dict)
    plan: dict = field(default_factory=dict)
    status: str = "delivered"
    replayed: dict = field(default_factory=dict)  # answers after it died and was moved back to the queue


SCENARIOS = {
    "success": Scenario(),
    "refused, then accepted": Scenario({"/entries": [500, 200]}),
    "refused twice, then accepted": Scenario({"/entries": [500, "timeout", 200]}),
    "refused with a long wait, then accepted": Scenario(
        {"/entries": [(429, {}, {"retry-after": "4000"}), 200]}
    ),
    "permanent failure": Scenario({"/entries": [400]}, status="dead"),
    "attempts are up": Scenario({"/entries": [500]}, {"errors": {"attempts": 2}}, "dead"),
    "filter fails": Scenario(plan={"filter": "data.missing"}, status="dead"),
    "filtered": Scenario(plan={"filter": "data.total == `0`"}),
    "several steps": Scenario({}, {"steps": STEPS}),
    "several steps, the target refuses once": Scenario({"/entries": [500, 200]}, {"steps": STEPS}),
    "several steps, one refuses for good": Scenario({"/book": [409]}, {"steps": STEPS}, "dead"),
    "several steps with large answers, the target refuses once": Scenario(
        {"/make": [(201, {"text": "x" * 100_000})], "/entries": [500, 200]}, {"steps": STEPS}
    ),
    "kept events": Scenario({"/entries": [500, 200]}, {"errors": {"keep_events": 1e6}}),
    "dead, then replayed": Scenario({"/entries": [400]}, replayed={"/entries": [500, 200]}),
}


def carry_out(scenario, effects):
    """One run of a scenario to its end."""
    stage = Stage(plan_of(**scenario.plan), wrap=effects.wrap)
    for path, answers in scenario.answers.items():
        stage.target.on(path, *answers)
    delivery = stage.accept()
    until_quiet(stage, effects)
    if scenario.replayed:
        check_settled(stage, delivery, "dead")
        for path, answers in scenario.replayed.items():
            stage.target.on(path, *answers)
        stage.replay()
        until_quiet(stage, effects)
    return stage, delivery


def requests(stage):
    return Counter(asked.path for asked in stage.target.asked)


def check_settled(stage, delivery, status):
    """What must hold of a settled delivery, whatever happened on the way."""
    item, beside = stage.item(delivery), stage.beside(delivery)
    assert item["status"] == status
    assert "due_at" not in item
    assert item["expires_at"] > stage.clock.now()
    if status == "dead":
        letters = [letter for letter in stage.dead_letters() if letter["delivery"] == delivery]
        assert letters, "its announcement is lost"
        assert len({letter["ticket"] for letter in letters}) == 1, "its replays are one chain"
        assert item["announced"] is True
        assert [told["reason"] for told in stage.told()][-1] == item["reason"]
        assert json.loads(beside["event"])["id"] == "evt_1"
        assert beside["expires_at"] >= item["expires_at"]
        return
    assert "open_shard" not in item
    assert delivery in stage.pages()[0], "it is on no page"
    assert beside is None or beside["expires_at"] > stage.clock.now(), "its event is left behind for good"


CLEAN = {name: Effects() for name in SCENARIOS}
STAGES = {name: carry_out(scenario, CLEAN[name])[0] for name, scenario in SCENARIOS.items()}
EXPECTED = {name: requests(stage) for name, stage in STAGES.items()}
POINTS = crash_points(CLEAN)


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_cut_off_anywhere_it_ends_the_same(name, number, after):
    scenario = SCENARIOS[name]
    effects = Effects([number], after=after)
    stage, delivery = carry_out(scenario, effects)
    assert effects.crashes == 1
    check_settled(stage, delivery, scenario.status)
    more = requests(stage) - EXPECTED[name]
    assert all(count <= 1 for count in more.values()), f"more requests than one crash explains: {more}"
    assert not EXPECTED[name] - requests(stage)
    late = stage.clock.now() - STAGES[name].clock.now()
    assert late <= VISIBILITY + GRACE + 60, "the message is back by then, or the scheduler has sent another"
    changing = [asked for asked in stage.target.asked if asked.method != "GET"]
    keys = {asked.path: asked.headers["idempotency-key"] for asked in changing}
    assert all(asked.headers["idempotency-key"] == keys[asked.path] for asked in changing)


@pytest.mark.parametrize("name", ["success", "refused, then accepted", "permanent failure"])
@pytest.mark.parametrize("after", [False, True])
def test_cut_off_twice_it_ends_the_same(name, after):
    """The second time may hit the attempt that repairs the first."""
    scenario = SCENARIOS[name]
    for numbers in itertools.combinations(range(2 * len(CLEAN[name].seen)), 2):
        effects = Effects(numbers, after=after)
        stage, delivery = carry_out(scenario, effects)
        check_settled(stage, delivery, scenario.status)
        more = requests(stage) - EXPECTED[name]
        assert sum(more.values()) <= effects.crashes, numbers


def poisoned(wanted):
    """A target whose request kills the process that sends it."""

    def poison(name, arguments):
        return name == "exchange" and json.loads(arguments[0][0].body or b"null") in wanted

    return poison


def poisonous(stage, delivery):
    """The worst case: while this delivery runs, the process ends at the first request of any."""

    def poison(name, arguments):
        item = stage.item(delivery) or {"status": "waiting"}
        return name == "exchange" and item["status"] == "running" and item["lease"] > stage.clock.now() * 1000

    return poison


def test_a_delivery_that_kills_its_process_is_given_up_as_crashed_and_takes_no_other_with_it():
    effects = Effects()
    stage = Stage(wrap=effects.wrap)
    delivery = stage.accept("evt_poison")
    innocents = [stage.accept(f"evt_{number}") for number in range(9)]
    effects.poison = poisonous(stage, delivery)
    effects.pause = 0.03  # until all others of the batch are running, too
    until_quiet(stage, effects)
    assert effects.crashes == 3
    item = stage.item(delivery)
    assert (item["status"], item["error"]) == ("dead", "crashed")
    assert [entry["outcome"] for entry in item["attempts"]] == ["crashed"] * 3 + ["dead"]
    assert [letter["delivery"] for letter in stage.dead_letters()] == [delivery]
    assert {stage.item(each)["status"] for each in innocents} == {"delivered"}


def test_two_that_kill_their_process_are_both_given_up_and_an_innocent_between_them_is_not():
    effects = Effects()
    stage = Stage(wrap=effects.wrap)
    effects.poison = poisoned([{"total": 1}, {"total": 3}])
    deliveries = [stage.accept(f"evt_{number}", data={"total": number}) for number in range(5)]
    until_quiet(stage, effects)
    assert [stage.item(each)["status"] for each in deliveries] == [
        "delivered",
        "dead",
        "delivered",
        "dead",
        "delivered",
    ]


def test_a_crash_that_a_deploy_repairs_is_replayed():
    effects = Effects()
    stage = Stage(wrap=effects.wrap)
    effects.poison = poisoned([{"total": 5}])
    delivery = stage.accept()
    until_quiet(stage, effects)
    assert stage.item(delivery)["error"] == "crashed"
    effects.poison = poisoned([])
    stage.replay()
    until_quiet(stage, effects)
    assert stage.item(delivery)["status"] == "delivered"

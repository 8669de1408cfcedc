"""One delivery orchestrates three systems, and each ends with one of what it should have, whatever happens.

A person is looked up in the CRM, which knows no idempotency keys, and made there if absent; a project is opened in
the tracker and an entry in the ledger, which both know a call by its key. The processor is cut off before and after
every effect, and answers are lost after the system has done what it was asked.
"""

from __future__ import annotations

import itertools
import json

import pytest

from tests.support.crashes import Effects, crash_points, until_quiet
from tests.support.deliveries import Stage, call_of, plan_of

STEPS = [
    {"name": "find", "call": call_of("/people/${data.email}", system="crm", method="GET")},
    {
        "name": "person",
        "call": call_of(
            "/people", system="crm", body={"email": "${data.email}"}, when="steps.find.body.id == null"
        ),
    },
    {
        "name": "project",
        "call": call_of(
            "/projects",
            system="tracker",
            body={"owner": "${not_null(steps.find.body.id, steps.person.body.id)}"},
        ),
    },
]
TARGET = call_of(
    "/entries",
    body={
        "person": "${not_null(steps.find.body.id, steps.person.body.id)}",
        "project": "${steps.project.body.id}",
    },
)
CHANGING = ("/people", "/projects", "/entries")


class World:
    """The three systems; ``lost`` says of which path which answers never arrive, though all was done."""

    def __init__(self, lost=()):
        self.people = []
        self.projects = {}
        self.entries = {}
        self.lost = set(lost)
        self.asked = dict.fromkeys(CHANGING, 0)

    def script(self, stage):
        stage.target.on("/people/jon%40example.com", self.find)
        stage.target.on("/people", self.answering(self.make))
        stage.target.on("/projects", self.answering(self.open))
        stage.target.on("/entries", self.answering(self.book))

    def answering(self, does):
        def answer(asked):
            number = self.asked[asked.path]
            self.asked[asked.path] += 1
            answered = does(asked)
            return "timeout" if (asked.path, number) in self.lost else answered

        return answer

    def find(self, _):
        return (200, {"id": self.people[0]["id"] if self.people else None})

    def make(self, asked):
        self.people.append({**asked.body, "id": f"p{len(self.people) + 1}"})
        return (201, {"id": self.people[-1]["id"]})

    def open(self, asked):
        project = self.projects.setdefault(
            asked.headers["idempotency-key"], {**asked.body, "id": f"j{len(self.projects) + 1}"}
        )
        return (201, {"id": project["id"]})

    def book(self, asked):
        self.entries.setdefault(asked.headers["idempotency-key"], asked.body)
        return (201, {})


def carry_out(effects, lost=()):
    plan = plan_of(steps=STEPS, target=TARGET)
    for name in ("crm", "tracker"):
        plan.systems[name] = {**plan.systems["ledger"], "name": name}
    stage, world = Stage(plan, wrap=effects.wrap), World(lost)
    world.script(stage)
    delivery = stage.accept(data={"email": "jon@example.com"})
    until_quiet(stage, effects)
    return stage, world, delivery


LOST = {
    "no answer": (),
    **{f"the answer of {path}": ((path, 0),) for path in CHANGING},
    "every first answer": tuple((path, 0) for path in CHANGING),
    "the first two of each": tuple(itertools.product(CHANGING, (0, 1))),
}
CLEAN = {}
for _name, _lost in LOST.items():
    CLEAN[_name] = Effects()
    carry_out(CLEAN[_name], _lost)
POINTS = crash_points(CLEAN)


def check_one_of_each(stage, world, delivery):
    assert stage.item(delivery)["status"] == "delivered"
    assert [person["email"] for person in world.people] == ["jon@example.com"]
    assert world.projects == {f"{delivery}/project": {"owner": "p1", "id": "j1"}}
    assert world.entries == {delivery: {"person": "p1", "project": "j1"}}
    assert stage.beside(delivery) is None, "answers of steps are left behind"


@pytest.mark.parametrize("name", LOST)
def test_whatever_answer_is_lost_there_is_one_of_each(name):
    check_one_of_each(*carry_out(Effects(), LOST[name]))


@pytest.mark.parametrize(("name", "number", "after"), POINTS)
def test_cut_off_anywhere_there_is_one_of_each(name, number, after):
    effects = Effects([number], after=after)
    result = carry_out(effects, LOST[name])
    assert effects.crashes == 1
    check_one_of_each(*result)


def test_cut_off_twice_there_is_one_of_each():
    """The second time may hit the attempt that repairs the first."""
    for numbers in itertools.combinations(range(2 * len(CLEAN["no answer"].seen)), 2):
        check_one_of_each(*carry_out(Effects(numbers, after=True)))


def test_when_it_is_given_up_the_bus_hears_which_steps_are_to_be_undone():
    stage = Stage()
    plan = plan_of(steps=STEPS, target=TARGET)
    for name in ("crm", "tracker"):
        plan.systems[name] = {**plan.systems["ledger"], "name": name}
    stage.deploy(plan)
    world = World()
    world.script(stage)
    stage.target.on("/entries", 422)
    delivery = stage.accept(data={"email": "jon@example.com"})
    stage.until_quiet()
    (told,) = stage.told()
    assert (told["delivery"], told["steps"]) == (delivery, ["find", "person", "project"])
    answers = json.loads(stage.beside(delivery)["answers"])
    assert answers["project"]["body"] == {"id": "j1"}, "kept as long as the dead letter is"

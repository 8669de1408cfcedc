"""docs/events.md holds the schema of everything that Causeway announces, and what is announced is held against it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from causeway.bus.announcements import DEAD, PAUSED, TYPES
from causeway.watching.checks import CHECKS
from tests.support.deliveries import Stage, plan_of
from tests.support.watching import OF_DELIVERIES, Watched

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
SCHEMAS = {
    name: json.loads(schema)
    for name, schema in re.findall(
        r"^## (causeway\.\S+)$.*?^```json$(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE
    )
}


def delivered(stage, minutes=1):
    for _ in range(minutes):
        while stage.invoke() is not None:
            pass


def dead():
    stage = Stage()
    stage.target.on("/entries", 400)
    stage.accept()
    delivered(stage)
    return stage


def paused_by_target():
    stage = Stage()
    stage.target.on("/entries", 410)
    stage.accept()
    delivered(stage)
    return stage


def paused_and_resumed():
    stage = Stage()
    watched = Watched(stage)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    stage.tools.pauses.resume("orders-to-ledger", by="ann")
    watched.minutes(3)
    return stage


def silent():
    frequency = {"expect_every": 600.0, "during": "always", "deliver_within": 900.0}
    stage = Stage(plan_of(frequency=frequency))
    silence = tuple(check for check in CHECKS if check.name == "silence")
    Watched(stage, checks=silence).minutes(15)
    return stage


def circuit():
    breaker = {"failures": 0.7, "of_at_least": 1, "within": 300.0, "open_for": 30.0}
    stage = Stage(plan_of(ledger={"circuit_breaker": breaker}))
    stage.target.on("/entries", 503)
    stage.accept()
    delivered(stage)
    Watched(stage, checks=OF_DELIVERIES).minutes(1)
    return stage


HAPPENINGS = {
    DEAD: dead,
    PAUSED: paused_by_target,
    "causeway.integration.recovered": paused_and_resumed,
    "causeway.integration.silent": silent,
    "causeway.circuit.opened": circuit,
}


def test_every_type_has_a_schema_and_there_is_no_other():
    assert set(SCHEMAS) == set(TYPES) == set(HAPPENINGS)


@pytest.mark.parametrize("name", TYPES)
def test_a_schema_is_one(name):
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", HAPPENINGS)
def test_what_is_announced_is_as_the_schema_says(name):
    announced = HAPPENINGS[name]().memory.events
    assert name in {each["DetailType"] for each in announced}
    for each in announced:
        Draft202012Validator(SCHEMAS[each["DetailType"]]).validate(json.loads(each["Detail"]))

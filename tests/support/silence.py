"""A stage on which an integration expects an event every two hours, and how its silence is seen."""

from __future__ import annotations

from causeway.acceptance.sightings import Sightings
from causeway.aws.table import Table
from causeway.settings.clock import from_rfc3339
from causeway.watching.checks import CHECKS
from tests.support.deliveries import Stage, plan_of

HOUR = 3600.0
FREQUENCY = {"expect_every": 2 * HOUR, "during": "always", "deliver_within": 900.0}
SILENCE = tuple(check for check in CHECKS if check.name == "silence")
NAME = "orders-to-ledger"


def at(text):
    return from_rfc3339(text)


def watched_stage(**frequency):
    stage = Stage(plan_of(frequency=FREQUENCY | frequency))
    stage.clock.set(at("2026-11-23T06:00:00Z"))  # a Monday
    return stage


def pass_hours(watched, hours):
    watched.clock.advance(hours * HOUR)
    watched.look()


def sightings(stage):
    return Sightings(stage.tools.plan, lambda: Table(stage.memory, "state"), stage.clock)


def one(mail):
    (message,) = mail
    return message.subject + message.by_protocol["email"]

"""An owner's message and the stack's alarm, side by side: what breaks, who hears of it how, how soon, and its end.

Metrics are those that the code emits meanwhile, in simulated time; the alarms are the template's own.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.alarms import Alarms, Data, told
from tests.support.deliveries import Stage, plan_of
from tests.support.resolving import STACK
from tests.support.watching import Recorded, Watched

BREAKER = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}
MINUTE = 60


class Scene:
    """A stage with traffic, its watchdog, and the alarms over what both count."""

    def __init__(self):
        self.stage = Stage(plan_of(ledger={"circuit_breaker": BREAKER}))
        self.watched = Watched(self.stage)
        self.processor = self.stage.tools.giving_up._metrics = Recorded(self.stage.clock)
        self.stage.tools = replace(self.stage.tools, metrics=self.processor)
        self.scheduler = Recorded(self.stage.clock)
        self.stage.freeing._metrics = self.scheduler
        self.began = self.stage.clock.now()
        self.number = 0
        self.runs = []

    def minute(self, events, *, watch=True):
        stage = self.stage
        stage.clock.set((stage.clock.now() // MINUTE + 1) * MINUTE)
        for _ in range(events):
            self.number += 1
            stage.accept(f"evt_{self.number}")
        while stage.invoke(limit=10) is not None:
            pass
        stage.schedule()
        stage.freeing.run(until=stage.clock.now() + 5)
        self.runs.append(stage.clock.now())
        if watch:
            self.watched.look()

    def minutes(self, number, events=6, **more):
        for _ in range(number):
            self.minute(events, **more)

    def alarms(self):
        """What alarms have said until now."""
        data = Data()
        counted = {
            "processor": self.processor,
            "scheduler": self.scheduler,
            "watchdog": self.watched.metrics,
        }
        for function, metrics in counted.items():
            for name, value, at in metrics.added:
                data.add("Causeway", name, value, at, service=f"{STACK}-{function}")
        for at in self.runs:
            data.add("AWS/Lambda", "Invocations", 1, at, FunctionName="SchedulerFunction")
        return Alarms().messages(data, self.began + 10 * MINUTE, self.stage.clock.now())


@pytest.fixture
def scene():
    found = Scene()
    found.minutes(15)
    return found


def test_while_all_is_well_neither_says_anything(scene):
    scene.minutes(30)
    assert (scene.watched.mail, scene.alarms()) == ([], [])


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("connection", id="down"),
        pytest.param("timeout", id="slow"),
        pytest.param(503, id="failing"),
    ],
)
def test_a_target_that_breaks_is_told_to_its_owner_and_as_one_outage_to_the_operator(scene, broken):
    began = scene.stage.clock.now()
    scene.stage.target.on("/entries", broken)
    scene.minutes(14)
    (message,) = scene.watched.mail
    assert message.attributes["check"] == "circuit"
    opened_at = scene.watched.means.state.get("health#all", "ledger")["opened_at"]
    assert message.at - opened_at <= MINUTE
    assert opened_at - began <= 5 * MINUTE, "the breaker judges five minutes, in which most calls succeeded"
    (alarm,) = scene.alarms()
    assert (alarm.alarm, alarm.state) == ("TargetsFail", "ALARM")
    assert alarm.at - began <= 15 * MINUTE
    scene.minutes(8)
    assert [each.attributes["check"] for each in scene.watched.mail] == ["overdue"], "and what it costs"

    scene.stage.target.on("/entries", 200)
    scene.minutes(40)
    assert sorted((each.attributes["check"], each.attributes["state"]) for each in scene.watched.mail) == [
        ("circuit", "recovered"),
        ("overdue", "recovered"),
    ]
    assert told(scene.alarms()) == [("TargetsFail", "ALARM"), ("TargetsFail", "OK")]
    assert scene.watched.standing == set()


def test_a_target_that_throttles_is_no_outage_until_deliveries_are_late(scene):
    scene.stage.target.on("/entries", (429, {}, {"retry-after": "60"}))
    scene.minutes(12, events=3)
    assert scene.watched.mail == []
    scene.minutes(10, events=3)
    (message,) = scene.watched.mail
    assert message.attributes["check"] == "overdue"
    assert "Cause" in message.by_protocol["email"]


def test_deliveries_that_die_are_told_to_their_owner_and_the_operator(scene):
    scene.stage.target.on("/entries", 400)
    scene.minute(3)
    (message,) = scene.watched.mail
    assert message.attributes["check"] == "dead"
    scene.minutes(10, events=0)
    assert ("DeadDeliveries", "ALARM") in told(scene.alarms())


def test_a_watchdog_that_stops_is_told_by_its_silence(scene):
    stopped = scene.stage.clock.now()
    scene.minutes(20, watch=False)
    (alarm,) = scene.alarms()
    assert (alarm.alarm, alarm.state) == ("WatchingBroken", "ALARM")
    assert alarm.at - stopped <= 10 * MINUTE
    scene.minutes(20)
    assert told(scene.alarms()) == [("WatchingBroken", "ALARM"), ("WatchingBroken", "OK")]

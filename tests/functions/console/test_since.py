"""Since when: how long something has been dead, and when the last event came."""

import pytest

from causeway.settings.clock import rfc3339
from causeway.watching.checks import CHECKS
from tests.support.console import Console
from tests.support.deliveries import NOW, Stage, plan_of
from tests.support.watching import Watched

HOUR = 3600.0
CHECKS_OF_SILENCE = [check for check in CHECKS if check.name == "silence"]


def one(console):
    console.stack.forget()
    (found,) = console.get("/api/integrations").body["integrations"]
    return found


def test_dead_letters_say_when_the_oldest_of_them_came():
    stage = Stage(plan_of())
    console = Console(stage)
    assert one(console)["oldest_dead"] is None
    stage.target.on("/entries", 400)
    for number in range(3):
        stage.accept(f"evt_{number}")
        stage.invoke()
        stage.clock.advance(60)
    assert one(console)["oldest_dead"] == rfc3339(NOW)


class TestTheLastEvent:
    """As far back as the watchdog remembers, and a day where nobody watches the silence."""

    def quiet(self, *, every=2 * HOUR, hours=72.0):
        """One event, and then nothing for so long; the watchdog looks once an hour."""
        frequency = {"expect_every": every, "during": "always", "deliver_within": 900.0}
        stage = Stage(plan_of(frequency=frequency))
        console, watched = Console(stage), Watched(stage, checks=CHECKS_OF_SILENCE)
        watched.look()
        stage.clock.advance(HOUR)
        at = stage.clock.now()
        stage.accept()
        stage.invoke()
        for _ in range(int(hours)):
            stage.clock.advance(HOUR)
            watched.look()
        return console, at

    @pytest.mark.parametrize("hours", [1, 5, 30, 24 * 20])
    def test_it_is_known_however_long_ago_it_was(self, hours):
        console, at = self.quiet(hours=hours)
        assert one(console)["last_event"] == rfc3339(at)

    def test_of_what_is_expected_never_a_day_is_looked_through(self):
        console, at = self.quiet(every=None, hours=20)
        assert one(console)["last_event"] == rfc3339(at)
        console, _ = self.quiet(every=None, hours=30)
        assert one(console)["last_event"] is None

    def test_what_lies_dead_for_long_hides_no_later_event(self):
        stage = Stage(plan_of())
        console = Console(stage)
        stage.target.on("/entries", 400)
        stage.accept("old")
        stage.invoke()
        stage.clock.advance(30 * HOUR)
        stage.target.on("/entries", 200)
        later = stage.clock.now()
        stage.accept("new")
        stage.invoke()
        stage.clock.advance(4 * HOUR)
        assert one(console)["last_event"] == rfc3339(later)

    def test_no_hour_before_the_last_known_event_is_asked_for(self):
        def reads(**how):
            console, _ = self.quiet(**how)
            before = console.stage.memory.count("dynamodb")
            one(console)
            return console.stage.memory.count("dynamodb") - before

        assert reads(every=None, hours=30) - reads(hours=5) >= 15


@pytest.mark.parametrize(
    ("source", "system"),
    [
        ({"system": "shop", "events": ["*"]}, "shop"),
        ({"bus": {"detail-type": ["placed"]}}, "bus"),
        ({"request": {"wait": 5.0, "otherwise": "queue"}}, "requests"),
    ],
)
def test_a_source_always_says_where_events_come_from(source, system):
    assert one(Console(Stage(plan_of(source=source))))["source"] == {"system": system, **source}

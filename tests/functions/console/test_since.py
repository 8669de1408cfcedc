"""Since when: how long something has been dead, silent, or both."""

import pytest

from causeway.settings.clock import rfc3339
from tests.support.console import Console
from tests.support.deliveries import NOW, Stage, plan_of

HOUR = 3600.0


def one(console):
    console.stack.forget()
    (found,) = console.get("/api/integrations").body["integrations"]
    return found


def expecting(every, during="always"):
    frequency = {"expect_every": every, "during": during, "deliver_within": 900.0}
    return Console(Stage(plan_of(frequency=frequency)))


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


class TestSilence:
    def test_it_begins_with_the_last_event_when_the_next_is_overdue(self):
        console = expecting(2 * HOUR)
        console.stage.accept()
        console.stage.invoke()
        assert one(console)["silent_since"] is None
        console.stage.clock.set(NOW + 2 * HOUR - 1)
        assert one(console)["silent_since"] is None
        console.stage.clock.set(NOW + 2 * HOUR + 1)
        assert one(console)["silent_since"] == rfc3339(NOW)

    def test_only_time_within_the_window_counts(self):
        """Tuesday, 14 November 2023, 22:13:20 UTC; the window opens on Wednesday at seven."""
        console = expecting(2 * HOUR, "mon-fri 07:00-21:00 UTC")
        console.stage.accept()
        console.stage.invoke()
        console.stage.clock.set(NOW + 10 * HOUR)
        assert one(console)["silent_since"] is None
        console.stage.clock.set(NOW + 11 * HOUR)
        assert one(console)["silent_since"] == rfc3339(NOW)

    @pytest.mark.parametrize(("every", "silent"), [(None, False), (6 * HOUR, True), (48 * HOUR, False)])
    def test_of_what_was_before_a_day_nothing_is_claimed(self, every, silent):
        assert (one(expecting(every))["silent_since"] is not None) is silent


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

"""The watchdog cut off between any two effects of looking for what is missing: the next look finds the same."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from causeway.aws.table import Table
from causeway.operations.ledger import Ledger
from causeway.settings.clock import from_rfc3339
from causeway.settings.environment import Settings
from causeway.watching.checks.books import books
from causeway.watching.checks.silence import silence
from causeway.watching.world import Means, World
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import FIFO, QUEUE, Stage, plan_of
from tests.support.logs import Logs
from tests.support.watching import Recorded

TEN = from_rfc3339("2026-11-23T10:00:00Z")
LATER = from_rfc3339("2026-11-23T11:31:00Z")
FREQUENCY = {"expect_every": 1800.0, "during": "always", "deliver_within": 900.0}
SETTINGS = Settings(
    {
        "CAUSEWAY_LOG_GROUPS": "webhook,poller",
        "CAUSEWAY_DELIVERIES_URL": QUEUE,
        "CAUSEWAY_DELIVERIES_FIFO_URL": FIFO,
    }
)


class Hour:
    """An hour in which two deliveries were accepted, one was delivered, and then nothing came."""

    def __init__(self, effects):
        self.effects = effects
        self.stage = Stage(plan_of(frequency=FREQUENCY))
        self.stage.clock.set(TEN)
        logs = Logs(self.stage.memory)
        silence_since = self.look(silence, self.stage.memory)
        assert silence_since == []
        known, lost = (self.stage.first_message(event) for event in ("evt_1", "evt_2"))
        self.stage.send([known])
        logs.received(TEN, known, lost)
        self.stage.until_quiet()
        self.stage.clock.set(LATER)

    def look(self, check, aws=None):
        """As a new process does."""
        self.effects.restart()
        aws = aws or self.effects.wrap(self.stage.memory)
        clock = self.stage.clock
        journal, state = Table(aws, "journal"), Table(aws, "state")
        means = Means(self.stage.tools.plan, SETTINGS, aws, journal, state, Recorded(clock), clock)
        return [
            (each.what, each.level, each.value) for each in check(World(means, clock.now() + 45), clock.now())
        ]

    @property
    def kept(self):
        return Ledger(Table(self.stage.memory, "state")).between(TEN, TEN)


def cut_off(check, number, *, after):
    """What is found in the end, and where."""
    hour = Hour(Effects({number}, after=after))
    with suppress(Crash):
        hour.look(check)
    return hour.look(check), hour


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("check", "what"), [(books, "1 delivery of"), (silence, "is silent")])
def test_the_next_look_finds_the_same(check, what, after):
    whole = Hour(Effects())
    expected = whole.look(check)
    assert what in expected[0][0]
    effects = len(whole.effects.seen)
    assert effects > 3
    for number in itertools.islice(range(effects), 0, None, max(1, effects // 12)):
        found, hour = cut_off(check, number, after=after)
        assert hour.effects.crashes == 1
        assert found == expected, f"after effect {number}"
        assert hour.kept == whole.kept

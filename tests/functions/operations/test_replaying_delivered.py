"""Delivered ones replayed, where their events are kept."""

import pytest

from causeway.operations.deliveries import BadQueryError
from causeway.operations.selecting import Selection
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import NOW, QUEUE, Stage, plan_of
from tests.support.replays import NAME, replays_of, work_off


class TestDelivered:
    """What was delivered is replayed, too, where its event is kept."""

    @pytest.fixture
    def stage(self):
        """25 delivered ones over two hours, one of which is dead, and one without an event."""
        stage = Stage(plan_of(errors={"keep_events": 7 * 86400.0}))
        self.deliveries = []
        for number in range(25):
            stage.target.on("/entries", 400 if number == 3 else 200)
            self.deliveries.append(stage.accept(f"evt_{number}"))
            stage.invoke()
            if number % 10 == 9:
                stage.clock.advance(3600)
        stage.target.on("/entries", 200)
        stage.memory.tables["journal"].pop((self.deliveries[7], "event"))
        stage.target.asked.clear()
        stage.clock.advance(1)
        return stage

    def select(self, **named):
        return Selection([NAME], status="delivered", **named)

    @pytest.mark.parametrize("rate", [1, 7, 100])
    def test_each_is_delivered_once_more_however_steps_fall(self, stage, rate):
        replays = replays_of(stage)
        replay = replays.start(self.select(), by="ann", rate=rate)
        while (record := replays.step(replay["part"]))["state"] == "running":
            stage.invoke()  # what is delivered anew is listed anew, where the replay still looks
            stage.clock.set(max(stage.clock.now(), record["not_before"]))
        stage.until_quiet()
        keys = sorted(asked.headers["idempotency-key"] for asked in stage.target.asked)
        wanted = [each for number, each in enumerate(self.deliveries) if number not in (3, 7)]
        assert keys == sorted(wanted)
        assert (record["matched"], record["replayed"], record["skipped"]) == (24, 23, 1)

    def test_a_dry_run_counts_them(self, stage):
        replays = replays_of(stage)
        record = work_off(stage, replays, replays.start(self.select(), by="ann", dry_run=True))
        assert (record["matched"], record["skipped"], record["replayed"]) == (24, 1, 0)
        assert stage.memory.queues[QUEUE] == []

    def test_time_means_the_acceptance_and_the_last_day_where_nothing_is_said(self, stage):
        replays = replays_of(stage)

        def count(**named):
            replay = replays.start(self.select(**named), by="a", dry_run=True)
            return work_off(stage, replays, replay)["matched"]

        assert count(until=NOW + 1800) == 9
        assert count(since=NOW + 1800, until=NOW + 3700) == 10
        stage.clock.advance(2 * 86400)
        assert count() == 0
        assert count(since=NOW) == 24

    def test_a_long_time_is_looked_through_in_bounded_steps(self, stage):
        stage.clock.advance(5 * 86400)
        replays = replays_of(stage)
        replay = replays.start(self.select(since=NOW), by="ann", dry_run=True)
        before = stage.memory.count("dynamodb", "Query")
        replays.step(replay["part"])
        assert stage.memory.count("dynamodb", "Query") - before <= 64
        assert work_off(stage, replays, replay)["matched"] == 24

    def test_a_class_of_errors_goes_with_dead_ones_only(self, stage):
        with pytest.raises(BadQueryError, match="no class of errors"):
            replays_of(stage).start(self.select(error="http"), by="ann")

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("number", range(0, 120, 7))
    def test_cut_off_anywhere_each_is_delivered_once_more(self, stage, number, after):
        effects = Effects([number], after=after)
        replays = replays_of(stage, effects.wrap(stage.memory))
        replay = replays_of(stage).start(self.select(), by="ann", rate=9)
        for _ in range(40):
            effects.restart()
            try:
                record = replays.step(replay["part"])
            except Crash:
                stage.invoke()
                continue
            if record["state"] == "done":
                break
            stage.clock.set(max(stage.clock.now(), record["not_before"]))
        stage.until_quiet()
        assert len(stage.target.asked) == 23

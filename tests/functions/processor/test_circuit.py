"""The circuit breaker: a system that does not answer is left alone, and tried with one call at a time."""

import itertools

import pytest

from causeway.limiting.health import Healths
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import QUEUE, Stage, plan_of
from tests.support.instances import Running

RULE = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}
WAIT = {"retry-after": "1"}
DEAD = {"circuit_breaker": RULE}


def drain(stage, **named):
    while stage.invoke(**named):
        pass


def opened(count=30, answer="connection", **planned):
    """A stage whose ledger is dead, after the first batches have found that out."""
    stage = Stage(plan_of(ledger=DEAD, **{"errors": {"attempts": 1}} | planned))
    stage.target.on("/entries", answer)
    deliveries = [stage.accept(f"evt_{number:02}") for number in range(count)]
    drain(stage)
    return stage, deliveries


def health(stage):
    return Healths(stage.tools.limits.healths._table, stage.clock).of("ledger")


def held(stage):
    return [item for item in stage.items() if item.get("due_shard", "").startswith("held#ledger#")]


class TestOpening:
    @pytest.mark.parametrize("answer", ["connection", "timeout", 500, 503])
    def test_after_enough_failures_nothing_is_called_and_what_comes_waits_without_an_attempt(self, answer):
        stage, _ = opened(answer=answer)
        assert health(stage).is_open
        assert len(stage.target.asked) == 10
        waiting = held(stage)
        assert len(waiting) == 20
        assert {(item["error"], item["ticket"], len(item["attempts"])) for item in waiting} == {
            ("circuit", "0000.000001", 0)
        }
        assert waiting[0]["reason"] == "ledger does not answer: its circuit is open"

    @pytest.mark.parametrize("answer", [400, 401, 404, 422, (429, {}, WAIT), (503, {}, WAIT)])
    def test_what_answers_is_well_whatever_it_says(self, answer):
        stage, _ = opened(answer=answer)
        assert not health(stage).is_open

    def test_fewer_failures_than_the_share_leave_it_closed(self):
        stage = Stage(plan_of(ledger=DEAD))
        stage.target.on("/entries", *[500, 500, 200, 200] * 25)
        for number in range(60):
            stage.accept(f"evt_{number}")
        drain(stage)
        assert not health(stage).is_open

    def test_fewer_calls_than_it_takes_leave_it_closed(self):
        stage, _ = opened(9)
        assert not health(stage).is_open

    def test_failures_that_are_long_ago_do_not_count(self):
        stage, _ = opened(9)
        stage.clock.advance(301)
        stage.accept("late")
        stage.invoke()
        assert not health(stage).is_open

    def test_what_an_instance_saw_succeed_counts_with_its_first_failure(self):
        stage = Stage(plan_of(ledger=DEAD))
        stage.target.on("/entries", *[200] * 30, *[500] * 10, 200)
        for number in range(40):
            stage.accept(f"evt_{number}")
        drain(stage)
        assert not health(stage).is_open, "10 of 40"

    def test_counts_are_written_once_by_a_batch_with_failures_and_never_by_another(self):
        stage = Stage(plan_of(ledger=DEAD))
        stage.target.on("/entries", *[200] * 10, *[500] * 5, 200)
        for number in range(20):
            stage.accept(f"evt_{number}")
        stage.invoke()
        assert not stage.memory.tables["state"]
        stage.invoke()
        assert health(stage).version == 1


class TestProbing:
    def test_the_scheduler_lets_one_go_and_a_success_closes_it(self):
        stage, deliveries = opened()
        stage.target.on("/entries", 200)
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        assert len(stage.target.asked) == 10, "not yet"
        stage.clock.advance(31)
        assert stage.freeing.run(until=stage.clock.now() + 45) == 1
        stage.invoke()
        assert not health(stage).is_open
        assert len(stage.target.asked) == 11
        stage.freeing.run(until=stage.clock.now() + 45)
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries[10:]} == {"delivered"}

    def test_what_waited_is_let_go_in_order_of_acceptance(self):
        stage, _ = opened(10)
        for number in range(10, 40):
            stage.accept(f"evt_{number}")
            stage.clock.advance(0.01)
        drain(stage)
        stage.target.on("/entries", 200)
        before = len(stage.target.asked)
        for _ in range(3):
            stage.clock.advance(31)
            stage.freeing.run(until=stage.clock.now() + 45)
            drain(stage, limit=1)
        asked = [each.headers["causeway-event-id"] for each in stage.target.asked[before:]]
        waited = [each for each in asked if each >= "evt_10"]
        assert waited == sorted(waited)
        assert len(waited) == 30

    def test_a_failure_leaves_it_open_and_is_an_attempt_of_the_one_that_tried(self):
        stage, _ = opened()
        stage.clock.advance(31)
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        found = health(stage)
        assert found.is_open
        assert found.open_until > stage.clock.now() + 28
        assert len(stage.target.asked) == 11
        assert len(held(stage)) >= 19

    def test_there_is_one_probe_at_a_time_over_all_instances(self, monkeypatch):
        running = Running(monkeypatch, instances=4, ledger=DEAD)
        stage = running.stage
        stage.target.on("/entries", "timeout")
        stage.target.seconds = 5.0
        for number in range(60):
            stage.accept(f"evt_{number:02}")
        running.run(300)
        times = sorted(running.times())
        probes = [time for time in times if time > 12]
        assert 3 <= len(probes) <= 10, "about one a half minute"
        assert all(later - earlier >= 30 for earlier, later in itertools.pairwise(probes))

    def test_a_probe_that_is_cut_off_is_made_again_when_its_lease_is_over(self):
        stage, _ = opened()
        stage.clock.advance(31)
        assert stage.tools.limits.healths.probe("ledger", until=stage.clock.now() + 60)
        assert not Healths(stage.tools.limits.healths._table, stage.clock).probe("ledger", until=0)
        assert stage.freeing.run(until=stage.clock.now() + 45) == 0
        stage.clock.advance(61)
        assert stage.freeing.run(until=stage.clock.now() + 45) == 1

    def test_counts_start_anew_when_it_closes(self):
        stage, _ = opened()
        stage.clock.advance(31)
        stage.target.on("/entries", 200, 500)
        stage.freeing.run(until=stage.clock.now() + 45)
        stage.invoke()
        stage.accept("next")
        stage.invoke()
        assert not health(stage).is_open

    def test_what_has_waited_for_its_whole_time_is_given_up_while_it_is_open(self):
        stage, deliveries = opened(errors={"give_up_after": 120.0, "attempts": 1})
        stage.clock.advance(121)
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"dead"}


@pytest.mark.parametrize("after", [False, True])
def test_cut_off_anywhere_while_it_waits_and_is_let_go_nothing_is_lost(after):
    """Every effect of the whole way, one after the other, is the last one of its process."""
    point, crashed = 0, True
    while crashed:
        effects = Effects(after=after)
        stage = Stage(plan_of(ledger=DEAD, errors={"attempts": 1}), wrap=effects.wrap)
        stage.target.on("/entries", "connection")
        for number in range(10):
            stage.accept(f"first_{number}")
        drain(stage)
        waiting = stage.accept("waiting")
        effects.crash_at = {len(effects.seen) + point}
        stage.target.on("/entries", 200)
        for _ in range(8):
            try:
                drain(stage)
                stage.clock.advance(61)
                stage.freeing.run(until=stage.clock.now() + 45)
                stage.schedule()
            except Crash:
                effects.restart()
                stage.deploy(stage.tools.plan)
                stage.clock.advance(100)
        assert stage.item(waiting)["status"] == "delivered", point
        assert stage.memory.queues[QUEUE] == []
        crashed = effects.crashes > 0 and point < 40
        point += 1
    assert point > 10

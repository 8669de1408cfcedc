"""Order keys, and what else deliveries go through: pauses, systems that hold them, steps, large events."""

from __future__ import annotations

import itertools

import pytest

from causeway.delivery.going_on import KEY
from causeway.delivery.pauses import Pauses
from tests.support.deliveries import FIFO, Stage, call_of
from tests.support.ordered import accept, came, parked, plan, refuse

HOUR = 3600.0
BREAKER = {"failures": 0.5, "of_at_least": 2, "within": 300.0, "open_for": 30.0}


@pytest.fixture
def stage():
    return Stage(plan())


class TestPauses:
    def test_a_paused_integration_parks_its_keys_and_a_resume_wakes_them(self, stage):
        pauses = Pauses(stage.tools.pauses._table, stage.clock)
        pauses.pause("orders-to-ledger", by="ann", reason="test")
        accept(stage, "ann", 1, 2)
        accept(stage, "bob", 1)
        while stage.invoke() is not None:
            pass
        accept(stage, "ann", 3)
        while stage.invoke() is not None:
            pass
        assert came(stage) == []
        assert not stage.memory.queues[FIFO]
        stage.clock.advance(HOUR)
        pauses.resume("orders-to-ledger", by="ann", rate=100)
        stage.resuming.run(until=stage.clock.now() + 60)
        while stage.invoke() is not None:
            pass
        assert (came(stage, "ann"), came(stage, "bob")) == ([1, 2, 3], [1])
        assert not parked(stage)

    def test_a_pause_that_meets_a_key_in_the_middle_of_its_retries_is_over_when_it_is_resumed(self, stage):
        refusing = refuse(stage, ("ann", 1), answer=(503, {}, {"retry-after": "120"}))
        accept(stage, "ann", 1, 2)
        stage.invoke()
        stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="test")
        stage.clock.advance(200)
        stage.schedule()
        stage.invoke()
        (key,) = parked(stage)
        assert key["due_at"] / 1000 > stage.clock.now() + 20 * HOUR
        refusing.clear()
        stage.tools.pauses.resume("orders-to-ledger", by="ann", rate=100)
        stage.resuming.run(until=stage.clock.now() + 60)
        stage.invoke()
        assert came(stage) == [1, 1, 2]


class TestSystems:
    def test_an_open_circuit_parks_keys_and_lets_them_go_on_in_order(self):
        stage = Stage(plan(ledger={"circuit_breaker": BREAKER}))
        up = []
        stage.target.on("/entries", lambda _: 200 if up else 503)
        for customer in ("ann", "bob", "cleo"):
            accept(stage, customer, 1, 2, 3)
        for _ in range(20):
            stage.invoke()
            stage.clock.advance(6)
        asked = len(stage.target.asked)
        assert {key["due_shard"].split("#")[0] for key in parked(stage)} == {"held"}
        for _ in range(5):
            stage.clock.advance(60)
            stage.schedule()
            stage.freeing.run(until=stage.clock.now() + 45)
            while stage.invoke() is not None:
                pass
        assert len(stage.target.asked) <= asked + 10, "only probes"
        up.append(True)
        stage.until_quiet()
        for customer in ("ann", "bob", "cleo"):
            numbers = came(stage, customer)
            assert numbers == sorted(numbers)
            assert numbers[-1] == 3
        assert not parked(stage)

    def test_a_rate_limit_holds_keys_without_losing_their_order_or_their_slots(self):
        limits = [{"requests": 1, "per": 1.0, "burst": 1}]
        stage = Stage(plan(ledger={"rate_limits": limits}))
        stage.target.seconds = 0.0
        for number in range(1, 11):
            for customer in ("ann", "bob", "cleo"):
                accept(stage, customer, number)
        stage.until_quiet(most=2000)
        for customer in ("ann", "bob", "cleo"):
            assert came(stage, customer) == list(range(1, 11))
        times = [each.at for each in stage.target.asked]
        assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(times))
        assert times[-1] - times[0] <= 30 * 4, "slots were wasted"


class TestSteps:
    def test_a_delivery_with_steps_goes_on_where_it_was_when_its_turn_comes_again(self):
        steps = [{"name": "make", "call": call_of("/make")}]
        stage = Stage(plan(steps=steps))
        stage.target.on("/entries", (503, {}, {"retry-after": "600"}), 200)
        accept(stage, "ann", 1, 2)
        stage.until_quiet()
        assert came(stage, path="/make") == [1, 2]
        assert came(stage) == [1, 1, 2]

    def test_lines_of_one_object_do_not_wait_for_one_another_when_they_keep_an_order(self):
        target = {"bucket": {"name": "lake", "key": "${id}.json", "content": "json", "body": "${data}"}}
        stage = Stage(plan(target=target))
        accept(stage, "ann", 1, 2, 3)
        accept(stage, "bob", 1)
        before = stage.clock.now()
        stage.until_quiet()
        assert len([key for bucket, key in stage.memory.objects if bucket == "lake"]) == 4
        assert stage.clock.now() - before < 5


class TestLarge:
    def test_a_large_event_that_waits_lies_in_the_bucket(self, stage):
        refuse(stage, ("ann", 1), answer=(503, {}, {"retry-after": "600"}))
        accept(stage, "ann", 1)
        data = {"customer": "ann", "n": 2, "text": "x" * 100_000}
        stage.accept("large", acceptance="large", data=data)
        stage.invoke()
        kept = [item for (id_, part), item in stage.memory.tables["journal"].items() if id_.startswith(KEY)]
        assert all(len(str(item)) < 10_000 for item in kept)
        stage.target.on("/entries", 200)
        stage.until_quiet()
        assert came(stage) == [1, 1, 2]
        assert stage.target.asked[-1].body == data

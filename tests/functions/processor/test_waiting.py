"""What waits in the journal for its system: in what order it is let go, and what need not wait any more."""

import pytest

from causeway.delivery.pauses import Pause
from causeway.plan.plan import Plan
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import QUEUE, Stage, call_of, plan_of
from tests.support.instances import Running

RULE = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}
DEAD = {"circuit_breaker": RULE}


def held(stage):
    return [item for item in stage.items() if item.get("due_shard", "").startswith("held#ledger#")]


def drain(stage, **named):
    while stage.invoke(**named):
        pass


def minute(stage, **named):
    stage.clock.advance(61)
    stage.freeing.run(until=stage.clock.now() + 45)
    drain(stage, **named)


class TestCallsAtOnce:
    def test_what_finds_no_place_waits_in_the_journal_and_not_as_a_message(self):
        stage = busy()
        deliveries = [stage.accept(f"evt_{number}") for number in range(5)]
        drain(stage)
        assert {item["id"] for item in held(stage)} == set(deliveries)
        assert {item["error"] for item in held(stage)} == {"limit"}
        assert stage.memory.queues[QUEUE] == []
        assert stage.target.asked == []

    def test_the_scheduler_lets_as_many_go_as_there_may_be(self):
        stage = busy()
        for number in range(5):
            stage.accept(f"evt_{number}")
            stage.clock.advance(0.01)
        drain(stage)
        stage.clock.advance(61)
        assert stage.freeing.run(until=stage.clock.now() + 45) == 2

    def test_each_call_that_ends_lets_one_follow_in_order_of_acceptance(self, monkeypatch):
        running = Running(monkeypatch, instances=3, ledger={"concurrency": 2})
        running.stage.target.seconds = 0.5
        for number in range(60):
            running.stage.accept(f"evt_{number:02}", accepted_at=running.began - 60 + number)
        running.run(45)
        assert len(running.times()) == 60
        assert max(running.times()) < 25, "60 calls of half a second, two at once, take fifteen"

    def test_what_comes_later_does_not_overtake_those_that_wait(self):
        stage = busy()
        for number in range(3):
            stage.accept(f"evt_{number}")
            stage.clock.advance(0.01)
        drain(stage)
        stage.clock.advance(61)  # the other invocation's time is over
        late = stage.accept("late")
        drain(stage)
        assert late in {item["id"] for item in held(stage)}
        for _ in range(3):
            minute(stage, limit=1)
        asked = [each.headers["causeway-event-id"] for each in stage.target.asked]
        assert asked == ["evt_0", "evt_1", "evt_2", "late"]

    def test_an_invocation_that_is_cut_off_keeps_no_chain_from_going_on(self):
        stage = busy()
        deliveries = [stage.accept(f"evt_{number}") for number in range(5)]
        drain(stage)
        stage.clock.advance(61)
        stage.freeing.run(until=stage.clock.now() + 45)
        stage.memory.receive(QUEUE)  # whoever has these never says another word
        stage.clock.advance(400)
        for _ in range(4):
            minute(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}


@pytest.mark.parametrize("after", [False, True])
def test_cut_off_anywhere_while_calls_at_once_are_waited_for_nothing_is_lost(after):
    """Every effect of the whole way, one after the other, is the last one of its process."""
    point, crashed = 0, True
    while crashed:
        effects = Effects(after=after)
        stage = busy(wrap=effects.wrap)
        deliveries = [stage.accept(f"evt_{number}") for number in range(3)]
        effects.crash_at = {len(effects.seen) + point}
        for _ in range(9):
            try:
                drain(stage, limit=2)
                minute(stage, limit=2)
                stage.schedule()
            except Crash:
                effects.restart()
                stage.deploy(stage.tools.plan)
                stage.clock.advance(400)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}, point
        assert stage.memory.queues[QUEUE] == []
        crashed = effects.crashes > 0
        point += 5 if point > 30 else 1
    assert point > 30


def busy(**named):
    """A stage whose ledger takes two calls at once, which another invocation makes for a minute."""
    stage = Stage(plan_of(ledger={"concurrency": 2}), **named)
    stage.limits.concurrency.lease("ledger", 2, 2, holder="other", until=stage.clock.now() + 60)
    return stage


def waiting_for_an_open_circuit(count=3, **planned):
    """A stage whose ledger's circuit is open, and deliveries that wait for it, oldest first."""
    stage = Stage(plan_of(ledger=DEAD, **planned))
    stage.limits.healths.count("ledger", RULE, [(stage.clock.now(), True)] * 10)
    stage.target.on("/entries", "connection")
    deliveries = []
    for number in range(count):
        deliveries.append(stage.accept(f"evt_{number:04}"))
        drain(stage)
        stage.clock.advance(0.01)
    assert len(held(stage)) == count
    return stage, deliveries


def changed(stage, **changes):
    """The plan with its integration changed; None takes it away."""
    record = stage.tools.plan.record
    own = record["integrations"]["orders-to-ledger"] | changes
    integrations = {} if changes.get("target", "") is None else {"orders-to-ledger": own}
    return Plan({**record, "integrations": integrations})


class TestThoseThatNeedNotWait:
    def test_of_an_integration_that_is_no_longer_in_the_plan_they_die_with_that_reason(self):
        stage, deliveries = waiting_for_an_open_circuit()
        stage.deploy(changed(stage, target=None))
        stage.clock.advance(61)
        assert stage.freeing.run(until=stage.clock.now() + 45) == 3
        for _ in range(70):
            drain(stage)
            stage.clock.advance(60)
        assert {stage.item(each)["error"] for each in deliveries} == {"removed"}
        assert {stage.item(each)["status"] for each in deliveries} == {"dead"}

    def test_of_an_integration_that_delivers_elsewhere_now_they_go_there(self):
        stage, deliveries = waiting_for_an_open_circuit()
        record = stage.tools.plan.record
        other = record["systems"]["ledger"] | {"name": "other"}
        plan = changed(stage, target={"call": call_of("/other", system="other")})
        stage.deploy(Plan({**plan.record, "systems": record["systems"] | {"other": other}}))
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert len(stage.target.at("/other")) == 3

    def test_one_whose_integration_is_paused_while_it_is_looked_at_is_let_go_once(self, monkeypatch):
        """What is known of a pause is read anew every five seconds: so perhaps between two looks at it."""
        stage = busy()
        stage.accept()
        drain(stage)
        stage.clock.advance(61)
        known = iter([Pause("orders-to-ledger"), Pause("orders-to-ledger", since=stage.clock.now())])
        monkeypatch.setattr(stage.freeing._pauses, "of", lambda _: next(known))
        assert stage.freeing.run(until=stage.clock.now() + 45) == 1

    def test_of_a_paused_integration_they_wait_for_it_and_are_released_with_it(self):
        stage, deliveries = waiting_for_an_open_circuit()
        stage.tools.pauses.pause("orders-to-ledger", by="ops", reason="maintenance")
        stage.clock.advance(6)
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        assert {stage.item(each)["error"] for each in deliveries} == {"paused"}
        assert held(stage) == []
        stage.tools.pauses.resume("orders-to-ledger", by="ops")
        stage.target.on("/entries", 200)
        stage.clock.advance(60)
        stage.resuming.run(until=stage.clock.now() + 45)
        for _ in range(3):
            drain(stage)
            minute(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_those_of_a_paused_integration_do_not_keep_an_open_circuit_from_being_probed(self):
        stage, _ = waiting_for_an_open_circuit(60)
        record = stage.tools.plan.record
        second = record["integrations"]["orders-to-ledger"] | {"name": "second"}
        integrations = record["integrations"] | {"second": second}
        stage.deploy(Plan({**record, "integrations": integrations}))
        other = stage.accept("evt_9999", integration="second")
        drain(stage)
        stage.tools.pauses.pause("orders-to-ledger", by="ops", reason="maintenance")
        stage.target.on("/entries", 200)
        minute(stage)
        assert stage.item(other)["status"] == "delivered"
        assert not stage.limits.healths.of("ledger").is_open

    def test_whose_time_is_up_they_are_given_up_while_it_is_open(self):
        stage, deliveries = waiting_for_an_open_circuit(errors={"give_up_after": 600.0})
        stage.clock.advance(601)
        stage.freeing.run(until=stage.clock.now() + 45)
        drain(stage)
        assert {stage.item(each)["error"] for each in deliveries} <= {"time", "connection"}
        assert {stage.item(each)["status"] for each in deliveries} == {"dead"}

    def test_a_pause_stops_that_clock_here_too_so_that_none_goes_round_in_circles(self):
        stage, deliveries = waiting_for_an_open_circuit(errors={"give_up_after": 600.0})
        stage.tools.pauses.pause("orders-to-ledger", by="ops", reason="maintenance")
        stage.clock.advance(3600)
        stage.tools.pauses.resume("orders-to-ledger", by="ops")
        stage.clock.advance(6)
        stage.limits.healths.probe("ledger", until=stage.clock.now() + 60)  # somebody else probes
        assert stage.freeing.run(until=stage.clock.now() + 45) == 0
        assert {item["id"] for item in held(stage)} == set(deliveries)


class TestInterplay:
    def test_an_open_circuit_that_is_due_is_probed_by_whatever_comes_first(self):
        stage, _ = waiting_for_an_open_circuit()
        stage.clock.advance(31)
        stage.target.on("/entries", 200)
        new = stage.accept("new")
        drain(stage)
        assert stage.item(new)["status"] == "delivered", "without the scheduler"
        assert not stage.limits.healths.of("ledger").is_open

    def test_a_replay_of_a_dead_delivery_waits_like_any_other(self):
        stage, _ = waiting_for_an_open_circuit(1, errors={"give_up_after": 60.0})
        minute(stage)
        stage.replay()
        drain(stage)
        (item,) = held(stage)
        assert item["ticket"].startswith("0001.")
        stage.target.on("/entries", 200)
        minute(stage)
        assert stage.item(item["id"])["status"] == "delivered"

    def test_what_was_cut_off_twice_waits_first_and_then_runs_alone(self):
        stage, (delivery,) = waiting_for_an_open_circuit(1)
        for _ in range(2):
            stage.clock.advance(31)
            stage.freeing.run(until=stage.clock.now() + 45)
            (record,) = stage.memory.receive(QUEUE)
            claim(stage, record)
            stage.clock.advance(400)
        stage.target.on("/entries", 200)
        drain(stage)
        for _ in range(2):
            minute(stage)
        item = stage.item(delivery)
        assert item["status"] == "delivered"
        assert [entry["outcome"] for entry in item["attempts"]][-1] == "delivered"

    @pytest.mark.parametrize("order", ["limit, then pause", "pause, then limit"])
    def test_held_and_paused_it_is_delivered_when_both_are_over(self, order):
        stage = busy()
        delivery = stage.accept()
        if order == "limit, then pause":
            drain(stage)
        stage.tools.pauses.pause("orders-to-ledger", by="ops", reason="maintenance")
        stage.clock.advance(6)
        drain(stage)
        minute(stage)
        assert stage.target.asked == []
        stage.tools.pauses.resume("orders-to-ledger", by="ops")
        for _ in range(4):
            stage.clock.advance(6)
            stage.resuming.run(until=stage.clock.now() + 1)
            minute(stage)
        assert stage.item(delivery)["status"] == "delivered"
        assert len(stage.target.asked) == 1


def claim(stage, record):
    """What an invocation does that is cut off right after its claim."""
    from causeway.queueing.messages import decode

    stage.tools.journal.claim(
        decode(record["body"]), None, sent_at=stage.clock.now(), lease=stage.clock.now() + 60
    )

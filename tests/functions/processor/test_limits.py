"""Limits of systems, over instances: what may not be called now waits without an attempt, and comes in order."""

import pytest

from tests.support.deliveries import QUEUE, Stage, call_of, plan_of
from tests.support.instances import Running, most_in_a_window

PER_SECOND = {"rate_limits": [{"requests": 20, "per": 1.0, "burst": 1}]}


@pytest.mark.parametrize("instances", [1, 5])
def test_a_limit_of_20_a_second_drains_400_in_20_seconds(monkeypatch, instances):
    running = Running(monkeypatch, instances, ledger=PER_SECOND)
    for number in range(400):
        running.stage.accept(f"evt_{number}")
    running.run(40)
    times = running.times()
    assert len(times) == 400
    assert max(times) - min(times) == pytest.approx(20, rel=0.05)
    assert most_in_a_window(times, 1.0) <= 20
    writes = running.stage.aws.writes
    print(f"{instances} instances: {max(times) - min(times):.1f} s, writes: {dict(writes)}")  # noqa: T201 - with -s
    # One reservation for each batch of ten, and what lost a race, which depends on the threads: about 80 of five
    # instances, 40 of one.
    assert 40 <= writes["state"] <= (160 if instances > 1 else 45)
    # Two for each delivery; four more for each that left and came back: given back, claimed anew, its event kept
    # and deleted.
    assert writes["journal"] <= 6 * 400 + running.stage.invocations + 200


def test_what_waits_has_made_no_attempt(monkeypatch):
    running = Running(monkeypatch, ledger=PER_SECOND)
    deliveries = [running.stage.accept(f"evt_{number}") for number in range(100)]
    running.run(15)
    items = [running.stage.item(delivery) for delivery in deliveries]
    assert {item["status"] for item in items} == {"delivered"}
    assert {len(item["attempts"]) for item in items} == {1}
    assert {asked.headers["causeway-attempt"] for asked in running.stage.target.asked} == {"1"}


def test_all_limits_of_a_list_hold(monkeypatch):
    rates = [{"requests": 10, "per": 1.0, "burst": 1}, {"requests": 30, "per": 10.0, "burst": 5}]
    running = Running(monkeypatch, ledger={"rate_limits": rates})
    for number in range(80):
        running.stage.accept(f"evt_{number}")
    running.run(40)
    assert len(running.times()) == 80
    assert most_in_a_window(running.times(), 1.0) <= 10
    assert most_in_a_window(running.times(), 10.0) <= 34


def test_no_more_calls_than_concurrency_are_under_way_over_all_instances(monkeypatch):
    running = Running(monkeypatch, instances=4, ledger={"concurrency": 3})
    under_way, most = set(), []
    exchange = running.stage.target.exchange

    def watched(request, **named):
        under_way.add(id(request))
        most.append(len(under_way))
        try:
            return exchange(request, **named)
        finally:
            under_way.discard(id(request))

    running.stage.target.exchange = watched
    running.stage.target.seconds = 0.5
    deliveries = [running.stage.accept(f"evt_{number}") for number in range(60)]
    running.run(300)
    assert max(most) == 3
    assert {running.stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}


def test_a_limit_above_500_a_second_holds_in_any_second_over_all_its_parts(monkeypatch):
    limit = {"rate_limits": [{"requests": 1200, "per": 1.0, "burst": 1}]}
    running = Running(monkeypatch, instances=8, ledger=limit)
    for number in range(2000):
        running.stage.accept(f"evt_{number}")
    running.stage.target.seconds = 0.001
    running.run(3)
    times = running.times()
    assert len(times) == 2000
    assert most_in_a_window(times, 1.0) <= 1200
    parts = {key[1] for key in running.stage.memory.tables["state"] if key[0] == "limit#ledger"}
    assert parts == {"rate#0", "rate#1", "rate#2"}


def test_what_reads_before_a_call_that_must_wait_does_not_use_up_its_turn():
    """Two calls a delivery to a system that takes one a minute: what was read is kept, and both are made once."""
    steps = [{"name": "found", "call": call_of("/entries/1", method="GET")}]
    limit = {"rate_limits": [{"requests": 1, "per": 60.0, "burst": 1}]}
    stage = Stage(plan_of(ledger=limit, steps=steps))
    delivery = stage.accept()
    stage.until_quiet()
    assert stage.item(delivery)["status"] == "delivered"
    assert [(each.method, each.path) for each in stage.target.asked] == [
        ("GET", "/entries/1"),
        ("POST", "/entries"),
    ]


def test_after_an_attempt_what_reads_is_done_again_even_if_it_had_been_kept_while_waiting():
    """The answer of the POST is lost: so the look-up must see what it made."""
    steps = [{"name": "found", "call": call_of("/entries/1", method="GET")}]
    limit = {"rate_limits": [{"requests": 1, "per": 60.0, "burst": 1}]}
    stage = Stage(plan_of(ledger=limit, steps=steps))
    stage.target.on("/entries", "timeout", 200)
    stage.accept()
    stage.until_quiet()
    assert [each.method for each in stage.target.asked] == ["GET", "POST", "GET", "POST"]


class TestBeyondWhatIsReserved:
    """A limit of one call per minute: fifteen slots are given out, the others wait in the journal."""

    def setup_method(self):
        limit = {"rate_limits": [{"requests": 1, "per": 60.0, "burst": 1}]}
        self.stage = Stage(plan_of(ledger=limit))
        self.deliveries = []
        for number in range(25):
            self.deliveries.append(self.stage.accept(f"evt_{number:02}"))
            self.stage.clock.advance(0.001)

    def held(self):
        return [item for item in self.stage.items() if item.get("due_shard", "").startswith("held#")]

    def minute(self):
        self.stage.freeing.run(until=self.stage.clock.now() + 45)
        began = self.stage.clock.now()
        while self.stage.clock.now() < began + 60:
            while self.stage.invoke(limit=1):
                pass
            self.stage.clock.advance(1)

    def test_they_have_no_message_and_are_let_go_in_order_of_acceptance(self):
        while self.stage.invoke(limit=1):
            pass
        assert len(self.held()) == 25 - 15
        assert len(self.stage.memory.queues[QUEUE]) == 14
        for _ in range(40):
            self.minute()
        asked = [each.headers["causeway-event-id"] for each in self.stage.target.asked]
        assert asked == [f"evt_{number:02}" for number in range(25)]
        assert most_in_a_window([each.at for each in self.stage.target.asked], 60.0) == 1

    def test_what_comes_later_queues_up_behind_them(self):
        while self.stage.invoke(limit=1):
            pass
        self.stage.clock.advance(300)  # slots have become free meanwhile
        late = self.stage.accept("late")
        while self.stage.invoke(limit=1):
            pass
        assert self.stage.item(late)["due_shard"].startswith("held#ledger#")

    def test_when_all_are_gone_new_ones_go_directly(self):
        while self.stage.invoke(limit=1):
            pass
        for _ in range(40):
            self.minute()
        assert self.held() == []
        self.stage.clock.advance(100)
        new = self.stage.accept("new")
        self.stage.invoke()
        assert self.stage.item(new)["status"] == "delivered"

    def test_what_has_waited_for_its_whole_time_is_given_up(self):
        limit = {"rate_limits": [{"requests": 1, "per": 3600.0, "burst": 1}]}
        stage = Stage(plan_of(ledger=limit, errors={"give_up_after": 600.0}))
        deliveries = [stage.accept(f"evt_{number}") for number in range(3)]
        while stage.invoke(limit=1):
            pass
        stage.clock.advance(601)
        stage.freeing.run(until=stage.clock.now() + 45)
        while stage.invoke(limit=1):
            pass
        items = [stage.item(each) for each in deliveries]
        assert sorted(item["status"] for item in items) == ["dead", "dead", "delivered"]
        assert {item["error"] for item in items if item["status"] == "dead"} == {"time"}


class TestHolding:
    """A system that says when to come back."""

    @pytest.mark.parametrize(
        "answer",
        [
            (429, {}, {"retry-after": "120"}),
            (503, {}, {"retry-after": "120"}),
            (429, {}, {"ratelimit": '"default";r=0;t=120'}),
            (200, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "120"}),
        ],
    )
    def test_it_is_not_called_for_anything_until_then(self, answer):
        stage = Stage()
        stage.target.on("/entries", answer, 200)
        stage.accept("evt_1")
        stage.invoke()
        others = [stage.accept(f"evt_{number}") for number in range(2, 12)]
        while stage.invoke():
            pass
        assert len(stage.target.asked) == 1
        assert {stage.item(other)["attempts"] == [] for other in others} == {True}
        stage.until_quiet()
        assert {stage.item(other)["status"] for other in others} == {"delivered"}
        assert stage.target.asked[1].at - stage.target.asked[0].at >= 120

    def test_what_comes_back_in_vain_stays_away_for_longer_each_time(self):
        stage = Stage(jitter=1.0)
        stage.accept()
        waits = []
        for _ in range(4):
            stage.limits.healths.hold("ledger", stage.clock.now() + 60)
            stage.invoke()
            waits.append(stage.memory.next_at(QUEUE) - stage.clock.now() - 60)
            stage.clock.advance(60 + waits[-1])
        assert waits == pytest.approx([2, 4, 8, 16], abs=1)
        assert stage.target.asked == []

    def test_a_healthy_system_without_limits_costs_a_read_in_five_seconds_and_no_write(self):
        stage = Stage(plan_of(ledger={"circuit_breaker": RULE}))
        for number in range(100):
            stage.accept(f"evt_{number}")
        stage.memory.calls.clear()
        while stage.invoke():
            pass
        assert not stage.memory.tables["state"]
        reads = stage.memory.count("dynamodb", "GetItem")
        seconds = 100 * stage.target.seconds
        assert reads <= 2 * (seconds / 5 + 1), "one of the pause, one of the circuit"


RULE = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}


def test_what_waits_follows_calls_that_end_also_when_it_was_believed_that_none_waits(monkeypatch):
    """Somebody looked just before the last ones began to wait: from the next minute on all goes on."""
    running = Running(monkeypatch, instances=2, ledger={"concurrency": 3})
    running.stage.target.seconds = 0.5
    deliveries = [running.stage.accept(f"evt_{number}") for number in range(60)]
    running.run(1)
    running.stage.memory.tables["state"]["health#all", "ledger"]["full"] = {"BOOL": False}
    running.run(120)
    assert {running.stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}

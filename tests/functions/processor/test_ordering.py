"""Deliveries of one order key are done strictly one after the other, whatever happens to those before them."""

from __future__ import annotations

import itertools

import pytest

from causeway.acceptance.sorting import ordered
from causeway.aws.client import AwsError
from causeway.delivery import ordering
from causeway.delivery.going_on import KEY
from causeway.delivery.pauses import Pauses
from tests.support.deliveries import DEAD_LETTERS, FIFO, NOW, QUEUE, Stage, call_of, plan_of

HOUR = 3600.0
BREAKER = {"failures": 0.5, "of_at_least": 2, "within": 300.0, "open_for": 30.0}


def plan(**more):
    return plan_of(order_by="data.customer", **more)


@pytest.fixture
def stage():
    return Stage(plan())


def accept(stage, customer, *numbers):
    """Events of one customer, in this order; the deliveries' ids."""
    return [
        stage.accept(
            f"{customer}-{number}",
            acceptance=f"{customer}-{number}",
            data={"customer": customer, "n": number},
        )
        for number in numbers
    ]


def came(stage, customer=None, path="/entries"):
    """What reached the target, in order: the events' numbers."""
    return [each.body["n"] for each in stage.target.at(path) if customer in (None, each.body["customer"])]


def refuse(stage, *refused, answer=503):
    """Let the target refuse events, by (customer, number), until it is told otherwise."""
    refusing = set(refused)
    stage.target.on(
        "/entries", lambda asked: answer if (asked.body["customer"], asked.body["n"]) in refusing else 200
    )
    return refusing


def places(stage):
    """How many messages lie with parked keys."""
    return sum(id_.startswith(KEY) and part != "delivery" for id_, part in stage.memory.tables["journal"])


def parked(stage):
    """The parked keys' items."""
    return [item for item in stage.items() if item["id"].startswith(KEY)]


def waiting_at(stage):
    """When each waiting delivery was to be tried again, in seconds from the beginning."""
    return [each.at - NOW for each in stage.target.asked]


class TestKeys:
    def group(self, data, order_by="data.customer", integration="orders-to-ledger"):
        record = plan_of(order_by=order_by).integrations["orders-to-ledger"] | {"name": integration}
        event = {
            "id": "e",
            "type": "t",
            "source": "shop",
            "time": "2026-01-01T00:00:00Z",
            "headers": {},
            "data": data,
        }
        message = {"integration": integration, "delivery": "d" * 32, "event": event}
        return ordered(record, message).get("order")

    def test_an_integration_without_order_by_keeps_none(self):
        record = plan_of().integrations["orders-to-ledger"]
        assert "order" not in ordered(record, {"integration": "a", "delivery": "b", "event": {"data": 1}})

    def test_a_key_and_its_integration_make_a_group(self):
        same = self.group({"customer": "ann"})
        assert same == self.group({"customer": "ann", "n": 2})
        assert len(same) == 32
        assert same != self.group({"customer": "bob"})
        assert same != self.group({"customer": "ann"}, integration="another")

    def test_the_name_of_a_group_does_not_show_the_key(self):
        assert "ann" not in self.group({"customer": "ann"})

    @pytest.mark.parametrize(("one", "other"), [(5, "5"), (5, 5.0), ([1, 2.0], [1.0, 2])])
    def test_a_number_is_the_same_key_as_its_digits(self, one, other):
        assert self.group({"customer": one}) == self.group({"customer": other})

    def test_a_list_of_values_is_one_key(self):
        two = "[data.shop, data.customer]"
        assert self.group({"shop": 1, "customer": 2}, two) != self.group({"shop": 12, "customer": ""}, two)

    def test_a_key_that_cannot_be_had_is_no_reason_to_drop_the_delivery(self, stage):
        lost = stage.accept("no-customer", data={"n": 1})
        (other,) = accept(stage, "ann", 1)
        stage.until_quiet()
        item = stage.item(lost)
        assert (item["status"], item["error"]) == ("dead", "mapping")
        assert "the order key is null" in item["reason"]
        assert stage.item(other)["status"] == "delivered"


class TestOrder:
    def test_ordered_deliveries_go_to_the_queue_that_keeps_order_and_others_do_not(self, stage):
        accept(stage, "ann", 1)
        assert len(stage.memory.queues[FIFO]) == 1
        assert not stage.memory.queues[QUEUE]

    def test_deliveries_of_one_key_come_one_after_the_other_and_those_of_others_beside_them(self, stage):
        for number in range(1, 8):
            for customer in ("ann", "bob", "cleo"):
                accept(stage, customer, number)
        stage.until_quiet()
        for customer in ("ann", "bob", "cleo"):
            assert came(stage, customer) == [1, 2, 3, 4, 5, 6, 7]

    def test_nothing_of_a_key_is_attempted_while_one_before_it_waits_to_be_tried_again(self, stage):
        refusing = refuse(stage, ("ann", 1))
        accept(stage, "ann", 1, 2, 3)
        accept(stage, "bob", 1, 2)
        stage.invoke()
        assert came(stage, "ann") == [1]
        assert came(stage, "bob") == [1, 2]
        refusing.clear()
        stage.until_quiet()
        assert came(stage, "ann") == [1, 1, 2, 3]

    def test_a_short_wait_is_waited_on_the_queue_and_counts_as_an_attempt(self, stage):
        refuse(stage, ("ann", 1))
        first, second = accept(stage, "ann", 1, 2)
        stage.invoke()
        assert not parked(stage)
        item = stage.item(first)
        assert (item["status"], item["ticket"]) == ("waiting", "0000.000002")
        assert "due_shard" not in item, "its message is on the queue"
        assert stage.item(second) is None
        stage.clock.advance(4)
        assert stage.invoke() is None
        stage.clock.advance(1.1)
        stage.invoke()
        assert came(stage) == [1, 1]
        assert [each.headers["causeway-attempt"] for each in stage.target.asked] == ["1", "2"]

    def test_a_long_wait_parks_the_key_and_those_behind_join(self, stage):
        refuse(stage, ("ann", 1), answer=(503, {}, {"retry-after": "600"}))
        _, second, third = accept(stage, "ann", 1, 2, 3)
        stage.invoke()
        (key,) = parked(stage)
        assert key["due_at"] == (NOW + 600.1) * 1000
        assert not stage.memory.queues[FIFO]
        assert places(stage) == 3
        for delivery in (second, third):
            item = stage.item(delivery)
            assert (item["status"], item["error"]) == ("waiting", "order")

    def test_new_messages_of_a_parked_key_join_it_and_others_do_not_wait(self):
        stage = Stage(plan(errors={"retry": {"first": 600.0, "factor": 3.0, "max": 6 * HOUR}}))
        refusing = refuse(stage, ("ann", 1))
        accept(stage, "ann", 1)
        stage.invoke()
        accept(stage, "ann", 2)
        accept(stage, "bob", 1)
        stage.invoke()
        assert (came(stage, "ann"), came(stage, "bob")) == ([1], [1])
        refusing.clear()
        accept(stage, "ann", 3)
        stage.until_quiet()
        assert came(stage, "ann") == [1, 1, 2, 3]
        assert not parked(stage)
        assert not places(stage)

    def test_what_comes_while_a_key_is_worked_off_stays_behind_it(self, stage):
        late = []

        def answer(asked):
            if asked.body["n"] == 2 and not late:
                late.extend(accept(stage, "ann", 9))
            return (503, {}, {"retry-after": "100"}) if asked.headers["causeway-attempt"] == "1" else 200

        stage.target.on("/entries", answer)
        accept(stage, "ann", 1, 2, 3)
        stage.until_quiet()
        assert came(stage) == [1, 1, 2, 2, 3, 3, 9, 9]

    def test_no_attempt_comes_before_its_time(self, stage):
        stage.target.on(
            "/entries", (429, {}, {"retry-after": "90"}), 503, (503, {}, {"retry-after": "30"}), 200
        )
        accept(stage, "ann", 1)
        stage.until_quiet()
        first, second, third, fourth = waiting_at(stage)
        assert second - first >= 90
        assert third - second >= 15
        assert fourth - third >= 30

    def test_after_a_dead_one_the_next_goes_on(self, stage):
        refuse(stage, ("ann", 1), answer=404)
        dead, second = accept(stage, "ann", 1, 2)
        stage.until_quiet()
        assert stage.item(dead)["status"] == "dead"
        assert stage.item(second)["status"] == "delivered"
        assert came(stage) == [1, 2]

    def test_a_key_is_held_until_its_head_is_given_up(self):
        stage = Stage(plan(errors={"give_up_after": 2 * HOUR}))
        refuse(stage, ("ann", 1))
        dead, second = accept(stage, "ann", 1, 2)
        (other,) = accept(stage, "bob", 1)
        stage.until_quiet()
        assert stage.item(dead)["status"] == "dead"
        assert [stage.item(each)["status"] for each in (second, other)] == ["delivered", "delivered"]
        last = max(place for place, number in enumerate(came(stage, "ann")) if number == 1)
        assert came(stage, "ann")[last + 1 :] == [2]

    def test_many_short_waits_do_not_use_up_the_times_that_a_message_may_be_received(self, monkeypatch):
        assert ordering.RECEIVES < 1000
        monkeypatch.setattr(ordering, "RECEIVES", 20)
        stage = Stage(plan(errors={"retry": {"first": 5.0, "factor": 1.0, "max": 5.0}, "give_up_after": 9e9}))
        count = 70
        stage.target.on("/entries", *[503] * count, 200)
        accept(stage, "ann", 1)
        most = 0
        for _ in range(3 * count):
            most = max([most, *(each.receives for each in stage.memory.queues[FIFO])])
            if stage.invoke() is None:
                if stage.next_thing() is None:
                    break
                stage.clock.set(stage.next_thing() + 0.001)
                stage.schedule()
        assert len(stage.target.asked) == count + 1
        assert 10 < most <= 20

    def test_an_event_that_comes_again_is_no_second_delivery(self, stage):
        refuse(stage, ("ann", 1), answer=(503, {}, {"retry-after": "600"}))
        accept(stage, "ann", 1, 2)
        stage.invoke()
        for number in (1, 2):
            stage.accept(f"ann-{number}", acceptance="again", data={"customer": "ann", "n": number})
        stage.target.on("/entries", 200)
        stage.until_quiet()
        assert came(stage) == [1, 1, 2]
        assert stage.pages()[1] == ["again", "again"]

    def test_what_came_by_the_other_queue_goes_to_its_own(self, stage):
        refuse(stage, ("ann", 1), answer=404)
        (dead,) = accept(stage, "ann", 1)
        stage.until_quiet()
        stage.target.on("/entries", 200)
        accept(stage, "ann", 2)
        stage.replay()  # moved back by hand, to the queue of everything else
        stage.until_quiet()
        assert came(stage) == [1, 2, 1], "a replay goes behind what is there"
        assert stage.item(dead)["status"] == "delivered"
        assert not stage.memory.queues[DEAD_LETTERS]

    def test_a_message_of_a_later_version_holds_those_behind_it(self, stage):
        accept(stage, "ann", 1, 2, 3)
        second = list(stage.memory.queues[FIFO])[1]
        body, second.body = second.body, second.body.replace('"format":1', '"format":9')
        stage.invoke()
        assert came(stage) == [1]
        second.body = body
        stage.until_quiet()
        assert came(stage) == [1, 2, 3]

    def test_an_integration_that_is_not_deployed_yet_keeps_its_order(self, stage):
        accept(stage, "ann", 1, 2)
        known = stage.tools.plan.integrations
        unknown = plan()
        unknown.integrations.clear()
        stage.deploy(unknown)
        stage.invoke()
        assert known
        stage.clock.advance(30)
        stage.deploy(plan())
        stage.until_quiet()
        assert came(stage) == [1, 2]

    def test_a_fault_of_our_own_holds_the_key(self, stage):
        class Faulty:
            def __init__(self, aws):
                self.aws, self.failing = aws, True

            def call(self, service, operation, parameters):
                if self.failing and service == "dynamodb" and parameters.get("Key", {}).get("part"):
                    raise AwsError("ProvisionedThroughputExceededException", "", 400)
                return self.aws.call(service, operation, parameters)

            def __getattr__(self, name):
                return getattr(self.aws, name)

        faulty = []
        stage = Stage(
            plan(), wrap=lambda thing: thing if hasattr(thing, "exchange") else _keep(faulty, Faulty(thing))
        )
        accept(stage, "ann", 1, 2)
        for _ in range(5):
            stage.invoke()
            stage.clock.advance(61)
        assert came(stage) == []
        faulty[0].failing = False
        stage.until_quiet()
        assert came(stage) == [1, 2]


def _keep(where, thing):
    where.append(thing)
    return thing


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

"""Deliveries of one order key are done strictly one after the other, whatever happens to those before them."""

from __future__ import annotations

import pytest

from causeway.acceptance.sorting import ordered
from causeway.aws.client import AwsError
from causeway.delivery import ordering
from causeway.delivery.going_on import KEY, message_of
from tests.support.deliveries import DEAD_LETTERS, FIFO, NOW, QUEUE, Stage, plan_of
from tests.support.ordered import accept, came, parked, plan, refuse

HOUR = 3600.0
BREAKER = {"failures": 0.5, "of_at_least": 2, "within": 300.0, "open_for": 30.0}


@pytest.fixture
def stage():
    return Stage(plan())


def places(stage):
    """How many messages lie with parked keys."""
    return sum(id_.startswith(KEY) and part != "delivery" for id_, part in stage.memory.tables["journal"])


def cut_off(stage, message):
    """An attempt at a message is cut off, and its lease passes."""
    now = stage.clock.now()
    stage.tools.journal.claim(message, message.get("event"), sent_at=now, lease=now + 60)
    stage.clock.advance(61)


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

    def test_a_repeat_does_not_hold_up_what_was_cut_off_behind_it(self, stage):
        """They were in one batch: both come again, the repeat first, and the attempt that it meets is over."""
        refuse(stage, ("ann", 1), answer=404)
        (dead,) = accept(stage, "ann", 1)
        stage.until_quiet()
        stage.target.on("/entries", 200)
        stage.accept("ann-1", acceptance="again", data={"customer": "ann", "n": 1})
        replay = message_of(stage.item(dead), "0001.000001")
        stage.tools.queue.send([replay])
        cut_off(stage, replay)
        stage.until_quiet()
        assert stage.item(dead)["status"] == "delivered"
        assert stage.pages()[1] == ["again"]

    def test_nor_does_it_while_their_key_is_worked_off(self, stage):
        refuse(stage, ("ann", 1), answer=(503, {}, {"retry-after": "600"}))
        (first,) = accept(stage, "ann", 1)
        stage.invoke()
        stage.target.on("/entries", 200)
        stage.accept("ann-1", acceptance="again", data={"customer": "ann", "n": 1})
        stage.clock.advance(601)
        stage.schedule()  # lets the key go, behind the repeat
        item = stage.item(first)
        cut_off(stage, message_of(item, item["ticket"]))
        stage.until_quiet()
        assert stage.item(first)["status"] == "delivered"
        assert not parked(stage)

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

"""Pauses: deliveries wait in the journal without attempts, time stands still, and a resume releases them in order."""

import itertools

import pytest

from causeway.aws.table import Table
from causeway.delivery.pauses import FRESH_FOR, Pause, Pauses
from causeway.delivery.resuming import EARLY, LATE
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import DEAD_LETTERS, NOW, QUEUE, Stage, call_of, plan_of

NAME = "orders-to-ledger"
DAY = 86400.0


def pause(stage, reason="the ledger is being moved"):
    stage.tools.pauses.pause(NAME, by="ann", reason=reason)


def resume(stage, **named):
    stage.clock.advance(EARLY + 1)
    return stage.tools.pauses.resume(NAME, by="ann", **named)


def minute(stage):
    """One minute of the scheduler, and what it put on the queue."""
    began = stage.clock.now()
    stage.schedule()
    released = stage.resuming.run(until=began + 45)
    while stage.invoke():
        pass
    stage.clock.set(max(began + 60, stage.clock.now()))
    return released


class TestWaiting:
    def test_a_paused_delivery_waits_in_the_journal_without_an_attempt_or_a_message(self):
        stage = Stage()
        pause(stage)
        delivery = stage.accept()
        stage.invoke()
        item = stage.item(delivery)
        assert stage.target.asked == []
        assert stage.memory.queues[QUEUE] == []
        assert (item["status"], item["error"], item["ticket"]) == ("waiting", "paused", "0000.000001")
        assert item["reason"] == "paused by ann: the ledger is being moved"
        assert item["attempts"] == []
        assert stage.beside(delivery)["event"]

    def test_other_integrations_go_on(self):
        stage = Stage()
        stage.tools.pauses.pause("another", by="ann", reason="")
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"

    def test_who_paused_it_first_and_why_stays(self):
        stage = Stage()
        assert stage.tools.pauses.pause(NAME, by="ann", reason="one")
        assert not stage.tools.pauses.pause(NAME, by="bob", reason="two")
        found = stage.tools.pauses.now(NAME)
        assert (found.by, found.reason, found.since) == ("ann", "one", NOW)

    def test_an_instance_knows_of_a_pause_within_five_seconds_and_reads_no_more_often(self):
        stage = Stage()
        stage.accept("evt_1")
        stage.invoke()
        Pauses(Table(stage.memory, "state"), stage.clock).pause(NAME, by="ann", reason="")
        unaware = stage.accept("evt_2")
        reads = stage.memory.count("dynamodb", "GetItem")
        stage.invoke()
        assert stage.memory.count("dynamodb", "GetItem") == reads
        assert stage.item(unaware)["status"] == "delivered"
        stage.clock.advance(FRESH_FOR)
        aware = stage.accept("evt_3")
        stage.invoke()
        assert stage.item(aware)["error"] == "paused"

    def test_a_repeat_of_what_waits_is_a_duplicate_and_does_not_take_its_place(self):
        stage = Stage()
        pause(stage)
        delivery = stage.accept(acceptance="one")
        stage.invoke()
        stage.accept(acceptance="two")
        stage.invoke()
        assert stage.item(delivery)["acceptance"] == "one"
        assert stage.pages() == ([], ["two"])

    def test_what_waits_for_a_retry_waits_for_the_resume_when_it_is_due(self):
        stage = Stage()
        stage.target.on("/entries", (503, {}, {"retry-after": "3600"}), 200)
        delivery = stage.accept()
        stage.invoke()
        pause(stage)
        stage.clock.advance(3700)
        minute(stage)
        item = stage.item(delivery)
        assert (item["error"], item["ticket"]) == ("paused", "0000.000002")
        assert len(stage.target.asked) == 1


class TestResuming:
    def test_everything_that_waited_is_delivered_once(self):
        stage = Stage()
        pause(stage)
        deliveries = [stage.accept(f"evt_{number}") for number in range(45)]
        while stage.invoke():
            pass
        assert resume(stage)
        assert minute(stage) == 45
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert len(stage.target.asked) == 45
        assert minute(stage) == 0

    def test_it_releases_no_faster_than_it_was_told(self):
        stage = Stage()
        pause(stage)
        for number in range(60):
            stage.accept(f"evt_{number}")
        while stage.invoke():
            pass
        resume(stage, rate=4)
        began = stage.clock.now()
        stage.resuming.run(until=began + 1000)
        sent = sorted(message.sent_at - began for message in stage.memory.queues[QUEUE])
        assert len(sent) == 60
        assert sent[-1] == pytest.approx(14, abs=1.5)
        for first, last in zip(sent, sent[8:], strict=False):
            assert last - first >= 1, "never more than two batches within a second"

    def test_one_minute_goes_on_where_the_last_one_stopped(self):
        stage = Stage()
        pause(stage)
        deliveries = [stage.accept(f"evt_{number}") for number in range(130)]
        while stage.invoke():
            pass
        resume(stage, rate=1)
        released = [minute(stage) for _ in range(6)]
        assert sum(released) == 130
        assert max(released) <= 46
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_what_was_parked_by_an_instance_that_did_not_know_yet_is_released_too(self):
        stage = Stage()
        pause(stage)
        stage.tools.pauses.of(NAME)
        stage.clock.advance(FRESH_FOR - 1)
        Pauses(Table(stage.memory, "state"), stage.clock).resume(NAME, by="ann")
        assert stage.resuming.run(until=stage.clock.now() + 1) == 0
        late = stage.accept()
        stage.tools.pauses._read[NAME] = (stage.clock.now(), Pause(NAME, since=NOW))
        stage.invoke()
        assert stage.item(late)["error"] == "paused"
        assert stage.resuming.run(until=stage.clock.now() + LATE + 5) == 1
        stage.invoke()
        assert stage.item(late)["status"] == "delivered"

    def test_what_slipped_through_all_of_that_is_looked_at_within_a_day(self):
        stage = Stage()
        pause(stage)
        delivery = stage.accept()
        stage.invoke()
        resume(stage)
        stage.memory.tables["state"].pop(("release#all", NAME))
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert stage.clock.now() <= NOW + DAY + 120

    def test_paused_again_it_stops_and_resumed_again_it_goes_on(self):
        stage = Stage()
        pause(stage)
        deliveries = [stage.accept(f"evt_{number}") for number in range(30)]
        while stage.invoke():
            pass
        resume(stage, rate=10)
        stage.resuming.run(until=stage.clock.now() + 0.5)
        pause(stage)
        assert minute(stage) == 0
        while stage.invoke():
            pass
        assert {stage.item(each)["status"] for each in deliveries} == {"waiting"}
        resume(stage)
        minute(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}


class TestTheClock:
    @pytest.mark.parametrize(("give_up_after", "paused", "status"), [(2 * DAY, 5 * DAY, "delivered")])
    def test_a_pause_longer_than_give_up_after_costs_nothing(self, give_up_after, paused, status):
        stage = Stage(plan_of(errors={"give_up_after": give_up_after}))
        stage.target.on("/entries", 503, 200)
        delivery = stage.accept()
        stage.invoke()
        pause(stage)
        stage.clock.advance(paused)
        minute(stage)
        assert stage.item(delivery)["error"] == "paused"
        resume(stage)
        minute(stage)
        assert stage.item(delivery)["status"] == status

    def test_the_time_given_is_counted_without_the_pauses(self):
        """Refused all the time, it is given up after a day of its own, in which it was paused for two."""
        stage = Stage(plan_of(errors={"give_up_after": DAY}))
        stage.target.on("/entries", 503)
        delivery = stage.accept()
        for _ in range(500):
            minute(stage)
            stage.clock.advance(540)
            hour = (stage.clock.now() - NOW) / 3600
            paused = stage.tools.pauses.now(NAME).paused
            if 5 < hour < 53 and not paused:
                pause(stage)
            elif hour >= 53 and paused:
                resume(stage)
            if stage.item(delivery)["status"] == "dead":
                break
        assert hour == pytest.approx(24 + 48, abs=0.5)

    def test_stopped_counts_only_what_lies_between_two_times(self):
        found = Pause("x", since=100.0, past=((10.0, 20.0), (50.0, 60.0)))
        assert found.stopped(0, 110) == 30
        assert found.stopped(15, 55) == 10
        assert found.stopped(20, 50) == 0
        assert found.stopped(105, 110) == 5


class TestTheTargetsWish:
    def test_gone_pauses_the_integration_and_tells_so_once(self):
        stage = Stage()
        stage.target.on("/entries", 410)
        deliveries = [stage.accept(f"evt_{number}") for number in range(12)]
        while stage.invoke():
            pass
        found = stage.tools.pauses.now(NAME)
        assert (found.paused, found.by) == (True, "target")
        assert found.reason == "ledger answered 410 to POST /entries"
        assert {stage.item(each)["error"] for each in deliveries} == {"paused"}
        assert len(stage.target.asked) <= 10, "the second batch did not ask"
        assert stage.memory.queues[DEAD_LETTERS] == []
        (told,) = stage.memory.events
        assert told["DetailType"] == "causeway.integration.paused"
        stage.target.on("/entries", 200)
        resume(stage)
        minute(stage)
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_gone_is_in_the_history_and_is_none_of_the_attempts_that_count(self):
        stage = Stage(plan_of(errors={"attempts": 1}))
        stage.target.on("/entries", 410, 200)
        delivery = stage.accept()
        stage.invoke()
        (entry,) = stage.item(delivery)["attempts"]
        assert (entry["outcome"], entry["status"]) == ("refused", 410)
        resume(stage)
        minute(stage)
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_map_that_wants_410_retried_gets_it_retried(self):
        stage = Stage(plan_of(target=call_of(retry_on=["410"])))
        stage.target.on("/entries", 410, 200)
        delivery = stage.accept()
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"
        assert not stage.tools.pauses.now(NAME).paused

    def test_a_step_that_finds_something_gone_says_nothing_of_the_target(self):
        steps = [{"name": "look", "call": call_of("/look", method="GET")}]
        stage = Stage(plan_of(steps=steps))
        stage.target.on("/look", 410)
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "dead"
        assert not stage.tools.pauses.now(NAME).paused

    @pytest.mark.parametrize(("status", "ends"), [(503, "waiting"), (400, "waiting"), (200, "delivered")])
    def test_disable_pauses_with_any_answer(self, status, ends):
        stage = Stage()
        stage.target.on("/entries", (status, {}, {"webhook-delivery": "disable"}))
        delivery = stage.accept()
        stage.invoke()
        assert stage.tools.pauses.now(NAME).paused
        assert stage.item(delivery)["status"] == ends


def _paused_and_resumed(effects):
    """A delivery that met a pause and was released; cut off somewhere."""
    stage = Stage(wrap=effects.wrap)
    stage.target.on("/entries", 410, 200)
    delivery = stage.accept()

    def during(function):
        for _ in range(40):
            effects.restart()
            try:
                return function()
            except Crash:
                stage.clock.advance(400)
        raise AssertionError("it never came to an end")

    def work():
        while stage.invoke():
            pass

    during(work)
    stage.clock.advance(1000)
    during(work)
    during(lambda: resume(stage))
    for _ in range(3):
        during(lambda: minute(stage))
        stage.clock.advance(400)
        during(work)
    return stage, delivery


CLEAN = Effects()
_paused_and_resumed(CLEAN)


@pytest.mark.parametrize(("number", "after"), list(itertools.product(range(len(CLEAN.seen)), (False, True))))
def test_cut_off_anywhere_a_paused_delivery_is_delivered_after_the_resume(number, after):
    stage, delivery = _paused_and_resumed(Effects([number], after=after))
    assert stage.item(delivery)["status"] == "delivered"
    assert len(stage.target.asked) <= 3
    assert set(stage.pages()[0]) == {delivery}

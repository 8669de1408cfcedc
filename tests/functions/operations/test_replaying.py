"""Replays: one delivery or many; bounded, resumable, cancellable, told of; and redrives of the dead-letter queue."""

import json

import pytest

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.operations.redriving import Redriving
from causeway.operations.replays import NotPossibleError, NotThereError, Replays, Selection
from causeway.queueing.queue import NotQueued
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import DEAD_LETTERS, NOW, QUEUE, Stage, plan_of

NAME = "orders-to-ledger"


def replays_of(stage, aws=None):
    aws = aws or stage.memory
    queue = type(stage.tools.queue)(aws, url=QUEUE, bucket="payloads", clock=stage.clock)
    return Replays(journal=Table(aws, "journal"), state=Table(aws, "state"), queue=queue, clock=stage.clock)


def work_off(stage, replays, replay):
    """Steps until it is over, when it is time for each."""
    while (record := replays.step(replay["part"]))["state"] == "running":
        stage.clock.set(max(stage.clock.now(), record["not_before"]))
    return record


def deaths(stage, count, *answers):
    stage.target.on("/entries", *(answers or (400,)))
    deliveries = [stage.accept(f"evt_{number}") for number in range(count)]
    while stage.invoke():
        pass
    stage.target.on("/entries", 200)
    return deliveries


def refuse(parameters):
    raise AwsError("AccessDenied", "", 403)


class TestOne:
    def test_a_dead_delivery_starts_afresh_with_its_own_key(self):
        stage = Stage()
        (delivery,) = deaths(stage, 1)
        record = replays_of(stage).one(delivery, by="ann")
        stage.until_quiet()
        item = stage.item(delivery)
        assert (item["status"], item["ticket"]) == ("delivered", "0001.000001")
        assert {asked.headers["idempotency-key"] for asked in stage.target.asked} == {delivery}
        assert (record["by"], record["delivery"], record["replayed"]) == ("ann", delivery, 1)

    def test_it_has_its_whole_time_and_all_its_attempts_again(self):
        stage = Stage(plan_of(errors={"attempts": 2, "give_up_after": 3600.0}))
        stage.target.on("/entries", 500)
        delivery = stage.accept()
        stage.until_quiet()
        stage.clock.advance(30 * 86400)
        stage.target.on("/entries", 500, 200)
        replays_of(stage).one(delivery, by="ann")
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_delivered_one_is_replayed_while_its_event_is_kept(self):
        stage = Stage(plan_of(errors={"keep_events": 86400.0}))
        delivery = stage.accept()
        stage.invoke()
        replays_of(stage).one(delivery, by="ann")
        stage.until_quiet()
        assert len(stage.target.asked) == 2
        assert stage.item(delivery)["ticket"] == "0001.000001"

    def test_one_whose_event_is_gone_is_refused(self):
        stage = Stage()
        delivery = stage.accept()
        stage.invoke()
        with pytest.raises(NotPossibleError, match="no longer kept"):
            replays_of(stage).one(delivery, by="ann")

    def test_one_that_waits_is_refused(self):
        stage = Stage()
        stage.target.on("/entries", 500)
        delivery = stage.accept()
        stage.invoke()
        with pytest.raises(NotPossibleError, match="is waiting"):
            replays_of(stage).one(delivery, by="ann")

    def test_one_that_is_not_there_is_an_error_of_its_own(self):
        with pytest.raises(NotThereError):
            replays_of(Stage()).one("0" * 32, by="ann")


class TestMany:
    def test_all_that_are_dead_are_delivered_and_the_record_says_so(self):
        stage = Stage()
        deliveries = deaths(stage, 47)
        stage.clock.advance(1)
        replays = replays_of(stage)
        record = work_off(stage, replays, replays.start(Selection([NAME]), by="ann"))
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert (record["matched"], record["replayed"], record["skipped"]) == (47, 47, 0)
        assert (record["state"], record["by"]) == ("done", "ann")
        assert replays.in_month("2023-11") == [replays.find(record["part"])]

    def test_a_dry_run_counts_and_sends_nothing(self):
        stage = Stage()
        deaths(stage, 23)
        stage.clock.advance(1)
        replays = replays_of(stage)
        record = work_off(stage, replays, replays.start(Selection([NAME]), by="ann", dry_run=True))
        assert (record["matched"], record["replayed"]) == (23, 0)
        assert stage.memory.queues[QUEUE] == []

    def test_it_takes_what_the_filter_says(self):
        stage = Stage()
        deaths(stage, 5)
        stage.clock.advance(3600)
        stage.target.on("/entries", "connection")
        stage.deploy(plan_of(errors={"attempts": 1}))
        stage.accept("evt_late")
        stage.invoke()
        stage.clock.advance(1)
        replays = replays_of(stage)

        def count(**named):
            return work_off(stage, replays, replays.start(Selection([NAME], **named), by="a", dry_run=True))[
                "matched"
            ]

        assert count() == 6
        assert count(error="connection") == 1
        assert count(since=NOW + 1800) == 1
        assert count(until=NOW + 1800) == 5
        assert count(since=NOW + 1800, error="http") == 0

    def test_it_is_no_faster_than_its_rate(self):
        stage = Stage()
        deaths(stage, 60)
        stage.clock.advance(1)
        replays = replays_of(stage)
        began = stage.clock.now()
        work_off(stage, replays, replays.start(Selection([NAME]), by="ann", rate=5))
        sent = sorted(message.sent_at - began for message in stage.memory.queues[QUEUE])
        assert len(sent) == 60
        assert sent[-1] == pytest.approx(11, abs=1)
        assert max(sum(at <= each < at + 1 for each in sent) for at in sent) <= 5

    def test_a_step_that_comes_too_early_does_nothing(self):
        stage = Stage()
        deaths(stage, 10)
        stage.clock.advance(1)
        replays = replays_of(stage)
        record = replays.step(replays.start(Selection([NAME]), by="ann", rate=2)["part"])
        assert replays.step(record["part"]) == record

    def test_cancelled_it_goes_no_further(self):
        stage = Stage()
        deaths(stage, 30)
        stage.clock.advance(1)
        replays = replays_of(stage)
        record = replays.step(replays.start(Selection([NAME]), by="ann", rate=10)["part"])
        cancelled = replays.cancel(record["part"], by="bob")
        assert (cancelled["state"], cancelled["cancelled_by"], cancelled["replayed"]) == (
            "cancelled",
            "bob",
            10,
        )
        stage.clock.advance(60)
        assert replays.step(record["part"])["replayed"] == 10
        assert len(stage.memory.queues[QUEUE]) == 10

    def test_what_has_no_event_any_more_is_skipped_and_counted(self):
        stage = Stage()
        lost, *_ = deaths(stage, 3)
        stage.memory.tables["journal"].pop((lost, "event"))
        stage.clock.advance(1)
        replays = replays_of(stage)
        record = work_off(stage, replays, replays.start(Selection([NAME]), by="ann"))
        assert (record["matched"], record["replayed"], record["skipped"]) == (3, 2, 1)

    def test_what_dies_again_is_not_replayed_by_the_same_replay_again(self):
        stage = Stage()
        deaths(stage, 12)
        stage.target.on("/entries", 400)
        stage.clock.advance(1)
        replays = replays_of(stage)
        replay = replays.start(Selection([NAME]), by="ann", rate=2)
        while (record := replays.step(replay["part"]))["state"] == "running":
            stage.invoke()
            stage.clock.set(max(stage.clock.now(), record["not_before"]))
        assert record["replayed"] == 12

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("number", range(60))
    def test_cut_off_anywhere_it_goes_on_and_nothing_is_done_twice(self, number, after):
        stage = Stage()
        deliveries = deaths(stage, 6)
        asked = len(stage.target.asked)
        stage.clock.advance(1)
        effects = Effects([number], after=after)
        replays = replays_of(stage, effects.wrap(stage.memory))
        replay = replays_of(stage).start(Selection([NAME]), by="ann", rate=4)
        for _ in range(30):
            effects.restart()
            try:
                record = replays.step(replay["part"])
            except Crash:
                continue
            if record["state"] == "done":
                break
            stage.clock.set(max(stage.clock.now(), record["not_before"]))
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert len(stage.target.asked) == asked + 6

    def test_a_replay_that_is_not_there_is_an_error_of_its_own(self):
        with pytest.raises(NotThereError):
            replays_of(Stage()).step("2026-11-22-120000-abcdef01")


class TestRedriving:
    def redriving(self, stage, **named):
        return Redriving(stage.memory, dead_letters=DEAD_LETTERS, queue=stage.tools.queue, **named)

    def run(self, redriving):
        moved = left = 0
        while not (step := redriving.step()).over:
            moved, left = moved + step.moved, left + step.left
        return moved, left

    def test_every_message_starts_its_delivery_afresh(self):
        stage = Stage()
        deliveries = deaths(stage, 25)
        assert self.run(self.redriving(stage)) == (25, 0)
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert stage.memory.queues[DEAD_LETTERS] == []

    def test_what_is_no_message_or_another_integrations_stays(self):
        stage = Stage()
        deaths(stage, 3)
        other = json.loads(stage.memory.queues[DEAD_LETTERS][0].body) | {"integration": "another"}
        for body in ("this is no message", json.dumps(other)):
            stage.memory.call("sqs", "SendMessage", {"QueueUrl": DEAD_LETTERS, "MessageBody": body})
        assert self.run(self.redriving(stage, integration=NAME)) == (3, 2)
        assert len(stage.memory.queues[DEAD_LETTERS]) == 2

    def test_a_message_that_could_not_be_sent_stays(self):
        stage = Stage()
        deaths(stage, 3)
        redriving = self.redriving(stage)
        stage.memory._sqs_send_message_batch = refuse
        with pytest.raises(NotQueued):
            redriving.step()
        assert len(stage.memory.queues[DEAD_LETTERS]) == 3

    def test_one_that_was_replayed_from_the_journal_meanwhile_is_stale(self):
        stage = Stage()
        (delivery,) = deaths(stage, 1)
        replays_of(stage).one(delivery, by="ann")
        self.run(self.redriving(stage))
        stage.until_quiet()
        assert len(stage.target.asked) == 2, "the one that it died of, and the replay"

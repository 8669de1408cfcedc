"""Replays: one delivery or many; bounded, resumable, cancellable, told of."""

from contextlib import suppress

import pytest

from causeway.aws.table import Table
from causeway.operations.deliveries import BadQueryError
from causeway.operations.replays import RUNNING, NotPossibleError, NotThereError, StuckError
from causeway.operations.selecting import Selection
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import NOW, QUEUE, Stage, plan_of
from tests.support.replays import NAME, deaths, replays_of, work_off


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

    def test_a_new_key_is_used_on_every_attempt_and_by_replays_after_it(self):
        stage = Stage(plan_of(errors={"attempts": 3}))
        (delivery,) = deaths(stage, 1)
        stage.target.asked.clear()
        stage.target.on("/entries", 500, 500, 400)
        replays_of(stage).one(delivery, by="ann", new_key=True)
        stage.until_quiet()
        stage.target.on("/entries", 200)
        replays_of(stage).one(delivery, by="ann")
        stage.until_quiet()
        keys = [asked.headers["idempotency-key"] for asked in stage.target.asked]
        assert keys == [f"{delivery}-1"] * 4
        assert stage.item(delivery)["status"] == "delivered"

    def test_of_two_people_who_replay_at_once_one_is_heard(self):
        """With and without a new key: the target is called once."""
        for new_key in (True, False):
            stage = Stage()
            (delivery,) = deaths(stage, 1)
            stage.target.asked.clear()
            replays_of(stage).one(delivery, by="ann", new_key=new_key)
            replays_of(stage).one(delivery, by="bob", new_key=not new_key)
            stage.until_quiet()
            assert len(stage.target.asked) == 1

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("number", range(14))
    def test_cut_off_anywhere_attempts_of_a_replay_have_one_key(self, number, after):
        effects = Effects(after=after)
        stage = Stage(plan_of(errors={"attempts": 3}), wrap=effects.wrap)
        (delivery,) = deaths(stage, 1)
        stage.target.asked.clear()
        stage.target.on("/entries", 500, 200)
        replays_of(stage).one(delivery, by="ann", new_key=True)
        effects.crash_at = {len(effects.seen) + number}
        while stage.item(delivery)["status"] != "delivered":
            effects.restart()
            with suppress(Crash):
                if stage.invoke() is None:
                    stage.clock.set(stage.next_thing() + 0.001)
                    stage.schedule()
        assert stage.item(delivery)["status"] == "delivered"
        assert {asked.headers["idempotency-key"] for asked in stage.target.asked} == {f"{delivery}-1"}

    def test_the_record_says_who_and_when_and_how_it_ended(self):
        stage = Stage()
        (delivery,) = deaths(stage, 1)
        replays = replays_of(stage)
        record = replays.one(delivery, by="ann", new_key=True)
        (kept,) = replays.in_month("2023-11")
        assert kept == replays.find(record["part"])
        assert (kept["by"], kept["at"], kept["ended_at"]) == ("ann", stage.clock.now(), stage.clock.now())
        assert (kept["delivery"], kept["new_key"], kept["state"]) == (delivery, True, "done")


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

    def test_the_scheduler_works_off_what_is_under_way_and_then_looks_for_it_no_longer(self):
        stage = Stage()
        deliveries = deaths(stage, 30)
        stage.clock.advance(1)
        replays = replays_of(stage)
        started = [replays.start(Selection([name]), by="ann", rate=5)["part"] for name in ("another", NAME)]
        assert replays_of(stage).run(until=stage.clock.now() + 3) == 15, (
            "15 in 3 s; the rest is the next minute's"
        )
        assert replays_of(stage).run(until=stage.clock.now() + 45) == 15
        assert [replays.find(each)["state"] for each in started] == ["done", "done"]
        assert list(Table(stage.memory, "state").parts(RUNNING)) == []
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_one_that_cannot_go_on_keeps_no_other_from_it(self):
        stage = Stage()
        deliveries = deaths(stage, 3)
        stage.clock.advance(1)
        replays = replays_of(stage)
        bad, good = (replays.start(Selection([NAME]), by="ann")["part"] for _ in range(2))
        Table(stage.memory, "state").update(f"replay#{bad[:7]}", bad, values={"position": {"shard": "none"}})
        with pytest.raises(StuckError, match=bad):
            replays.run(until=stage.clock.now() + 45)
        assert (replays.find(good)["state"], replays.find(good)["replayed"]) == ("done", 3)
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}

    def test_one_over_a_time_that_ends_before_it_begins_is_refused_and_one_over_a_time_to_come_is_empty(self):
        stage = Stage()
        deaths(stage, 1)
        replays = replays_of(stage)
        with pytest.raises(BadQueryError, match="since is after until"):
            replays.start(Selection([NAME], since=NOW + 1, until=NOW), by="ann")
        to_come = replays.start(Selection([NAME], since=NOW + 86400), by="ann")
        assert work_off(stage, replays, to_come)["matched"] == 0

    def test_one_that_was_cut_off_as_it_was_started_is_no_replay_and_forgotten(self):
        stage = Stage()
        deaths(stage, 1)
        with pytest.raises(Crash):
            replays_of(stage, Effects([1]).wrap(stage.memory)).start(Selection([NAME]), by="ann")
        replays = replays_of(stage)
        assert replays.run(until=stage.clock.now() + 10) == 0
        assert len(list(Table(stage.memory, "state").parts(RUNNING))) == 1, "it may be about to be written"
        stage.clock.advance(7200)
        assert replays.run(until=stage.clock.now() + 10) == 0
        assert list(Table(stage.memory, "state").parts(RUNNING)) == []

    def test_one_that_is_cancelled_during_a_step_counts_what_that_step_sent(self):
        stage = Stage()
        deaths(stage, 30)
        stage.clock.advance(1)
        replays = replays_of(stage)
        replay = replays.start(Selection([NAME]), by="ann", rate=10)["part"]
        send = replays._queue.send

        def cancelled_meanwhile(messages):
            send(messages)
            replays_of(stage).cancel(replay, by="bob")

        replays._queue.send = cancelled_meanwhile
        record = replays.step(replay)
        assert (record["state"], record["cancelled_by"], record["replayed"]) == ("cancelled", "bob", 10)

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

    def test_one_with_a_new_key_gives_each_delivery_its_own(self):
        stage = Stage()
        deliveries = deaths(stage, 5)
        stage.clock.advance(1)
        stage.target.asked.clear()
        replays = replays_of(stage)
        work_off(stage, replays, replays.start(Selection([NAME]), by="ann", new_key=True))
        stage.until_quiet()
        keys = {asked.headers["idempotency-key"] for asked in stage.target.asked}
        assert keys == {f"{delivery}-1" for delivery in deliveries}

    def test_a_replay_that_is_not_there_is_an_error_of_its_own(self):
        with pytest.raises(NotThereError):
            replays_of(Stage()).step("2026-11-22-120000-abcdef01")

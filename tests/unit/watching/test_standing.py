"""What of how things stand is told: state changes, and nothing but state changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.errors import AwsError
from causeway.watching.checks.deliveries import paused
from causeway.watching.finding import LEVELS, Check, Finding, StackCheck
from causeway.watching.standing import AGAIN, Standings, step
from causeway.watching.watchdog import NotRememberedError
from tests.support.deliveries import Stage
from tests.support.watching import DAY, OF_DELIVERIES, Watched

SETTLES, REMIND, MINUTE = 120.0, 6 * 3600.0, 60.0


def found(level="warning", **more):
    return Finding(check="late", subject="orders", level=level, what="it is late", **more)


def history(findings):
    """What is told in each minute."""
    known, told = None, []
    for minute, finding in enumerate(findings):
        now = minute * MINUTE
        known, change = step(known, finding, now, settles=SETTLES, remind=REMIND)
        told.append(change.kind if change else None)
    return told


def test_what_begins_is_told_once_and_what_ends_when_it_has_been_well_for_a_while():
    assert history([None, found(), found(), None, None, None, None]) == [
        None,
        "began",
        None,
        None,
        None,
        "recovered",
        None,
    ]


def test_what_flickers_is_one_message():
    assert history([found(), None, found(), None, found(), None]) == ["began", *[None] * 5]


def test_a_level_that_rises_is_told_and_one_that_falls_is_not():
    levels = ["warning", "critical", "warning", "critical"]
    assert history([found(level) for level in levels]) == ["began", "worse", None, None]


def test_what_is_found_to_be_ok_is_as_if_it_were_not_found():
    assert history([found("ok"), found(), found("ok"), found("ok"), found("ok")])[-1] == "recovered"


def test_what_happens_once_more_is_told_at_most_once_an_hour():
    told = history([found(anew_at=minute * MINUTE) for minute in range(181)])
    assert [minute for minute, kind in enumerate(told) if kind == "again"] == [60, 120, 180]
    assert AGAIN == 3600


def test_what_still_is_not_well_is_told_again_after_a_while():
    told = history([found() for _ in range(721)])
    assert [minute for minute, kind in enumerate(told) if kind == "still"] == [360, 720]


@given(st.lists(st.sampled_from([None, *LEVELS]), max_size=60))
def test_what_is_told_tells_how_things_stand(levels):
    """Beginnings and ends take turns, beginning with a beginning; what is critical was told to be so."""
    told = history([level and found(level) for level in levels])
    turns = [kind for kind in told if kind in ("began", "recovered")]
    assert turns == ["began", "recovered"] * (len(turns) // 2) + ["began"] * (len(turns) % 2)
    for minute, level in enumerate(levels):
        if level in ("warning", "critical"):
            before = [kind for kind in told[: minute + 1] if kind in ("began", "recovered")]
            assert before[-1] == "began", "nothing that is not well is untold"


def test_first_it_is_told_then_written_down_so_a_crash_between_the_two_tells_it_twice():
    stage = Stage()
    watched = Watched(stage)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")

    class Crash(BaseException):
        pass

    def crash(_, key, standing):
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Standings, "write", crash)
        with pytest.raises(Crash):
            watched.minutes(1)
    watched.make(OF_DELIVERIES, DAY, stage.memory)  # another instance
    watched.minutes(3)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "began"]
    ids = {detail["id"] for _, detail in watched.announced}
    assert len(ids) == 1, "to programs it is one event"


class Refusing:
    """Takes no more writes of some kind."""

    def __init__(self, memory, *operations):
        self.memory = memory
        self.refused = operations

    def __getattr__(self, name):
        return getattr(self.memory, name)

    def call(self, service, operation, parameters):
        if operation in self.refused:
            raise AwsError("ProvisionedThroughputExceededException", "", 400)
        return self.memory.call(service, operation, parameters)


def test_a_state_that_cannot_be_written_makes_runs_fail_and_is_no_reason_to_tell_everything_each_minute():
    stage = Stage()
    aws = Refusing(stage.memory, "PutItem", "UpdateItem", "DeleteItem")
    watched = Watched(stage)
    watched.make(OF_DELIVERIES, DAY, aws)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    for _ in range(5):
        with pytest.raises(NotRememberedError):
            watched.minutes(1)
    assert [each.attributes["state"] for each in watched.mail] == ["began"]
    aws.refused = ()
    watched.minutes(2)
    assert (watched.mail, watched.standing) == ([], {"paused#orders-to-ledger"})
    stage.tools.pauses.resume("orders-to-ledger", by="ann")
    watched.minutes(2)
    assert [each.attributes["state"] for each in watched.mail] == ["recovered"]


def test_a_state_that_cannot_be_read_fails_the_run_and_takes_nothing_for_well():
    stage = Stage()
    watched = Watched(stage)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    watched.minutes(1)
    _ = watched.mail
    watched.make(OF_DELIVERIES, DAY, Refusing(stage.memory, "Query"))
    with pytest.raises(AwsError):
        watched.minutes(1)
    watched.make(OF_DELIVERIES, DAY, stage.memory)
    watched.minutes(5)
    assert watched.mail == []


def test_of_two_runs_at_once_one_stands_back():
    stage = Stage()
    first, second = Watched(stage), Watched(stage)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    looks = []

    def meanwhile(facts, _now):
        looks.append(second.look())
        yield from paused(facts, _now)

    first.make([Check("paused", meanwhile)], DAY, stage.memory)
    assert first.look()["told"] == 1
    assert looks == [{}]
    assert len(first.mail) == 1
    assert second.look()["told"] == 0, "the next one is not held up"


def test_a_run_that_was_cut_off_holds_up_none_after_its_time():
    stage = Stage()
    watched = Watched(stage)

    def cut(_facts, _now):
        raise KeyboardInterrupt

    watched.make([Check("paused", cut)], DAY, stage.memory)
    with pytest.raises(KeyboardInterrupt):
        watched.look()
    watched.make(OF_DELIVERIES, DAY, stage.memory)
    assert watched.look() == {}
    stage.clock.advance(45)
    assert watched.look()["looked"] > 0


# What comes and goes


@pytest.mark.parametrize("minutes", [1, 3, 4, 7, 20])
def test_what_comes_and_goes_for_a_day_is_not_a_mail_for_each_time(minutes):
    """However fast: one an hour in the long run; each minute, it is the one that it began."""
    stage = Stage()
    watched = Watched(stage)

    def comes_and_goes(world, now):
        if now // (minutes * MINUTE) % 2:
            yield Finding(check="late", subject="ledger", level="warning", what="it is late")

    watched.make([StackCheck("late", comes_and_goes)], DAY, stage.memory)
    watched.minutes(24 * 60)
    kinds = [each.attributes["state"] for each in watched.mail]
    assert kinds[0] == "began"
    assert len(kinds) <= (1 if minutes == 1 else 26), kinds


def test_and_when_it_is_over_that_is_told_and_a_day_later_it_is_as_new():
    stage = Stage()
    watched = Watched(stage)
    bad = {"until": 0.0}

    def sometimes(world, now):
        if now < bad["until"]:
            yield Finding(check="late", subject="ledger", level="warning", what="it is late")

    watched.make([StackCheck("late", sometimes)], DAY, stage.memory)
    for _ in range(3):
        bad["until"] = stage.clock.now() + 2 * MINUTE
        watched.minutes(20)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "recovered"] * 3
    stage.clock.advance(DAY)
    bad["until"] = stage.clock.now() + 2 * MINUTE
    watched.minutes(6)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "recovered"]

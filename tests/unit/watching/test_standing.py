"""What of how things stand is told: state changes, and nothing but state changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.errors import AwsError
from causeway.watching.finding import LEVELS, Finding
from causeway.watching.standing import AGAIN, Standings, step
from causeway.watching.watchdog import Watchdog
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
    watched.minutes(3)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "began"]
    ids = {detail["id"] for _, detail in watched.announced}
    assert len(ids) == 1, "to programs it is one event"


def test_a_state_that_cannot_be_written_stops_the_run_and_what_was_told_is_told_again():
    stage = Stage()

    class Refusing:
        def __init__(self):
            self.refuses = True

        def __getattr__(self, name):
            return getattr(stage.memory, name)

        def call(self, service, operation, parameters):
            if self.refuses and operation == "PutItem":
                raise AwsError("ProvisionedThroughputExceededException", "", 400)
            return stage.memory.call(service, operation, parameters)

    aws = Refusing()
    watched = Watched(stage)
    watched.make(OF_DELIVERIES, DAY, aws)
    assert isinstance(watched.watchdog, Watchdog)
    stage.tools.pauses.pause("orders-to-ledger", by="ann", reason="-")
    with pytest.raises(AwsError):
        watched.minutes(1)
    aws.refuses = False
    watched.minutes(2)
    assert [each.attributes["state"] for each in watched.mail] == ["began", "began"]

"""That whatever a drill should have shown and did not would be noticed; and what its figures are made of.

The drills themselves are for the command line: ``python -m tests.chaos.drills``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from causeway.telemetry.metrics import UNITS
from causeway.watching.checks import CHECKS
from causeway.watching.owners import OPERATOR
from causeway_cli.local.emulator import failure
from tests.chaos.drills.hearing import BEFORE, Message, Recorded, records, take_invocation
from tests.chaos.drills.judging import Evidence, judge
from tests.chaos.drills.report import record, summary
from tests.chaos.drills.table import BY_NAME, DRILLS, LANES, PARAMETERS
from tests.support.alarms import MINUTE, Alarms, Change, Metric

if TYPE_CHECKING:
    from tests.chaos.drills.expected import Drill

DOWN = BY_NAME["target-down"]
BROKE, MENDED = 10_000.0, 10_400.0


def message(at: float, state: str = "began", check: str = "circuit", to: str = DOWN.owner) -> Message:
    subject = f"[critical] target-down-target fails: its circuit is open ({state})"
    text = json.dumps({"content": {"description": "*What*: it fails\n*Cause*: it is down\n*Concerns*: us"}})
    return Message(at, to, check, state, subject, text)


def rings(at: float, state: str = "ALARM", alarm: str = "TargetsFail") -> Change:
    return Change(at, alarm, state)  # type: ignore[arg-type] # one of them


def good(drill: Drill = DOWN) -> Evidence:
    """What there is to hear of a target that was down."""
    return Evidence(
        drill,
        BROKE,
        MENDED,
        messages=[message(BROKE + 80), message(MENDED + 130, "recovered")],
        counted_at=BROKE + 60,
        alarms=[rings(BROKE + 240), rings(MENDED + 200, "OK")],
        accepted=100,
    )


def rules(evidence: Evidence) -> set[str]:
    return {finding.rule for finding in judge(evidence)}


class TestJudging:
    def test_nothing_is_wrong_with_a_drill_that_shows_all_it_should(self) -> None:
        assert judge(good()) == []
        assert good().heard
        assert good().over

    def test_an_owner_who_hears_nothing_or_late_is_noticed(self) -> None:
        assert rules(replace(good(), messages=[])) == {"told in time"}
        late = [message(BROKE + 151), message(MENDED + 130, "recovered")]
        assert rules(replace(good(), messages=late)) == {"told in time"}

    def test_a_message_in_other_words_is_noticed(self) -> None:
        first, last = good().messages
        other = [first._replace(subject="something is wrong"), last]
        (finding,) = judge(replace(good(), messages=other))
        assert finding.rule == "told in time"
        assert finding.came.startswith("something is wrong: ")

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param([message(BROKE + 200)], id="began twice"),
            pytest.param([message(BROKE + 140, "worse"), message(BROKE + 200, "worse")], id="worse twice"),
            pytest.param([message(MENDED + 250, "recovered")], id="recovered twice"),
            pytest.param([message(BROKE + 200, "still")], id="a reminder"),
        ],
    )
    def test_what_is_told_more_often_than_it_happened_is_noticed(self, more: list[Message]) -> None:
        assert rules(replace(good(), messages=[*good().messages, *more])) == {"told once"}

    def test_a_recovery_that_nobody_is_told_is_noticed(self) -> None:
        evidence = replace(good(), messages=[message(BROKE + 80)])
        assert rules(evidence) == {"told once"}
        assert not evidence.over

    def test_a_recovery_from_what_is_still_broken_is_noticed(self) -> None:
        flickers = [message(BROKE + 80), message(MENDED - 10, "recovered")]
        assert rules(replace(good(), messages=flickers)) == {"told once"}

    def test_a_false_alarm_before_anything_broke_is_noticed(self) -> None:
        early = [message(BROKE - 300), message(BROKE - 100, "recovered")]
        found = rules(replace(good(), messages=early, broke_at=BROKE))
        assert "quiet before" in found

    def test_messages_about_something_else_or_for_somebody_else_are_noticed(self) -> None:
        other = [message(BROKE + 100, check="overdue"), message(MENDED + 200, "recovered", check="overdue")]
        assert rules(replace(good(), messages=[*good().messages, *other])) == {"nothing else told"}
        to_operator = [each._replace(to=OPERATOR) for each in good().messages]
        assert rules(replace(good(), messages=to_operator)) == {"nothing else told"}

    @pytest.mark.parametrize("at", [None, BROKE + 151])
    def test_a_metric_that_does_not_come_or_late_is_noticed(self, at: float | None) -> None:
        assert rules(replace(good(), counted_at=at)) == {"counted in time"}

    @pytest.mark.parametrize(
        "alarms",
        [
            pytest.param([], id="none"),
            pytest.param([rings(BROKE + 240)], id="without an end"),
            pytest.param([rings(BROKE + 420), rings(MENDED + 200, "OK")], id="late"),
            pytest.param([rings(BROKE + 240), rings(MENDED - 60, "OK")], id="over before it was mended"),
            pytest.param(
                [rings(BROKE + t, state) for t in (240, 600) for state in ("ALARM", "OK")], id="twice"
            ),
        ],
    )
    def test_an_alarm_that_does_not_ring_once_is_noticed(self, alarms: list[Change]) -> None:
        assert rules(replace(good(), alarms=alarms)) == {"rung in time"}

    def test_for_the_end_of_an_alarm_that_lingers_nobody_waits(self) -> None:
        assert DOWN.rung
        lingering = replace(DOWN, rung=DOWN.rung._replace(lingers=True))
        evidence = replace(good(lingering), alarms=[rings(BROKE + 240)])
        assert (rules(evidence), evidence.over) == (set(), True)
        assert rules(replace(evidence, alarms=[])) == {"rung in time"}

    def test_another_alarm_is_noticed(self) -> None:
        other = [*good().alarms, rings(BROKE + 60, alarm="DeadDeliveries")]
        (finding,) = judge(replace(good(), alarms=other))
        assert (finding.rule, finding.came) == ("nothing else rung", "DeadDeliveries ALARM after 60 s")

    def test_a_lost_event_is_noticed(self) -> None:
        (finding,) = judge(replace(good(), undelivered=["evt_00007"]))
        assert (finding.rule, finding.came) == ("nothing lost", "1 are not: evt_00007")

    def test_a_message_where_none_is_expected_is_noticed(self) -> None:
        crash = BY_NAME["function-crashes"]
        evidence = replace(good(crash), alarms=[rings(BROKE + 60, alarm="DeliveriesLate")], counted_at=BROKE)
        assert "nothing else told" in rules(evidence)


class TestHearing:
    def test_an_invocation_that_fails_is_an_error(self) -> None:
        data = Recorded()
        report = "REPORT RequestId: 1\tDuration: 250 ms\tBilled Duration: 250 ms"
        lines = ['{"level": "INFO", "message": "batch"}', report]
        take_invocation(data, "ProcessorFunction", 100.0, ["START RequestId: 1", *lines])
        failed = failure("processor", "2", {"errorType": "ImportError"}, now=datetime.now(UTC))
        take_invocation(data, "ProcessorFunction", 160.0, ["START RequestId: 2", failed, report])
        found = [
            (each.at, each.name, each.value) for each in data.points if each.name in ("Errors", "Duration")
        ]
        once = [
            (99.75, "Errors", 0),
            (99.75, "Duration", 250),
            (159.75, "Errors", 1),
            (159.75, "Duration", 250),
        ]
        assert sorted(set(found)) == sorted(once)
        assert data.first("AWS/Lambda", "Errors", above=0, since=0) == 159.75

    @pytest.mark.parametrize(
        ("line", "found"),
        [
            ('{"a": 1}', [{"a": 1}]),
            ('{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}]),
            ('{"a": 1}{"b"', [{"a": 1}]),
            ("END RequestId: 1", []),
            ("", []),
        ],
    )
    def test_a_line_that_two_threads_wrote_at_once_is_read(self, line: str, found: list[object]) -> None:
        assert list(records(line)) == found

    def test_what_functions_count_is_in_their_lines(self) -> None:
        about = {"Namespace": "Causeway", "Dimensions": [["service"]], "Metrics": [{"Name": "WatchdogRuns"}]}
        line = {
            "_aws": {"Timestamp": 60_000, "CloudWatchMetrics": [about]},
            "service": "w",
            "WatchdogRuns": [1],
        }
        data = Recorded()
        take_invocation(data, "WatchdogFunction", 60.0, [json.dumps(line), '{"level": "INFO"}'])
        metric = Metric("Causeway", "WatchdogRuns", frozenset({("service", "w")}))
        assert data.series(metric, "Sum", [60, 120], 60, 180) == [1, None]
        starts = [60 - MINUTE * back for back in range(1, BEFORE + 2)]
        before = data.series(metric, "Sum", starts, 60, 180)
        assert before == [1] * BEFORE + [None]


class TestTable:
    def test_each_drill_breaks_once_on_one_stack(self) -> None:
        names = [name for lane in LANES for stage in lane for name in stage]
        assert sorted(names) == sorted(BY_NAME)

    def test_no_two_drills_of_a_stage_are_told_by_the_same_alarm(self) -> None:
        for stage in (stage for lane in LANES for stage in lane):
            alarms = [alarm for name in stage for alarm in BY_NAME[name].alarms]
            assert len(alarms) == len(set(alarms)), stage

    def test_what_is_expected_is_there(self) -> None:
        checks, acting = {check.name for check in CHECKS}, Alarms(**PARAMETERS).acting()
        for drill in DRILLS:
            assert drill.told is None or drill.told.check in checks
            assert drill.rung is None or drill.rung.name in acting
            assert not drill.counted or drill.counted.namespace != "Causeway" or drill.counted.name in UNITS
            assert drill.told or drill.rung, f"nobody hears of {drill.name}"


def test_the_report_shows_what_came_and_what_does_not_hold() -> None:
    holds, broken = record(good()), record(replace(good(), undelivered=["evt_00007"]))
    assert (holds["seconds_to_message"], holds["seconds_to_alarm"], holds["recovered_told"]) == (80, 240, 1)
    assert holds["cause"] == "it is down"
    json.dumps([holds, broken])
    assert summary([holds], wanted=1, seconds=700, seed=1).endswith("everything holds")
    assert "everything holds" not in summary([holds], wanted=2, seconds=700, seed=1)
    shown = summary([holds, broken], wanted=2, seconds=700, seed=1)
    assert "came:     1 are not: evt_00007" in shown
    assert shown.endswith("1 do not hold")

"""The dashboard: what it shows, by question."""

from __future__ import annotations

import json
import re

import pytest

from causeway.telemetry.metrics import NAMESPACE, UNITS
from tests.support.alarms import Alarms
from tests.support.resolving import Resolver
from tests.support.template import resources, written

PARAMETERS = ({}, {"StreamMode": "provisioned"})

QUESTIONS = ("lost", "late", "failing", "waiting", "silent", "near a limit")

FOUND = re.compile(rf"""SEARCH\('{{{NAMESPACE},service}} MetricName="(\w+)"', '(\w+)', \d+\)""")


def body(parameters):
    (dashboard,) = Resolver(written(), parameters).resources("AWS::CloudWatch::Dashboard").values()
    return json.loads(dashboard["DashboardBody"])


def pictures(parameters):
    """Every picture's properties by its title."""
    return {
        one["properties"]["title"]: one["properties"]
        for one in body(parameters)["widgets"]
        if one["type"] == "metric"
    }


def of_ours(parameters):
    """The names of Causeway's own metrics that are shown."""
    shown = [
        metric[0]["expression"]
        for picture in pictures(parameters).values()
        for metric in picture["metrics"]
        if isinstance(metric[0], dict)
    ]
    return {FOUND.fullmatch(expression)[1] for expression in shown}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_picture_answers_each_question(question):
    assert any(question in title for title in pictures({}))


def test_every_metric_is_in_an_alarm_or_on_the_dashboard():
    in_alarms = {
        metric.name
        for alarm in Alarms(StreamMode="on-demand").single.values()
        for metric, _ in alarm.metrics.values()
    }
    assert set(UNITS) <= in_alarms | of_ours({})


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_it_shows_what_there_is(parameters):
    assert of_ours(parameters) <= set(UNITS)
    there = (
        set(written()["Resources"])
        if parameters
        else {n for n in written()["Resources"] if "Stream" not in n}
    )
    for picture in pictures(parameters).values():
        for metric in picture["metrics"]:
            if not isinstance(metric[0], dict):
                assert metric[0].startswith("AWS/")
                assert metric[3] in there, metric


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_it_shows_every_alarm_that_tells_somebody(parameters):
    (shown,) = [one for one in body(parameters)["widgets"] if one["type"] == "alarm"]
    assert set(shown["properties"]["alarms"]) == Alarms(**parameters).acting()


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_its_pictures_do_not_cover_each_other(parameters):
    taken = set()
    for one in body(parameters)["widgets"]:
        cells = {
            (x, y)
            for x in range(one["x"], one["x"] + one["width"])
            for y in range(one["y"], one["y"] + one["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("queue", resources("AWS::SQS::Queue"))
def test_every_queue_is_on_it(queue):
    assert any(queue in metric for picture in pictures({}).values() for metric in picture["metrics"])

"""The dashboard: what it shows, by question."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from benchmarks.costs import EMITTED
from causeway.telemetry.metrics import NAMESPACE, UNITS
from tests.support.alarms import Alarms
from tests.support.resolving import STACK, Resolver
from tests.support.template import resources, written

PARAMETERS = ({}, {"StreamMode": "provisioned"})

QUESTIONS = ("lost", "late", "failing", "waiting", "silent", "near a limit")


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


def metrics(parameters):
    """Every metric that is shown: namespace, name, the dimension and its value, and how."""
    return [metric for picture in pictures(parameters).values() for metric in picture["metrics"]]


def of_ours(parameters):
    """The names of Causeway's own metrics that are shown, with the functions whose they are."""
    shown = defaultdict(set)
    for namespace, name, dimension, service, _ in metrics(parameters):
        if namespace == NAMESPACE:
            assert (dimension, service.startswith(f"{STACK}-")) == ("service", True)
            shown[name].add(service.removeprefix(f"{STACK}-"))
    return shown


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_picture_answers_each_question(question):
    assert any(question in title for title in pictures({}))


def test_every_metric_is_in_an_alarm_or_on_the_dashboard():
    in_alarms = {
        metric.name
        for alarm in Alarms(StreamMode="on-demand").single.values()
        for metric, _ in alarm.metrics.values()
    }
    assert set(UNITS) <= in_alarms | set(of_ours({}))


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_of_each_metric_that_is_shown_all_functions_that_count_it_are(parameters):
    """By their names, and not by a search: that would find another stack's, too."""
    there = set(EMITTED) if parameters else set(EMITTED) - {"stream"}
    for name, functions in of_ours(parameters).items():
        assert functions == {function for function in there if name in EMITTED[function]}, name


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_it_shows_what_there_is(parameters):
    there = (
        set(written()["Resources"])
        if parameters
        else {n for n in written()["Resources"] if "Stream" not in n}
    )
    for namespace, _, _, value, _ in metrics(parameters):
        if namespace != NAMESPACE:
            assert namespace.startswith("AWS/")
            assert value in there


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
    assert any(queue in metric for metric in metrics({}))

"""The page about costs says what its command counts, and the command counts what there is."""

from __future__ import annotations

from benchmarks import costs
from causeway.telemetry.metrics import NAMESPACE, UNITS
from tests.support.alarms import Alarms
from tests.support.resolving import STACK
from tests.support.template import ROOT, functions


def function_of(service):
    return service.removeprefix(f"{STACK}-")


def test_the_page_has_what_the_command_prints():
    page = (ROOT / "docs" / "costs.md").read_text()
    assert "\n".join(costs.table()) in page
    assert f"A stream adds {costs.stream_adds():.2f} US$ a month." in page


def test_every_metric_and_every_function_that_counts_is_counted():
    assert set().union(*costs.EMITTED.values()) == set(UNITS)
    assert {f"functions/{name}" for name in costs.EMITTED} <= {one["CodeUri"] for one in functions().values()}


def test_an_alarm_watches_only_what_the_function_counts():
    for alarm in Alarms(StreamMode="on-demand").single.values():
        for metric, _ in alarm.metrics.values():
            if metric.namespace == NAMESPACE:
                assert metric.name in costs.EMITTED[function_of(dict(metric.dimensions)["service"])], (
                    alarm.name
                )


def test_metrics_are_cheaper_beyond_the_first_ten_thousand():
    few, many = (costs.Parts(number, 0, 0, 0).dollars for number in (10_000, 10_001))
    assert round(many - few, 2) == 0.10

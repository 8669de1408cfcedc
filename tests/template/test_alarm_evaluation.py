"""What the template's alarms are tried with: the evaluation of data points as CloudWatch documents it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.alarms import aggregate, calculate, decide

TABLE = [
    # the points from old to new (X breaches, 0 does not, - is missing), and the states by CloudWatch's own table of
    # 3 of 3 points: missing, ignore (before: OK), breaching, notBreaching
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("0----", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", "OK", "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", "ALARM", "OK", "ALARM", "OK"),
]

TABLE_OF_TWO = [
    # likewise, of 2 of 3 points
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("---X-", "ALARM", "OK", "ALARM", "OK"),
]

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("points", "wanted", "treatment", "state"),
    [
        (points, wanted, treatment, state)
        for wanted, table in ((3, TABLE), (2, TABLE_OF_TWO))
        for points, *states in table
        for treatment, state in zip(TREATMENTS, states, strict=True)
    ],
)
def test_missing_data_are_treated_as_cloudwatch_documents_it(points, wanted, treatment, state):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html."""
    judged = [point == "X" for point in points if point != "-"]
    assert decide(judged[-3:], 3, wanted, treatment, "OK") == state


def test_a_point_that_breaches_alone_keeps_the_state_where_missing_ones_are_ignored():
    assert decide([True], 3, 3, "ignore", "ALARM") == "ALARM"


@given(st.lists(st.floats(0, 1e9), min_size=1), st.sampled_from(["p50", "p90", "p99", "p99.9"]))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values, statistic):
    found = aggregate(values, statistic)
    share = sum(value <= found for value in values) / len(values)
    assert found in values
    assert share >= float(statistic[1:]) / 100


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + 2 * b", 7.0),
        ("a / gone", None),
        ("a / 0", None),
        ("FILL(gone, 4)", 4.0),
        ("SUM(FILL(METRICS(), 0))", 4.0),
        ("SUM(METRICS('a'))", 1.0),
        ("MAX([a, b, gone])", 3.0),
        ("MAX([gone])", None),
        ("IF(a > 0, 5, 6)", 5.0),
        ("IF(a > 1, 5, 6)", 6.0),
        ("IF(gone > 1, 5, 6)", None),
    ],
)
def test_metric_math(expression, value):
    assert calculate(expression, {"a": 1.0, "b": 3.0, "gone": None}) == value

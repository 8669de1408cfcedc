"""What those who deliver may send to beside systems: what the user names in parameters, and nothing else."""

from __future__ import annotations

import re

import pytest

from tests.support.template import each, functions, role_of, written

STATEMENTS = {
    "SendToTargetQueues": ("TargetQueues", ["sqs:GetQueueUrl", "sqs:SendMessage"]),
    "PutOnTargetBuses": ("TargetBuses", ["events:PutEvents"]),
    "WriteToTargetBuckets": ("TargetBuckets", ["s3:PutObject"]),
}


def conditional(function):
    """The statements under a condition of a function's role, by their names."""
    statements = role_of(functions()[function])["Policies"][0]["PolicyDocument"]["Statement"]
    found = [one["Fn::If"] for one in statements if "Fn::If" in one]
    return {statement["Sid"]: (condition, statement, other) for condition, statement, other in found}


@pytest.mark.parametrize("sid", STATEMENTS)
def test_what_no_parameter_names_gets_nothing_and_what_one_names_no_more_than_a_delivery_needs(sid):
    parameter, actions = STATEMENTS[sid]
    condition, statement, otherwise = conditional("ProcessorFunction")[sid]
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert written()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
    assert written()["Parameters"][parameter]["Default"] == ""
    assert each(statement["Action"]) == actions
    assert statement["Resource"] == {"Fn::Split": [",", {"Ref": parameter}]}


def test_no_function_may_that_does_not_deliver():
    for name in set(functions()) - {"ProcessorFunction", "RequestFunction", "StreamFunction"}:
        assert STATEMENTS.keys().isdisjoint(conditional(name)), name


QUEUES = "arn:aws:sqs:eu-central-1:123456789012:jobs,arn:aws:sqs:eu-central-1:123456789012:more.fifo"


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("TargetQueues", QUEUES, True),
        ("TargetQueues", f"{QUEUES},", False),
        ("TargetQueues", "jobs", False),
        ("TargetBuses", "arn:aws:events:eu-central-1:123456789012:event-bus/main", True),
        ("TargetBuses", QUEUES, False),
        ("TargetBuckets", "arn:aws:s3:::lake/*,arn:aws-cn:s3:::other/orders/*", True),
        ("TargetBuckets", "arn:aws:s3:::lake", False),
        ("TargetBuckets", "*", False),
    ],
)
def test_a_parameter_takes_arns_of_its_kind(parameter, value, fits):
    assert bool(re.fullmatch(written()["Parameters"][parameter]["AllowedPattern"], value)) == fits

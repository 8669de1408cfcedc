"""The template's alarms: what is watched, that somebody hears it, and that what is watched is there."""

from __future__ import annotations

import json
import re

import pytest

from causeway.telemetry.metrics import NAMESPACE, UNITS
from tests.support.alarms import Alarms
from tests.support.resolving import STACK, Resolver
from tests.support.template import ROOT, functions, resources, service, translated, written

STREAM = Alarms(StreamMode="on-demand")
"""A stack that has everything that a stack can have."""

ALL = STREAM.single | STREAM.composite


def watched(namespace, name, **dimensions):
    """The alarms that watch a metric with at least these dimensions."""
    return {
        alarm.name
        for alarm in STREAM.single.values()
        for metric, _ in alarm.metrics.values()
        if (metric.namespace, metric.name) == (namespace, name)
        and dimensions.items() <= dict(metric.dimensions).items()
    }


@pytest.mark.parametrize("name", functions())
@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_functions_errors_throttles_and_duration_are_watched(name, metric):
    assert watched("AWS/Lambda", metric, FunctionName=name)


@pytest.mark.parametrize("name", functions())
def test_a_functions_duration_is_measured_by_the_timeout_that_it_has(name):
    alarm = STREAM.single["FunctionsNearTimeout"]
    timeout = Resolver(written()).value(functions()[name]["Timeout"])
    (id_,) = (
        i for i, (metric, _) in alarm.metrics.items() if dict(metric.dimensions)["FunctionName"] == name
    )
    assert f"FILL({id_}, 0) / {timeout}" in alarm.expression


@pytest.mark.parametrize("name", resources("AWS::SQS::Queue"))
def test_every_queue_is_watched(name):
    depth = watched("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name)
    assert depth, "how much is on it"
    queue = resources("AWS::SQS::Queue")[name]
    if "VisibilityTimeout" in queue:  # it is worked off
        assert watched("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=name)
        assert watched("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QueueName=name)
    else:  # it is a net: one message is news
        assert {STREAM.single[alarm].properties["Threshold"] for alarm in depth} == {0}


@pytest.mark.parametrize("name", resources("AWS::DynamoDB::Table"))
@pytest.mark.parametrize("metric", ["ReadThrottleEvents", "WriteThrottleEvents"])
def test_every_table_and_each_of_its_indexes_is_watched(name, metric):
    assert watched("AWS/DynamoDB", metric, TableName=name)
    for index in resources("AWS::DynamoDB::Table")[name].get("GlobalSecondaryIndexes", []):
        assert watched("AWS/DynamoDB", metric, TableName=name, GlobalSecondaryIndexName=index["IndexName"])


def test_every_stream_is_watched_and_who_reads_it():
    for name in resources("AWS::Kinesis::Stream"):
        assert watched("AWS/Kinesis", "WriteProvisionedThroughputExceeded", StreamName=name)
    reading = [
        name
        for name, function in functions().items()
        if any(event["Type"] == "Kinesis" for event in function.get("Events", {}).values())
    ]
    for name in reading:
        assert watched("AWS/Lambda", "IteratorAge", FunctionName=name)


SCHEDULED = {
    name: service(function).replace("${AWS::StackName}", STACK)
    for name, function in functions().items()
    if any(event["Type"] == "ScheduleV2" for event in function.get("Events", {}).values())
}


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_schedule_that_stops_is_told(name):
    """By an alarm to which missing data are the bad news."""
    breaching = {
        alarm.name
        for alarm in STREAM.single.values()
        if alarm.properties["TreatMissingData"] == "breaching"
        for metric, _ in alarm.metrics.values()
        if {("FunctionName", name), ("service", SCHEDULED[name])} & metric.dimensions
    }
    assert breaching


def test_an_alarm_that_breaches_by_silence_watches_what_comes_each_minute():
    for alarm in STREAM.single.values():
        if alarm.properties["TreatMissingData"] == "breaching":
            assert alarm.properties["ComparisonOperator"] == "LessThanThreshold", alarm.name
            assert alarm.period == 60, alarm.name


def test_why_missing_data_are_treated_so_is_said_beside_each():
    lines = [
        line for line in (ROOT / "template.yaml").read_text().splitlines() if "TreatMissingData:" in line
    ]
    assert len(lines) == len(STREAM.single)
    assert all(re.search(r"TreatMissingData: \w+ # \w+", line) for line in lines)


@pytest.mark.parametrize("name", STREAM.single)
def test_an_alarm_reaches_somebody_by_itself_or_through_one_composite(name):
    """Both would be two messages for one outage."""
    through = [composite for composite in STREAM.composite if name in STREAM.children(composite)]
    assert len(through) + (name in STREAM.acting()) == 1
    assert set(through) <= STREAM.acting()


def test_alarms_tell_the_stacks_topic_and_one_of_the_users_if_there_is_one():
    own = "arn:aws:sns:eu-central-1:123456789012:ops"
    for topics, alarms in ((["AlarmsTopic"], Alarms()), (["AlarmsTopic", own], Alarms(AlarmTopic=own))):
        everyone = [alarm.properties for alarm in alarms.single.values()] + list(alarms.composite.values())
        assert {str(one["AlarmActions"]) for one in everyone if "AlarmActions" in one} == {str(topics)}


def test_cloudwatch_may_tell_that_topic_and_only_for_alarms_of_this_account():
    """The topic's policy takes the place of the one that SNS makes: without this, alarms would ring unheard."""
    policy = Resolver(written()).resources("AWS::SNS::TopicPolicy")["AlarmsTopicPolicy"]
    (allowed,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert policy["Topics"] == [allowed["Resource"]] == ["AlarmsTopic"]
    assert (allowed["Principal"], allowed["Action"]) == (
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
    )
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_the_operator_hears_all_alarms():
    subscriptions = Resolver(written(), {"OperatorEmail": "ops@example.com"}).resources(
        "AWS::SNS::Subscription"
    )
    of_alarms = [one for one in subscriptions.values() if one["TopicArn"] == "AlarmsTopic"]
    assert of_alarms == [{"TopicArn": "AlarmsTopic", "Protocol": "email", "Endpoint": "ops@example.com"}]


@pytest.mark.parametrize("name", ALL)
def test_who_hears_of_an_alarm_hears_of_its_end(name):
    properties = ALL[name].properties if name in STREAM.single else ALL[name]
    assert properties.get("AlarmActions") == properties.get("OKActions")


def test_composites_speak_of_alarms_that_are_there_with_and_without_a_stream():
    for alarms in (STREAM, Alarms()):
        for composite in alarms.composite:
            assert alarms.children(composite) <= set(alarms.single), composite


def test_without_a_stream_nothing_speaks_of_one():
    for alarm in Alarms().single.values():
        assert "stream" not in str(alarm.properties).lower().replace("streamisbehind", ""), alarm.name


@pytest.mark.parametrize("name", STREAM.single)
def test_an_alarm_is_one_that_cloudwatch_takes(name):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""
    alarm = STREAM.single[name]
    assert len(alarm.metrics) <= 10
    assert alarm.period in {60, 300, 3600}
    assert alarm.period * alarm.properties["EvaluationPeriods"] <= 24 * 3600
    for id_ in alarm.metrics:
        assert re.fullmatch(r"[a-z][a-zA-Z0-9_]*", id_)


@pytest.mark.parametrize("name", STREAM.single)
def test_every_metric_of_ours_in_an_alarm_is_emitted_by_a_function_of_that_name(name):
    services = {service(function).replace("${AWS::StackName}", STACK) for function in functions().values()}
    for metric, _ in STREAM.single[name].metrics.values():
        if metric.namespace == NAMESPACE:
            assert metric.name in UNITS
            ((dimension, value),) = metric.dimensions
            assert (dimension, value in services) == ("service", True)
        else:
            assert metric.namespace.startswith("AWS/")


def test_every_metric_is_emitted_by_code():
    code = "".join(
        path.read_text()
        for folder in ("layers/causeway", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "metrics.py"
    )
    assert {name for name in UNITS if f'"{name}"' not in code} == set()


@pytest.mark.parametrize("name", ALL)
def test_an_alarm_is_described_and_says_where_its_runbook_is(name):
    described = (ALL[name].properties if name in STREAM.single else ALL[name])["AlarmDescription"]
    assert described.endswith(f". docs/runbooks/{name}.md")
    assert len(described) <= 1024


def test_thresholds_are_parameters_or_any_at_all():
    for name, resource in resources("AWS::CloudWatch::Alarm").items():
        threshold = resource["Threshold"]
        assert threshold in (0, 1) or threshold["Ref"].startswith("Alarm"), name


def test_the_stack_fits_into_what_cloudformation_takes():
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html, of a template in S3."""
    template = translated()
    assert len(template["Resources"]) < 500
    assert len(template["Parameters"]) < 200
    assert len(template["Outputs"]) < 200
    assert len(json.dumps(template, indent=2)) < 1_000_000

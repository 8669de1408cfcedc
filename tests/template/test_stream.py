"""The stream, and the bus: what brings events in beside the API and loses none of them."""

from __future__ import annotations

import pytest

from causeway.bus.announcements import RULE
from tests.support.template import (
    each,
    functions,
    resources,
    role_of,
    statements,
    target,
    translated,
    written,
)

HOUR = 3600


def records():
    """The event source of the stream function."""
    (event,) = functions()["StreamFunction"]["Events"].values()
    return event["Properties"]


def test_nobody_pays_for_a_stream_unless_he_asks_for_it():
    parameter = written()["Parameters"]["StreamMode"]
    assert (parameter["Default"], parameter["AllowedValues"]) == (
        "none",
        ["none", "on-demand", "provisioned"],
    )
    assert written()["Conditions"]["HasStream"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "StreamMode"}, "none"]}]
    }
    of_the_stream = [name for name in written()["Resources"] if name.startswith("Stream")]
    assert sorted(of_the_stream) == [
        "Stream",
        "StreamErrors",
        "StreamFunction",
        "StreamGaveUp",
        "StreamIsBehind",
        "StreamLog",
        "StreamRefuses",
        "StreamRole",
    ]
    for name in of_the_stream:
        assert written()["Resources"][name]["Condition"] == "HasStream", name
    for name, resource in translated()["Resources"].items():
        assert not name.startswith("Stream") or resource.get("Condition") == "HasStream", name


def test_one_failed_delivery_does_not_fail_its_batch_and_one_that_ends_the_process_is_found():
    source = records()
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert source["StartingPosition"] == "TRIM_HORIZON"


def test_what_could_not_be_handled_is_in_the_bucket_before_the_stream_forgets_it():
    """Without a destination Lambda drops it unseen; only a bucket gets the messages themselves."""
    source = records()
    kept = resources("AWS::Kinesis::Stream")["Stream"]["RetentionPeriodHours"] * HOUR
    assert source["MaximumRecordAgeInSeconds"] <= kept - 2 * HOUR
    assert source["DestinationConfig"]["OnFailure"]["Type"] == "S3"
    assert target(source["DestinationConfig"]["OnFailure"]["Destination"]) == "Payloads"
    (mapping,) = [
        one
        for one in resources("AWS::Lambda::EventSourceMapping", translated()).values()
        if "StartingPosition" in one
    ]
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["Payloads", "Arn"]}}}
    may = {
        (action, str(one["Resource"]))
        for one in statements(role_of(functions()["StreamFunction"]))
        for action in each(one["Action"])
    }
    assert ("s3:PutObject", str({"Fn::Sub": "${Payloads.Arn}/*"})) in may
    assert ("s3:ListBucket", str({"Fn::GetAtt": "Payloads.Arn"})) in may or (
        "s3:ListBucket",
        str({"Fn::GetAtt": ["Payloads", "Arn"]}),
    ) in may


def test_a_stream_that_is_behind_or_gave_up_is_told():
    alarms = resources("AWS::CloudWatch::Alarm")
    behind, gave_up = alarms["StreamIsBehind"], alarms["StreamGaveUp"]
    assert (behind["MetricName"], target(behind["Dimensions"][0]["Value"])) == (
        "IteratorAge",
        "StreamFunction",
    )
    assert gave_up["MetricName"] == "OnFailureDestinationDeliveredEventCount"
    mapping = gave_up["Dimensions"][0]["Value"]["Ref"]
    assert mapping in resources("AWS::Lambda::EventSourceMapping", translated())
    assert records()["MetricsConfig"] == {"Metrics": ["EventCount"]}


@pytest.mark.parametrize("name", ["WebhookFunction", "PollerFunction"])
def test_who_accepts_may_put_on_the_stream_if_there_is_one(name):
    statement = role_of(functions()[name])["Policies"][0]["PolicyDocument"]["Statement"]
    (found,) = [one["Fn::If"] for one in statement if "Fn::If" in one and one["Fn::If"][0] == "HasStream"]
    assert found[1]["Action"] == "kinesis:PutRecords"
    assert target(found[1]["Resource"]) == "Stream"


def test_the_rule_brings_what_the_library_says_and_to_the_webhook_function():
    (rule,) = resources("AWS::Events::Rule", translated()).values()
    assert rule["EventPattern"] == RULE
    assert target(rule["EventBusName"]) == "Bus"
    assert functions()["WebhookFunction"]["Events"]["Bus"]["Type"] == "EventBridgeRule"


def test_an_event_that_could_not_be_taken_is_kept_and_told():
    """EventBridge puts away what it could not hand to Lambda, and Lambda what the function could not take."""
    (rule,) = resources("AWS::Events::Rule", translated()).values()
    assert target(rule["Targets"][0]["DeadLetterConfig"]["Arn"]) == "NotTaken"
    failed = functions()["WebhookFunction"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert target(failed["Destination"]) == "NotTaken"
    may = [
        one
        for one in statements(role_of(functions()["WebhookFunction"]))
        if one["Action"] == "sqs:SendMessage"
    ]
    assert "NotTaken" in {target(arn) for one in may for arn in each(one["Resource"])}
    alarm = resources("AWS::CloudWatch::Alarm")["EventsNotTaken"]
    assert target(alarm["Dimensions"][0]["Value"]) == "NotTaken"


def test_only_the_rule_of_this_stack_may_fill_that_queue():
    policy = resources("AWS::SQS::QueuePolicy")["NotTakenPolicy"]
    (allowed,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    rule = target(allowed["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert rule in resources("AWS::Events::Rule", translated())

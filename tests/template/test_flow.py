"""How the parts are wired: queues, event sources, loops, the schedule and the API."""

from __future__ import annotations

import re

import pytest

from tests.support.template import (
    each,
    functions,
    references,
    resources,
    role_of,
    statements,
    target,
    translate,
    translated,
    variables,
    written,
)

QUEUES = resources("AWS::SQS::Queue")


def sources():
    """Every queue that invokes a function: (queue, function, the event source's properties)."""
    return [
        (target(event["Properties"]["Queue"]), name, event["Properties"])
        for name, function in functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]


def possible(value):
    """Every value that a part of the template can have, by its parameter's allowed values."""
    match value:
        case {"Fn::FindInMap": [str(mapping), {"Ref": str(parameter)}, str(key)]}:
            allowed = map(str, written()["Parameters"][parameter]["AllowedValues"])
            return {choice: written()["Mappings"][mapping][choice][key] for choice in allowed}
        case {"Ref": str(parameter)}:
            return {str(each): int(each) for each in written()["Parameters"][parameter]["AllowedValues"]}
    return {"": value}


def test_a_queue_that_invokes_a_function_has_a_dead_letter_queue():
    for queue, _, _ in sources():
        redrive = QUEUES[queue]["RedrivePolicy"]
        assert target(redrive["deadLetterTargetArn"]) in QUEUES
        assert redrive["maxReceiveCount"] == 1000


def test_messages_stay_as_long_as_sqs_can_keep_them():
    for name, queue in QUEUES.items():
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600, name


@pytest.mark.parametrize(("queue", "function", "_source"), sources())
def test_a_batch_stays_invisible_for_six_timeouts(queue, function, _source):
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    visibility, timeout = (
        possible(QUEUES[queue]["VisibilityTimeout"]),
        possible(functions()[function]["Timeout"]),
    )
    assert visibility.keys() == timeout.keys()
    for choice, seconds in timeout.items():
        assert visibility[choice] >= 6 * seconds


@pytest.mark.parametrize("function", sorted({function for _, function, _ in sources()}))
def test_queues_start_no_more_than_their_function_has_kept_for_them(function):
    """Otherwise Lambda throttles the pollers, and receives that were never worked on count as failures."""
    maxima = [
        possible(source["ScalingConfig"]["MaximumConcurrency"])
        for _, name, source in sources()
        if name == function
    ]
    condition, kept, otherwise = functions()[function]["ReservedConcurrentExecutions"]["Fn::If"]
    assert condition in written()["Conditions"]
    assert otherwise == {"Ref": "AWS::NoValue"}
    for choice, most in possible(kept).items():
        assert sum(maximum[choice] for maximum in maxima) <= most


def test_a_fifo_queue_keeps_order_and_limits_by_group_and_its_net_is_fifo_too():
    fifo = {name for name, queue in QUEUES.items() if queue.get("FifoQueue")}
    for queue, _, _ in sources():
        assert (target(QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"]) in fifo) == (queue in fifo)
    deliveries = QUEUES["DeliveriesFifo"]
    assert deliveries["FifoThroughputLimit"] == "perMessageGroupId"
    assert deliveries["DeduplicationScope"] == "messageGroup"
    assert "ContentBasedDeduplication" not in deliveries, "what is sent again on purpose would be dropped"


BATCHES = {"PollerFunction": 1}
"""How many messages one invocation gets, where it is another number than ten."""


@pytest.mark.parametrize(("_queue", "_function", "source"), sources())
def test_one_failed_delivery_does_not_fail_its_batch(_queue, _function, source):
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == BATCHES.get(_function, 10)
    assert "FilterCriteria" not in source, "SQS deletes what does not match: lost silently"


def invokes():
    """Who can cause whose invocation by a message on a queue: function -> functions."""
    invoked_by = {queue: function for queue, function, _ in sources()}
    return {
        name: {
            invoked_by[target(resource)]
            for statement in statements(role_of(function))
            if "sqs:SendMessage" in each(statement["Action"])
            for resource in each(statement["Resource"])
            if "Fn::Split" not in resource  # queues of others, which the user names
            and target(resource) in invoked_by
        }
        for name, function in functions().items()
    }


def reachable(name, edges):
    found, rest = set(), list(edges[name])
    while rest:
        one = rest.pop()
        if one not in found:
            found.add(one)
            rest.extend(edges[one])
    return found


def test_a_function_whose_messages_come_back_to_it_may_loop():
    """Lambda cuts a chain after 16 rounds and drops the message, unless told that the loop is meant."""
    edges = invokes()
    looping = {name for name in edges if name in reachable(name, edges)}
    allowed = {name for name, function in functions().items() if function.get("RecursiveLoop") == "Allow"}
    assert looping == allowed == {"ProcessorFunction", "PollerFunction"}


def test_the_scheduler_runs_each_minute_and_is_done_within_it():
    scheduler = functions()["SchedulerFunction"]
    (event,) = scheduler["Events"].values()
    assert event["Type"] == "ScheduleV2"
    assert event["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert scheduler["Timeout"] < 60
    assert scheduler["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert event["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] == 0


NAMED = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::Role": "RoleName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::CodeDeploy::Application": "ApplicationName",
}


def test_two_stacks_fit_into_one_account():
    """What has a fixed name exists once in an account and region: the stack's is in it, or CloudFormation chooses."""
    for type_, key in NAMED.items():
        for name, properties in resources(type_, translated()).items():
            assert key not in properties or "AWS::StackName" in str(properties[key]), f"{name}.{key}"


def test_the_api_has_the_routes_of_providers_and_clients_and_limits():
    api = resources("AWS::ApiGatewayV2::Api", translated())["Api"]
    routes = {(method.upper(), path) for path, methods in api["Body"]["paths"].items() for method in methods}
    of_others = {(method, path) for method, path in routes if not path.startswith("/api/")}
    assert of_others == {(method, "/webhooks/{system}") for method in ("GET", "HEAD", "POST")} | {
        ("POST", "/requests/{integration}"),
        ("GET", "/requests/{integration}/{id}"),
        ("GET", "/console"),
        ("GET", "/console/{version}/{file}"),
    }
    for methods in api["Body"]["paths"].values():
        for operation in methods.values():
            assert operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"
    (stage,) = resources("AWS::ApiGatewayV2::Stage", translated()).values()
    assert set(stage["DefaultRouteSettings"]) == {"ThrottlingBurstLimit", "ThrottlingRateLimit"}


def test_access_logs_hold_neither_query_nor_headers():
    """Providers put tokens there."""
    settings = resources("AWS::Serverless::HttpApi")["Api"]["AccessLogSettings"]["Fn::If"][1]
    assert "query" not in settings["Format"].lower()
    assert "header" not in settings["Format"].lower()


def test_the_hot_path_is_deployed_gradually_and_rolled_back_by_its_own_alarm():
    alarms = resources("AWS::CloudWatch::Alarm")
    for name in ("WebhookFunction", "ProcessorFunction"):
        function = functions()[name]
        assert function["AutoPublishAlias"] == "live"
        assert function["AutoPublishAliasAllProperties"] is True
        gradual, then, otherwise = function["DeploymentPreference"]["Alarms"]["Fn::If"]
        assert (gradual, otherwise) == ("HasGradualDeployment", [{"Ref": "AWS::NoValue"}])
        assert [alarms[target(alarm)]["Dimensions"][0]["Value"] for alarm in then] == [{"Ref": name}]


def test_an_alarm_that_rings_does_not_keep_a_repair_out_that_is_deployed_at_once():
    """CodeDeploy begins no deployment while one of its alarms rings, and nothing can be turned back at once."""
    groups = resources("AWS::CodeDeploy::DeploymentGroup", translated())
    for group in groups.values():
        condition, _, otherwise = group["AlarmConfiguration"]["Fn::If"]
        assert (condition, otherwise) == ("HasGradualDeployment", {})


HOT_PATH = ("WebhookFunction", "ProcessorFunction", "RequestFunction")

LONGEST = {"EndpointUrl": 0, "KmsKey": len("arn:aws-us-gov:kms:us-gov-east-1:123456789012:key/") + 36}
"""How long the values of parameters without a limit of their own can be: an endpoint is never set on AWS."""


@pytest.mark.parametrize("name", HOT_PATH)
def test_a_changed_parameter_makes_a_new_version(name):
    """The alias would keep the version with the old value: what was changed would silently not be so."""
    function = functions()[name]
    outside_the_version = (
        "ReservedConcurrentExecutions",
        "DeploymentPreference",
        "Events",
        "VersionDescription",
    )
    of_the_version = [value for key, value in function.items() if key not in outside_the_version]
    used = set(deciding([of_the_version, variables(function)])) & set(written()["Parameters"])
    assert set(references(function["VersionDescription"])) == used - {"Architecture"}


def deciding(value):
    """Every name that a part of the template refers to, also by the conditions of its choices."""
    yield from references(value)
    for condition in re.findall(r"'Fn::If': \['(\w+)'", str(value)):
        yield from references(written()["Conditions"][condition])


@pytest.mark.parametrize("name", HOT_PATH)
def test_a_versions_description_has_room_for_the_longest_values(name):
    """https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html: 256 characters."""

    def longest(parameter):
        known = written()["Parameters"][parameter]
        if "AllowedValues" in known:
            return max(len(str(value)) for value in known["AllowedValues"])
        if "MaxValue" in known:
            return len(str(known["MaxValue"]))
        return known.get("MaxLength", LONGEST.get(parameter))

    used = list(references(functions()[name]["VersionDescription"]))
    assert sum(map(longest, used)) + len(used) <= 256


@pytest.mark.parametrize("layer", sorted(resources("AWS::Serverless::LayerVersion")))
@pytest.mark.parametrize("name", HOT_PATH)
def test_a_changed_layer_makes_a_new_version(name, layer):
    """The library and the plan come in layers, and the alias would keep the version with the old ones."""
    before, after = (
        {one for one in versions if one.startswith(name)}
        for versions in (
            resources("AWS::Lambda::Version", translate(written())),
            resources("AWS::Lambda::Version", translate(written(), {layer: "s3://bucket/changed"})),
        )
    )
    assert len(before) == len(after) == 1
    assert before != after

"""Each function may do what it does, on what it does it to, and nothing else."""

from __future__ import annotations

import re

import pytest

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

OWN_ROLES = sorted(resources("AWS::IAM::Role"))

SEALING_KEY = {"Fn::GetAtt": ["SealingKey", "Id"]}
"""Its ARN."""

KNOW_NO_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:DescribeAlarms"}
"""The only actions that may be allowed on everything: IAM cannot limit them, the last one for composite alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""


def test_each_function_has_a_role_of_its_own():
    roles = [target(function["Role"]) for function in functions().values()]
    assert sorted(roles) == sorted(set(roles)) == OWN_ROLES


def test_no_role_takes_a_managed_policy():
    """A managed policy allows what its author thought of, and may be changed by him."""
    for name, role in resources("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
    for name, function in functions().items():
        assert "Policies" not in function, name


@pytest.mark.parametrize("name", OWN_ROLES)
def test_every_action_is_spelled_out(name):
    for statement in statements(resources("AWS::IAM::Role")[name]):
        assert statement["Effect"] == "Allow"
        for action in each(statement["Action"]):
            assert "*" not in action, statement["Sid"]


@pytest.mark.parametrize("name", OWN_ROLES)
def test_every_resource_is_named(name):
    """Only what is inside a resource of this stack may be left open: objects of the bucket, secrets below the prefix.

    What is not of this stack is what its user names in a parameter.
    """
    for statement in statements(resources("AWS::IAM::Role")[name]):
        if set(each(statement["Action"])) <= KNOW_NO_RESOURCES:
            continue
        for resource in each(statement["Resource"]):
            if "Fn::Sub" in resource:
                whole, _, inside = resource["Fn::Sub"].partition("/")
                assert "*" not in whole, statement["Sid"]
                assert "${" in whole, statement["Sid"]
                assert inside, statement["Sid"]
            elif "Fn::Split" in resource:
                assert resource["Fn::Split"][1]["Ref"].startswith(("Target", "Canary")), statement["Sid"]
            else:
                assert target(resource), statement["Sid"]


@pytest.mark.parametrize(
    ("function", "direction"),
    [
        ("WebhookFunction", "in"),
        ("ProcessorFunction", "out"),
        ("PollerFunction", "out"),
        ("RequestFunction", "out"),
        ("StreamFunction", "out"),
        ("SchedulerFunction", "out"),
    ],
)
def test_a_function_reads_secrets_of_its_direction_only(function, direction):
    """Who takes over the receiving function cannot call anyone; who takes over the processor cannot forge a webhook."""
    readable = {
        resource["Fn::Sub"].partition("${AWS::StackName}")[2]
        for statement in statements(role_of(functions()[function]))
        for resource in each(statement["Resource"])
        if set(each(statement["Action"])) & {"ssm:GetParameters", "secretsmanager:GetSecretValue"}
        and resource != SEALING_KEY
    }
    assert readable == ({f"/causeway/{direction}/*"} if direction else set())


def test_the_receiving_function_writes_no_parameter_but_mailboxes_of_secrets_that_are_accepted():
    """It can open no window for itself, and change no secret that verifies."""
    written = {
        resource["Fn::Sub"].partition("${AWS::StackName}")[2]
        for name in functions()
        for statement in statements(role_of(functions()[name]))
        for resource in each(statement["Resource"])
        if "ssm:PutParameter" in each(statement["Action"])
    }
    assert written == {"/causeway/in/accepting/*/secret"}


def test_refused_requests_are_gone_soon_after_a_week():
    """`keep_rejected` is a week at most."""
    rules = resources("AWS::S3::Bucket")["Payloads"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "rejected/"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 8)


def test_only_who_calls_or_keeps_tokens_alive_may_open_them():
    may = {
        name
        for name, function in functions().items()
        for statement in statements(role_of(function))
        if statement["Resource"] == SEALING_KEY
    }
    assert may == {
        "ProcessorFunction",
        "StreamFunction",
        "PollerFunction",
        "RequestFunction",
        "SchedulerFunction",
    }


def test_tokens_are_the_only_items_that_they_may_change_for_that():
    for function in (
        "ProcessorFunction",
        "StreamFunction",
        "PollerFunction",
        "RequestFunction",
        "SchedulerFunction",
    ):
        (statement,) = [
            one for one in statements(role_of(functions()[function])) if one["Sid"] == "ShareTokens"
        ]
        assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["token#*"]}}


@pytest.mark.parametrize("name", OWN_ROLES)
def test_a_role_reaches_the_state_by_kinds_of_items_only(name):
    """Tokens, pauses, limits, replays: an id begins with its kind."""
    for statement in statements(resources("AWS::IAM::Role")[name]):
        if {"Fn::GetAtt": ["State", "Arn"]} in each(statement["Resource"]):
            kinds = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            assert all(re.fullmatch("[a-z]+#[*]", kind) for kind in kinds), statement["Sid"]


def test_replays_are_started_by_the_console_and_worked_off_by_the_scheduler():
    may = {
        name
        for name, function in functions().items()
        for statement in statements(role_of(function))
        if "replay#*" in str(statement.get("Condition"))
    }
    assert may == {"ConsoleFunction", "SchedulerFunction"}


def test_the_watchdog_sees_when_tokens_end_and_never_a_token():
    (statement,) = [
        one
        for one in statements(role_of(functions()["WatchdogFunction"]))
        if "token#*" in str(one.get("Condition"))
    ]
    condition = statement["Condition"]
    assert statement["Action"] == "dynamodb:BatchGetItem"
    assert "sealed" not in condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert condition["StringEqualsIfExists"] == {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}


def test_the_watchdog_changes_nothing_but_what_it_remembers_itself():
    changing = ("Put", "Update", "Delete", "Send")
    for statement in statements(role_of(functions()["WatchdogFunction"])):
        if any(action.split(":")[1].startswith(changing) for action in each(statement["Action"])):
            assert statement["Sid"] in {"Announce", "JudgeStrays", "Log", "Trace"} or set(
                statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            ) <= {"watch#*", "books#*", "canary#*"}, statement["Sid"]


def test_the_watchdog_reads_secrets_that_verify_and_only_those_that_a_parameter_names():
    reading = [
        one
        for one in statements(role_of(functions()["WatchdogFunction"]))
        if {"ssm:GetParameters", "secretsmanager:GetSecretValue"} & set(each(one["Action"]))
    ]
    assert [one["Resource"] for one in reading] == [{"Fn::Split": [",", {"Ref": "CanarySecrets"}]}]
    allowed = re.compile(written()["Parameters"]["CanarySecrets"]["AllowedPattern"])
    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/causeway/{}/shop/webhook"
    assert allowed.fullmatch(parameter.format("in"))
    assert not allowed.fullmatch(parameter.format("out"))
    assert not allowed.fullmatch("arn:aws:ssm:eu-west-1:123456789012:parameter/*")


def test_the_key_that_seals_is_made_by_the_stack_and_stays_with_what_it_sealed():
    key = written()["Resources"]["SealingKey"]
    assert key["Properties"]["GenerateSecretString"]["PasswordLength"] >= 64
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_a_role_logs_to_its_functions_own_group():
    for name, function in functions().items():
        group = target(function["LoggingConfig"]["LogGroup"])
        allowed = [
            one
            for one in statements(role_of(function))
            if any("logs:" in action for action in each(one["Action"]) if action != "logs:FilterLogEvents")
        ]
        assert [(each(one["Action"]), target(one["Resource"])) for one in allowed] == [
            (["logs:CreateLogStream", "logs:PutLogEvents"], group)
        ], name


def test_a_role_that_lambda_assumes_is_assumed_by_nobody_else():
    for name, role in resources("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}, name


@pytest.mark.parametrize("function", ["SchedulerFunction", "WatchdogFunction"])
def test_a_schedule_may_invoke_its_function_and_fill_its_dead_letter_queue(function):
    """SAM makes this role; nothing else may get into it."""
    role = resources("AWS::IAM::Role", translated())[f"{function}MinuteRole"]
    allowed = {(one["Action"], target(one["Resource"])) for one in statements(role)}
    assert allowed == {("lambda:InvokeFunction", function), ("sqs:SendMessage", "MissedMinutes")}


def test_sam_makes_no_other_role_than_those_of_the_schedule_and_of_codedeploy():
    made = set(resources("AWS::IAM::Role", translated())) - set(OWN_ROLES)
    assert made == {"SchedulerFunctionMinuteRole", "WatchdogFunctionMinuteRole", "CodeDeployServiceRole"}

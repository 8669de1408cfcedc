"""`causeway check --stack`: what a deployed stack lacks for the map, by moto's SNS, SSM and Secrets Manager."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws
from typer import Typer
from typer.testing import CliRunner

from causeway.aws.table import Table
from causeway.plan.plan import Plan
from causeway_cli import check, stacks
from causeway_cli.stack_parameters import Finding, Where, compare
from tests.support.deliveries import Stage, call_of, plan_of
from tests.support.maps import SIMPLE, write_map

WHERE = Where.of("arn:aws:cloudformation:eu-central-1:123456789012:stack/shop-dev/1a2b-3c")
PARAMETERS = {
    "StreamMode": "none",
    "ProcessorTimeout": "60",
    "AlarmPollLag": "3600",
    "MetricsByIntegration": "true",
}


def said(plan, **parameters):
    return [(one.severity, one.about, one.remedy) for one in compare(plan, PARAMETERS | parameters, WHERE)]


TARGETS = {
    "TargetQueues": (
        {"queue": {"name": "jobs", "body": "${data}"}},
        "arn:aws:sqs:eu-central-1:123456789012:jobs",
    ),
    "TargetBuses": (
        {"bus": {"name": "main", "detail_type": "x", "body": {}}},
        "arn:aws:events:eu-central-1:123456789012:event-bus/main",
    ),
    "TargetBuckets": (
        {"bucket": {"name": "lake", "key": "k", "content": "json", "body": {}}},
        "arn:aws:s3:::lake/*",
    ),
}


@pytest.mark.parametrize(("parameter", "target", "arn"), [(name, *row) for name, row in TARGETS.items()])
class TestTargets:
    def test_one_that_no_parameter_names_is_an_error_with_its_remedy(self, parameter, target, arn):
        assert said(plan_of(target=target)) == [("error", parameter, f"deploy with {parameter}={arn}")]

    def test_one_that_is_named_is_right_beside_others_that_are_kept(self, parameter, target, arn):
        assert said(plan_of(target=target), **{parameter: arn}) == []
        (other,) = [one for name, (_, one) in TARGETS.items() if name == parameter]
        lacking = said(plan_of(target=target), **{parameter: other.replace(target_name(target), "other")})
        assert lacking[0][2].endswith(f"other{'/*' if 's3' in arn else ''},{arn}")

    def test_a_right_that_nobody_needs_is_told(self, parameter, target, arn):
        other = arn.replace(target_name(target), "other")
        told = said(plan_of(target=target), **{parameter: f"{arn},{other}"})
        assert told == [("warning", parameter, "take it out")]


def target_name(target):
    (words,) = target.values()
    return words["name"]


def test_a_bus_that_the_map_names_by_its_arn_is_meant_as_it_stands():
    arn = "arn:aws:events:us-east-1:999999999999:event-bus/central"
    target = {"bus": {"name": arn, "detail_type": "x", "body": {}}}
    assert said(plan_of(target=target), TargetBuses=arn) == []
    assert said(plan_of(target=target))[0][2] == f"deploy with TargetBuses={arn}"


def test_a_part_of_a_bucket_may_be_all_that_is_written():
    target = TARGETS["TargetBuckets"][0]
    assert said(plan_of(target=target), TargetBuckets="arn:aws:s3:::lake/orders/*") == []


def with_canary(*secrets):
    hooks = plan_of().systems["shop"]["webhooks"] | {"secrets": list(secrets), "canary": True}
    return plan_of(shop={"webhooks": hooks})


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("shop/webhook", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop-dev/causeway/in/shop/webhook"),
        ("shop#webhook", "arn:aws:ssm:eu-central-1:123456789012:parameter/shop-dev/causeway/in/shop"),
        (
            "sm:shop/webhook",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-dev/causeway/in/shop/webhook-*",
        ),
    ],
)
def test_a_canary_needs_that_the_watchdog_may_read_the_secret_that_signs_it(name, arn):
    """The first one signs; the watchdog would say so only when it runs."""
    plan = with_canary(name, "shop/before")
    assert said(plan) == [("error", "CanarySecrets", f"deploy with CanarySecrets={arn}")]
    assert said(plan, CanarySecrets=arn) == []


def test_a_secret_of_secrets_manager_may_be_named_with_the_characters_that_aws_added():
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-dev/causeway/in/shop/webhook-A1b2C3"
    assert said(with_canary("sm:shop/webhook"), CanarySecrets=arn) == []


@pytest.mark.parametrize("stack", ["shop-prod", "shop"])
def test_a_canarys_secret_of_another_stack_is_not_this_ones(stack):
    arn = f"arn:aws:ssm:eu-central-1:123456789012:parameter/{stack}/causeway/in/shop/webhook"
    assert [row[:2] for row in said(with_canary("shop/webhook"), CanarySecrets=arn)] == [
        ("error", "CanarySecrets"),
        ("warning", "CanarySecrets"),
    ]


def test_a_stream_that_lacks_and_one_that_nobody_uses_are_told():
    buffered = plan_of()
    buffered.integrations["orders-to-ledger"]["buffer"] = "stream"
    assert [row[:2] for row in said(buffered)] == [("warning", "StreamMode")]
    assert said(buffered, StreamMode="on-demand") == []
    assert said(plan_of(), StreamMode="on-demand") == [
        ("warning", "StreamMode", "deploy with StreamMode=none")
    ]


def test_a_call_that_the_processor_cannot_wait_for_is_told():
    plan = plan_of(target=call_of(timeout=40.0))
    assert said(plan, ProcessorTimeout="60") == []
    assert [row[:2] for row in said(plan, ProcessorTimeout="30")] == [("warning", "ProcessorTimeout")]


@pytest.mark.parametrize(
    ("times", "remedy"), [({"every": 21600.0}, "43200"), ({"cron": "0 6 * * mon-fri"}, str(2 * 3 * 86400))]
)
def test_a_poll_that_runs_seldom_needs_an_alarm_with_as_much_patience(times, remedy):
    """Over a weekend three days lie between two turns of the second."""
    plan = plan_of(shop={"polls": {"orders": {"name": "orders", "system": "shop", **times}}})
    assert said(plan) == [("warning", "AlarmPollLag", f"deploy with AlarmPollLag={remedy}")]
    assert said(plan, AlarmPollLag=remedy) == []


def test_metrics_of_very_many_integrations_are_told():
    plan = plan_of()
    (one,) = plan.integrations.values()
    many = Plan({**plan.record, "integrations": {f"i{n}": one | {"name": f"i{n}"} for n in range(51)}})
    assert [row[:2] for row in said(many)] == [("warning", "MetricsByIntegration")]
    assert said(many, MetricsByIntegration="false") == []


class Deployed:
    """A stack on AWS as moto has it, with a journal in memory."""

    def __init__(self):
        self.stage = Stage()
        self.clients = {name: boto3.client(name, "eu-central-1") for name in ("sns", "ssm", "secretsmanager")}
        self.outputs = {
            name: self.clients["sns"].create_topic(Name=name)["TopicArn"]
            for name in ("OwnersTopic", "AlarmsTopic")
        }
        self.parameters = dict(PARAMETERS)

    def place(self, plan=None):
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        stack_id = "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop-dev/1a2b-3c"
        described = {"StackId": stack_id, "Parameters": given}
        return SimpleNamespace(
            plan=plan or plan_of(),
            journal=Table(self.stage.memory, "journal"),
            clients=self.clients.__getitem__,
            outputs=self.outputs,
            stack=SimpleNamespace(name="shop-dev", describe=lambda: described),
        )

    def subscribe(self, topic, address):
        self.clients["sns"].subscribe(TopicArn=self.outputs[topic], Protocol="email", Endpoint=address)

    def make_right(self):
        self.clients["ssm"].put_parameter(
            Name="/shop-dev/causeway/in/shop/webhook", Value="x", Type="SecureString"
        )
        self.subscribe("OwnersTopic", "finance@example.com")
        self.subscribe("AlarmsTopic", "ops@example.com")


@pytest.fixture
def deployed(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Deployed()


@pytest.fixture
def causeway_check(deployed, tmp_path, monkeypatch):
    directory = write_map(tmp_path / "map", SIMPLE)
    app = Typer()
    app.command()(check.check)

    def run(*arguments, plan=None):
        @contextmanager
        def operating(stack, region, profile, asked):
            assert (stack, region, profile, asked) == ("shop-dev", None, None, directory)
            yield deployed.place(plan)

        monkeypatch.setattr(stacks, "operating", operating)
        return CliRunner().invoke(app, [str(directory), "--stack", "shop-dev", *arguments])

    return run


def about(result):
    return {(each["severity"], each["about"]) for each in json.loads(result.stdout)["stack"]}


def test_a_stack_that_has_all_is_said_to_have_it(deployed, causeway_check):
    deployed.make_right()
    result = causeway_check()
    assert result.exit_code == 0, result.output
    assert result.output.endswith("The stack shop-dev has what the map needs.\n")


def test_what_is_missing_is_told_with_what_to_do_and_the_exit_code(deployed, causeway_check):
    result = causeway_check()
    assert result.exit_code == 1
    assert "error: shop/webhook: the secret is missing; it verifies for shop" in result.output
    assert "causeway secrets put shop/webhook --stack shop-dev" in result.output
    assert about(causeway_check("--json")) == {
        ("error", "shop/webhook"),
        ("warning", "finance@example.com"),
        ("warning", "OperatorEmail"),
    }


def test_what_is_only_worth_knowing_is_no_failure(deployed, causeway_check):
    deployed.make_right()
    deployed.parameters["StreamMode"] = "on-demand"
    result = causeway_check("--json")
    assert (result.exit_code, about(result)) == (0, {("warning", "StreamMode")})
    assert json.loads(result.stdout)["ok"] is True


def test_a_topic_of_the_users_own_hears_the_alarms_too(deployed, causeway_check):
    deployed.make_right()
    deployed.outputs["AlarmsTopic"] = deployed.clients["sns"].create_topic(Name="silent")["TopicArn"]
    assert about(causeway_check("--json")) == {("warning", "OperatorEmail")}
    deployed.parameters["AlarmTopic"] = "arn:aws:sns:eu-central-1:123456789012:ops"
    assert about(causeway_check("--json")) == set()


def test_an_integration_that_would_vanish_with_deliveries_that_wait_is_told(deployed, causeway_check):
    """They would die within the hour; of dead ones nothing could be replayed."""
    deployed.make_right()
    stage = deployed.stage
    stage.target.answers = [503]
    stage.accept()
    stage.invoke()
    plan = plan_of()
    renamed = plan.integrations.pop("orders-to-ledger") | {"name": "orders"}
    plan.integrations["orders"] = renamed
    result = causeway_check("--json", plan=plan)
    assert (result.exit_code, about(result)) == (1, {("error", "orders-to-ledger")})
    assert about(causeway_check("--json")) == set()


def test_a_map_that_is_wrong_is_told_before_any_stack_is_asked(tmp_path):
    directory = write_map(tmp_path / "map", {"copy.yaml": "integration: copy\n"})
    app = Typer()
    app.command()(check.check)
    result = CliRunner().invoke(app, [str(directory), "--stack", "shop-dev", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["stack"] == []


def test_a_finding_is_plain_data():
    (one,) = compare(with_canary("shop/webhook"), PARAMETERS, WHERE)
    assert isinstance(one, Finding)
    assert "by which the canary of shop is signed" in one.says

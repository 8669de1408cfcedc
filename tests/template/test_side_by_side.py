"""Two stacks in one account and region: what has a name there has the stack's in it, or CloudFormation chooses one."""

from __future__ import annotations

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from causeway.telemetry.metrics import NAMESPACE
from tests.support.alarms import Alarms
from tests.support.resolving import Resolver
from tests.support.template import functions, references, translated, variables, written

WITHIN_ANOTHER = {
    ("AWS::ApiGatewayV2::Stage", "StageName"),
    ("AWS::CodeDeploy::DeploymentGroup", "DeploymentConfigName"),  # AWS's own
    ("AWS::Lambda::Alias", "Name"),
    ("AWS::Lambda::EventInvokeConfig", "Qualifier"),
}
"""Names that are none in the account: they belong to a resource of the stack's own, or name what AWS has."""

SAYS_WHAT_IT_IS = {"DisplayName", "MetricName"}
"""Properties that name no resource."""


def identifying(type_):
    """The properties by which an account knows a resource of a type, and those that AWS calls names."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    known = {path.split("/")[2] for path in schema["primaryIdentifier"]}
    return known | {name for name in schema["properties"] if name.endswith("Name")} - SAYS_WHAT_IT_IS


def test_every_name_that_the_template_gives_has_the_stacks_in_it():
    """Or is a reference to a resource of the stack, as in a policy of its bucket."""
    own = {"AWS::StackName", *translated()["Resources"]}
    named = [
        (resource["Type"], name, value)
        for resource in translated()["Resources"].values()
        for name, value in resource.get("Properties", {}).items()
        if name in identifying(resource["Type"]) and (resource["Type"], name) not in WITHIN_ANOTHER
    ]
    assert {"AWS::Events::EventBus", "AWS::Lambda::LayerVersion"} <= {type_ for type_, _, _ in named}
    assert [each for each in named if not own & set(references(each[2]))] == []


def test_nothing_is_exported_for_exports_are_the_accounts():
    assert not any("Export" in output for output in written()["Outputs"].values())


def test_secrets_lie_below_the_stacks_name():
    for function in functions().values():
        assert "AWS::StackName" in references(variables(function)["CAUSEWAY_SECRETS_PREFIX"])


def test_no_metric_of_one_stack_is_anothers():
    """Neither in an alarm, nor in a picture of the dashboard; for what is AWS's own, resources are named apart."""
    one, other = (
        {
            metric
            for alarm in Alarms(stack, StreamMode="on-demand").single.values()
            for metric, _ in alarm.metrics.values()
            if metric.namespace == NAMESPACE
        }
        for stack in ("causeway", "causeway-2")
    )
    assert len(one) == len(other) > 0
    assert not one & other


def test_a_dashboard_shows_its_own_stack():
    shown = [
        Resolver(written(), {"StreamMode": "on-demand"}, stack=stack).resources("AWS::CloudWatch::Dashboard")
        for stack in ("causeway", "shop")
    ]
    (one,), (other,) = (list(each.values()) for each in shown)
    assert '"causeway-watchdog"' in one["DashboardBody"]
    assert "causeway-" not in other["DashboardBody"]
    assert one["DashboardBody"].replace('"causeway-', '"shop-') == other["DashboardBody"]

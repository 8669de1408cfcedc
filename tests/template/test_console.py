"""The console: each of its routes is there, is slow enough for the journal's sake, and may do what it says."""

from __future__ import annotations

import pytest

from causeway.api.routes import OPERATIONS
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

BODY = translated()["Resources"]["Api"]["Properties"]["Body"]


def gateway_path(operation):
    """As the gateway has it: the last part of an event's path may hold slashes."""
    return operation.path.replace("{system}/{id}", "{system}/{id+}")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_route_leads_to_the_console_and_asks_who_somebody_is_unless_anyone_may(operation):
    route = BODY["paths"][gateway_path(operation)][operation.method.lower()]
    assert "ConsoleFunction" in str(route["x-amazon-apigateway-integration"]["uri"])
    assert route.get("security", []) == ([{"Clients": []}] if operation.scope else [])


def test_no_route_below_api_is_there_that_nobody_describes():
    there = {(m.upper(), path) for path, of in BODY["paths"].items() if path.startswith("/api") for m in of}
    assert there == {(operation.method, gateway_path(operation)) for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_what_a_route_lets_in_is_bounded_for_itself(operation):
    """A route whose key is misspelt is not limited by it: CloudFormation refuses it, but late."""
    (stage,) = resources("AWS::ApiGatewayV2::Stage", translated()).values()
    assert stage["RouteSettings"][f"{operation.method} {gateway_path(operation)}"] == {
        "ThrottlingRateLimit": {"Ref": "ConsoleRate"},
        "ThrottlingBurstLimit": {"Ref": "ConsoleBurst"},
    }
    assert written()["Parameters"]["ConsoleRate"]["Default"] <= 10


def test_no_route_is_limited_that_is_not_there():
    (stage,) = resources("AWS::ApiGatewayV2::Stage", translated()).values()
    there = {f"{method.upper()} {path}" for path, of in BODY["paths"].items() for method in of}
    assert set(stage["RouteSettings"]) <= there


def test_it_answers_before_the_gateway_gives_up():
    assert functions()["ConsoleFunction"]["Timeout"] < 30


def allowed(resource):
    """Actions on a resource of its own, with the keys that they are limited to."""
    found = {}
    for statement in statements(role_of(functions()["ConsoleFunction"])):
        on = statement["Resource"]
        if isinstance(on, dict) and "Fn::GetAtt" in on and target(on) == resource:
            keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
            for action in each(statement["Action"]):
                found.setdefault(action, []).extend(keys.get("dynamodb:LeadingKeys", ["*"]))
    return found


def test_it_changes_nothing_in_the_journal():
    assert allowed("Journal") == {"dynamodb:GetItem": ["*"], "dynamodb:Query": ["page#*"]}


def test_in_the_state_it_touches_pauses_and_replays_and_sees_how_things_are():
    """Neither tokens nor keys: whoever operates must not become whoever is operated."""
    touched = allowed("State")
    assert {key for keys in touched.values() for key in keys} == {
        "pause#*",
        "release#*",
        "health#*",
        "books#*",
        "watch#*",
        "replay#*",
    }
    assert touched["dynamodb:UpdateItem"] == ["pause#*", "replay#*"]
    assert {name for name, keys in touched.items() if "watch#*" in keys} == {
        "dynamodb:GetItem",
        "dynamodb:Query",
    }
    assert "dynamodb:Scan" not in touched


def test_it_reads_no_secret():
    own = statements(role_of(functions()["ConsoleFunction"]))
    actions = {action for statement in own for action in each(statement["Action"])}
    assert not [action for action in actions if action.startswith(("ssm:", "secretsmanager:", "sts:"))]

"""Whoever is no provider is asked who they are, by one function, and it answers for a minute."""

from __future__ import annotations

from tests.support.template import functions, resources, role_of, statements, target, translated, written

OPEN = ("/webhooks/", "/api/health", "/api/openapi.json", "/console")
"""Routes whose callers prove themselves otherwise (providers sign what they send), and what anyone may know."""


def operations():
    """Every route of the API, with what is said of it."""
    body = translated()["Resources"]["Api"]["Properties"]["Body"]
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_asks_who_somebody_is_but_those_of_providers_and_of_anyone():
    for route, operation in operations():
        path = route.partition(" ")[2]
        assert operation.get("security", []) == ([] if path.startswith(OPEN) else [{"Clients": []}]), route


def test_one_function_answers_and_its_answer_is_kept_for_a_minute():
    """So long a revoked key may still let its client in: docs/requests.md says so, and `causeway keys revoke`."""
    schemes = translated()["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    said = schemes["Clients"]["x-amazon-apigateway-authorizer"]
    assert list(schemes) == ["Clients"]
    assert said["authorizerResultTtlInSeconds"] == 60
    assert said["identitySource"] == ["$request.header.Authorization"]
    assert (said["authorizerPayloadFormatVersion"], said["enableSimpleResponses"]) == ("2.0", True)
    answers = said["authorizerUri"]["Fn::Sub"][1]["__FunctionArn__"]
    assert target(answers) == "AuthorizerFunction"


def test_only_this_api_may_ask_it():
    asking = [
        permission
        for permission in resources("AWS::Lambda::Permission", translated()).values()
        if target(permission["FunctionName"]) == "AuthorizerFunction"
    ]
    assert [permission["Principal"] for permission in asking] == ["apigateway.amazonaws.com"]
    assert "authorizers/*" in asking[0]["SourceArn"]["Fn::Sub"][0]


def test_it_reads_keys_and_nothing_else_and_makes_none():
    own = [one for one in statements(role_of(functions()["AuthorizerFunction"])) if one["Sid"] == "FindKeys"]
    assert [one["Action"] for one in own] == ["dynamodb:GetItem"]
    assert own[0]["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["key#*"]}}
    others = statements(role_of(functions()["AuthorizerFunction"]))
    assert {one["Sid"] for one in others} == {"FindKeys", "Log", "Trace", "UseKey"}


def test_nobody_else_reads_keys():
    for name, function in functions().items():
        for statement in statements(role_of(function)):
            keys = (
                statement.get("Condition", {})
                .get("ForAllValues:StringLike", {})
                .get("dynamodb:LeadingKeys", [])
            )
            assert name == "AuthorizerFunction" or not any(key.startswith("key") for key in keys), name


def test_a_stack_takes_nobodys_tokens_until_it_is_told_whose():
    for name in ("OidcIssuer", "OidcAudience", "OidcJwksUrl"):
        assert written()["Parameters"][name]["Default"] == ""

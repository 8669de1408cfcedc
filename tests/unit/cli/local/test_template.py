"""The template as the emulator takes it."""

from __future__ import annotations

from typing import Any

import pytest

from causeway_cli.local import template as templates
from causeway_cli.local.differences import AT_ONCE, LAYERS_LEFT_OUT, LEFT_OUT, PROPERTIES_LEFT_OUT
from causeway_cli.local.paths import TEMPLATE

PARAMETERS = {"Environment": "dev"}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """What SAM makes of the template, nothing left out."""
    template = templates.read(TEMPLATE)
    for _, function in templates.of_type(template, "AWS::Serverless::Function"):
        function["CodeUri"] = "s3://bucket/code"
    for _, layer in templates.of_type(template, "AWS::Serverless::LayerVersion"):
        layer["ContentUri"] = "s3://bucket/layer"
    return templates.translate(template, PARAMETERS)


@pytest.fixture(scope="module")
def local() -> dict[str, Any]:
    """What is deployed here."""
    template = templates.read(TEMPLATE)
    templates.place_code(
        template, upload=lambda folder: f"s3://bucket/{folder}", plan_layer="s3://bucket/the-plan"
    )
    translated = templates.translate(template, PARAMETERS)
    return templates.fit(translated, {"CAUSEWAY_PLAN": templates.PLAN_DIRECTORY})


def test_nothing_is_left_out_that_the_template_does_not_have(whole: dict[str, Any]) -> None:
    """So the list of differences stays as short as it can be."""
    source = templates.read(TEMPLATE)
    functions = [function for _, function in templates.of_type(source, "AWS::Serverless::Function")]

    assert set(LEFT_OUT) <= {resource["Type"] for resource in whole["Resources"].values()}
    assert set(LAYERS_LEFT_OUT) <= set(source["Resources"])
    assert all(any(name in function for function in functions) for name in PROPERTIES_LEFT_OUT)


def test_only_what_the_list_names_is_left_out(whole: dict[str, Any], local: dict[str, Any]) -> None:
    gone = {
        resource["Type"]
        for name, resource in whole["Resources"].items()
        if name not in local["Resources"] and not resource["Type"].startswith("AWS::Lambda::")
    }

    assert {type_ for type_ in gone if not type_.startswith("AWS::CodeDeploy::")} - {"AWS::IAM::Role"} == set(
        LEFT_OUT
    )


def test_every_role_keeps_every_statement(whole: dict[str, Any], local: dict[str, Any]) -> None:
    """What a function may do here is what it may do on AWS."""
    for name, role in templates.of_type(local, "AWS::IAM::Role"):
        assert role == whole["Resources"][name]["Properties"]


def test_every_route_of_the_api_becomes_resources(whole: dict[str, Any], local: dict[str, Any]) -> None:
    wanted = {
        f"{method.upper()} {path}"
        for _, api in templates.of_type(whole, "AWS::ApiGatewayV2::Api")
        for path, operations in api["Body"]["paths"].items()
        for method in operations
    }

    assert "POST /webhooks/{system}" in wanted
    routes = templates.of_type(local, "AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for _, route in routes} == wanted


def test_a_route_of_clients_asks_the_authorizer_here_too(local: dict[str, Any]) -> None:
    """The emulator asks it as API Gateway does, and keeps its verdict as long."""
    ((name, authorizer),) = templates.of_type(local, "AWS::ApiGatewayV2::Authorizer")
    guarded = {
        route["RouteKey"]: (route.get("AuthorizationType"), route.get("AuthorizerId"))
        for _, route in templates.of_type(local, "AWS::ApiGatewayV2::Route")
    }

    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert authorizer["AuthorizerResultTtlInSeconds"] == 60
    assert (authorizer["AuthorizerPayloadFormatVersion"], authorizer["EnableSimpleResponses"]) == (
        "2.0",
        True,
    )
    assert guarded["POST /requests/{integration}"] == ("CUSTOM", {"Ref": name})
    assert guarded["POST /webhooks/{system}"] == (None, None)


def test_functions_get_the_plan_and_no_other_layer(local: dict[str, Any]) -> None:
    layers = {name for name, _ in templates.of_type(local, "AWS::Lambda::LayerVersion")}

    assert len(layers) == 1
    for _, function in templates.of_type(local, "AWS::Lambda::Function"):
        assert [layer["Ref"] for layer in function["Layers"]] == list(layers)
        assert function["Environment"]["Variables"]["CAUSEWAY_PLAN"] == templates.PLAN_DIRECTORY
    for _, source in templates.of_type(local, "AWS::Lambda::EventSourceMapping"):
        of_a_stream = "StartingPosition" in source
        assert of_a_stream or source["ScalingConfig"] == {"MaximumConcurrency": AT_ONCE}


def test_dropping_a_resource_drops_what_refers_to_it() -> None:
    template = {
        "Resources": {
            "Gone": {"Type": "T"},
            "Kept": {
                "Type": "T",
                "DependsOn": ["Gone", "Other"],
                "Properties": {
                    "List": [{"Ref": "Gone"}, {"Ref": "Other"}, "text"],
                    "Arn": {"Fn::GetAtt": ["Gone", "Arn"]},
                    "Dotted": {"Fn::GetAtt": "Other.Arn"},
                    "Text": {"Fn::Sub": "a ${Gone.Arn}"},
                    "OtherText": {"Fn::Sub": ["${Goner}", {}]},
                },
            },
            "Alone": {"Type": "T", "DependsOn": "Gone"},
        },
        "Outputs": {"A": {"Value": {"Ref": "Gone"}}, "B": {"Value": {"Ref": "Kept"}}},
    }

    templates.drop(template, {"Gone"})

    assert template == {
        "Resources": {
            "Kept": {
                "Type": "T",
                "DependsOn": ["Other"],
                "Properties": {
                    "List": [{"Ref": "Other"}, "text"],
                    "Dotted": {"Fn::GetAtt": "Other.Arn"},
                    "OtherText": {"Fn::Sub": ["${Goner}", {}]},
                },
            },
            "Alone": {"Type": "T"},
        },
        "Outputs": {"B": {"Value": {"Ref": "Kept"}}},
    }

"""`template.yaml` as the emulator takes it: translated by SAM itself, short of what cannot be held here."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from typing import TYPE_CHECKING, Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from causeway_cli.account import LOCAL_REGION
from causeway_cli.local.differences import AT_ONCE, LAYERS_LEFT_OUT, LEFT_OUT, PROPERTIES_LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Template = dict[str, Any]

_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)")
logging.getLogger("samtranslator.metrics").setLevel(
    logging.ERROR
)  # warns of metrics that nobody asked it for

PLAN_LAYER = "PlanLayer"
PLAN_DIRECTORY = "../layer_0/plan"
"""Seen from a function's code, its working directory: the emulator unpacks the first layer beside it."""


class _NoManagedPolicies:
    """SAM asks IAM for the managed policies that a template names; this one names none."""

    def load(self) -> dict[str, str]:
        return {}


def read(path: Path) -> Template:
    """Read a SAM template."""
    template: Template = yaml_parse(path.read_text(encoding="utf-8"))
    return template


def of_type(template: Template, type_: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a type, by name, with their properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == type_:
            yield name, resource.setdefault("Properties", {})


def place_code(template: Template, *, upload: Callable[[str], str], plan_layer: str) -> None:
    """Let functions and the plan's layer point to what was uploaded, and drop what is not needed here.

    Args:
        template: The SAM template; is changed.
        upload: Takes a folder as the template names it, gives its ``s3://`` address.
        plan_layer: The ``s3://`` address of the plan's layer.
    """
    for _, function in of_type(template, "AWS::Serverless::Function"):
        function["CodeUri"] = upload(function["CodeUri"])
        for name in PROPERTIES_LEFT_OUT:
            function.pop(name, None)
    template["Resources"][PLAN_LAYER]["Properties"]["ContentUri"] = plan_layer
    drop(template, {name for name in LAYERS_LEFT_OUT if name in template["Resources"]})


def translate(template: Template, parameters: Mapping[str, str]) -> Template:
    """CloudFormation's template of a SAM template, by SAM's own translator."""
    os.environ.setdefault("AWS_DEFAULT_REGION", LOCAL_REGION)  # the translator reads it there
    translated: Template = transform(template, dict(parameters), _NoManagedPolicies())
    return translated


def fit(template: Template, environment: Mapping[str, str]) -> Template:
    """What the emulator can hold of a translated template.

    Args:
        template: The CloudFormation template; is changed, and returned.
        environment: Environment variables that all functions get on top of their own.
    """
    drop(template, {name for name, resource in template["Resources"].items() if resource["Type"] in LEFT_OUT})
    for name, api in list(of_type(template, "AWS::ApiGatewayV2::Api")):
        body = api.pop("Body")
        api |= {"Name": name, "ProtocolType": "HTTP"}
        template["Resources"] |= dict(_authorizers(name, body)) | dict(_routes(name, body["paths"]))
    for _, source in of_type(template, "AWS::Lambda::EventSourceMapping"):
        if "StartingPosition" in source:
            source["ParallelizationFactor"] = 1
        else:
            source["ScalingConfig"] = {"MaximumConcurrency": AT_ONCE}
    template["Mappings"] = _as_texts(template.get("Mappings", {}))
    for _, function in of_type(template, "AWS::Lambda::Function"):
        variables = function.setdefault("Environment", {}).setdefault("Variables", {})
        variables |= environment
        variables["AWS_LAMBDA_LOG_LEVEL"] = function["LoggingConfig"]["ApplicationLogLevel"]  # Lambda sets it
    return template


def _as_texts(mapping: Any) -> Any:
    """Mappings hold texts on AWS, also where the template writes a number."""
    if isinstance(mapping, dict):
        return {key: _as_texts(value) for key, value in mapping.items()}
    return str(mapping)


def _authorizers(api: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        said = scheme["x-amazon-apigateway-authorizer"]
        yield (
            _authorizer(api, name),
            {
                "Type": "AWS::ApiGatewayV2::Authorizer",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "Name": name,
                    "AuthorizerType": "REQUEST",
                    "AuthorizerUri": said["authorizerUri"],
                    "AuthorizerPayloadFormatVersion": said["authorizerPayloadFormatVersion"],
                    "EnableSimpleResponses": said["enableSimpleResponses"],
                    "IdentitySource": said["identitySource"],
                    "AuthorizerResultTtlInSeconds": said["authorizerResultTtlInSeconds"],
                },
            },
        )


def _authorizer(api: str, name: str) -> str:
    return f"{api}{name}Authorizer"


def _guard(api: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """What a route says of its authorizer."""
    for security in operation.get("security", []):
        for name in security:
            return {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": _authorizer(api, name)}}
    return {}


def _routes(api: str, paths: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            suffix = hashlib.sha256(f"{method} {path}".encode()).hexdigest()[:8]
            integration = f"{api}Integration{suffix}"
            yield (
                integration,
                {
                    "Type": "AWS::ApiGatewayV2::Integration",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "IntegrationType": "AWS_PROXY",
                        "IntegrationUri": operation["x-amazon-apigateway-integration"]["uri"],
                        "PayloadFormatVersion": "2.0",
                    },
                },
            )
            yield (
                f"{api}Route{suffix}",
                {
                    "Type": "AWS::ApiGatewayV2::Route",
                    "Properties": {
                        "ApiId": {"Ref": api},
                        "RouteKey": f"{method.upper()} {path}",
                        "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
                        **_guard(api, operation),
                    },
                },
            )


def drop(template: Template, names: set[str]) -> None:
    """Take resources out of a template, and every element, key and output that refers to them."""
    for name in names:
        del template["Resources"][name]
    for section in ("Globals", "Resources", "Outputs"):
        if section in template:
            template[section] = _without(template[section], names)
    for resource in template["Resources"].values():
        _drop_dependencies(resource, names)


def _drop_dependencies(resource: dict[str, Any], names: set[str]) -> None:
    wanted = resource.get("DependsOn", [])
    kept = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if name not in names]
    if kept:
        resource["DependsOn"] = kept
    else:
        resource.pop("DependsOn", None)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value if not _refers(item, names)]
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if not _refers(item, names)}
    return value


def _refers(value: Any, names: set[str]) -> bool:
    """Whether a value is a reference to one of these resources, or an output whose value is one."""
    if not isinstance(value, dict):
        return False
    if "Value" in value:
        return _refers(value["Value"], names)
    return len(value) == 1 and not names.isdisjoint(_named(*next(iter(value.items()))))


def _named(function: str, argument: Any) -> set[str]:
    """The resources to which one of CloudFormation's functions refers."""
    first = str(next(iter(argument), "") if isinstance(argument, list) else argument)
    if function == "Ref":
        return {first}
    if function == "Fn::GetAtt":
        return {first.partition(".")[0]}
    return set(_IN_TEXT.findall(first)) if function == "Fn::Sub" else set()

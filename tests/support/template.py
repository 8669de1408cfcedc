"""``template.yaml`` as tests look at it: as it is written, and as SAM translates it."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

Properties = dict[str, Any]


@cache
def written() -> dict[str, Any]:
    """The template as it is written, with every anchor in its place."""
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


@cache
def translated() -> dict[str, Any]:
    """The template as CloudFormation gets it, with the parameters' defaults."""
    return translate(written())


def translate(template: dict[str, Any], code: dict[str, str] | None = None) -> dict[str, Any]:
    """A template as SAM translates it; ``code`` says where the code of some functions and layers lies."""

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    template = copy.deepcopy(template)
    for name, resource in template["Resources"].items():
        for key in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
            resource["Properties"][key] = (code or {}).get(name, "s3://bucket/key")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        result: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    return result


def resources(type_: str, template: dict[str, Any] | None = None) -> dict[str, Properties]:
    """The properties of all resources of a type, by name."""
    found = (template or written())["Resources"]
    return {
        name: resource.get("Properties", {}) for name, resource in found.items() if resource["Type"] == type_
    }


def functions() -> dict[str, Properties]:
    """The functions, with what Globals give them."""
    shared = written()["Globals"]["Function"]
    return {name: {**shared, **own} for name, own in resources("AWS::Serverless::Function").items()}


def variables(function: Properties) -> dict[str, Any]:
    """All environment variables of a function."""
    shared: dict[str, Any] = written()["Globals"]["Function"]["Environment"]["Variables"]
    return {**shared, **function.get("Environment", {}).get("Variables", {})}


def service(function: Properties) -> str:
    """What it is called in logs, metrics and traces, as the template writes it: ``${AWS::StackName}-webhook``."""
    name: str = variables(function)["POWERTOOLS_SERVICE_NAME"]["Fn::Sub"]
    return name


def statements(role: Properties) -> list[dict[str, Any]]:
    """A role's statements; those under a condition count as if it held."""
    found = [one for policy in role.get("Policies", []) for one in policy["PolicyDocument"]["Statement"]]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in found]


def role_of(function: Properties) -> Properties:
    """The role that a function names."""
    return resources("AWS::IAM::Role")[target(function["Role"])]


def target(value: Any) -> str:
    """The resource that a reference or an ARN's attribute names."""
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(path)}:
            return path.partition(".")[0]
    raise AssertionError(f"{value} refers to no resource")


def each(value: Any) -> list[Any]:
    """What is a list or stands for a list of one, as a list."""
    return value if isinstance(value, list) else [value]


def references(value: Any) -> Iterator[str]:
    """Every name that a part of the template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        match value:
            case {"Ref": str(name)}:
                yield name
            case {"Fn::GetAtt": _}:
                yield target(value)
            case {"Fn::Sub": str(text)}:
                yield from _substituted(text)
            case {"Fn::Sub": [str(text), dict(own)]}:
                yield from set(_substituted(text)) - set(own)
                yield from references(own)
            case _:
                yield from references(list(value.values()))


def _substituted(text: str) -> Iterator[str]:
    for part in text.split("${")[1:]:
        yield part.partition("}")[0].partition(".")[0]

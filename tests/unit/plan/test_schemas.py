"""JSON Schemas of the manifests: editors complete and check with them what the compiler will say."""

from __future__ import annotations

import jsonschema
import pytest

from causeway.plan.schemas import schemas
from causeway.plan.yaml import parse
from tests.support.maps import copy_text

SCHEMAS = schemas()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_they_are_valid_schemas(kind):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


def wrong_with(kind, text):
    return [
        error.message
        for error in jsonschema.Draft202012Validator(SCHEMAS[kind]).iter_errors(parse(text, "x").value)
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integration", copy_text()),
        ("integration", copy_text(target="{bucket: lake, key: '${id}'}", source="{request: {wait: 20s}}")),
        (
            "integration",
            copy_text(frequency="{expect_every: 6h}", errors="{attempts: 3, retry: {factor: 2}}"),
        ),
        (
            "system",
            "system: desk\napi: {base_url: {secret: a}, auth: {type: basic, username: {secret: b}, password: c}}\n",
        ),
        (
            "system",
            "system: hub\nwebhooks: {scheme: [github, {algorithm: token, header: X}], secrets: [a]}\n",
        ),
        (
            "system",
            "system: a\napi: {base_url: b, auth: [{type: none}], retry_on: [429, '500-599'], timeout: 3s}\n",
        ),
        ("environment", "systems: {a: null, b: {api: {}}}\nintegrations: {}\n"),
        ("integration", copy_text(constants="{a: null}", target="{system: desk, post: /in, body: null}")),
    ],
)
def test_what_is_right_is_right(kind, text):
    assert wrong_with(kind, text) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integration", copy_text(owner="")),
        ("integration", copy_text(colour="red")),
        ("integration", copy_text(frequency="{expect_every: often}")),
        ("integration", copy_text(target="{system: desk, psot: /in}")),
        ("system", "system: desk\napi: {base_url: b, timeout: 3}\n"),
        ("system", "system: Desk\n"),
        ("system", "system: desk\napi:\n"),
        ("integration", copy_text(flow="{filter: null}")),
        ("integration", copy_text(constants="{account-codes: {}}")),
        ("integration", copy_text(target="{system: desk, post: /in, headers: {'A B': c}}")),
        ("system", "system: desk\napi: {base_url: b, auth: {type: bearer}}\n"),
        ("environment", "system: {}\n"),
    ],
)
def test_what_is_wrong_is_marked(kind, text):
    assert wrong_with(kind, text)


def test_every_key_is_described_or_says_it_by_its_name():
    for name in ("webhooks", "api", "polls"):
        assert SCHEMAS["system"]["properties"][name]["description"]
    for name in ("owner", "source", "flow", "target", "frequency", "errors"):
        assert SCHEMAS["integration"]["properties"][name]["description"]


def test_defaults_are_shown_as_people_write_them():
    assert SCHEMAS["system"]["$defs"]["Webhooks"]["properties"]["dedupe_for"]["default"] == "7d"

"""The example map is what people read first: it compiles, is called as real systems are, and says who owns it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from causeway.delivery.targets import place_of
from causeway.plan.compiler import compile_map
from causeway.plan.schemas import schemas
from causeway.plan.yaml import read

ROOT = Path(__file__).parents[3]
MAP = ROOT / "integrations"


@pytest.fixture(scope="module")
def compiled():
    return compile_map(MAP)


def test_it_compiles_without_an_error_or_a_warning(compiled):
    assert {remark.severity for remark in compiled.remarks} <= {"note"}
    assert sorted(compiled.plans) == ["dev", "production", "staging"]


def test_its_three_integrations_are_there(compiled):
    flows = {
        name: (integration["source"]["system"], place_of(integration["target"]).receiver)
        for name, integration in compiled.plans["production"]["integrations"].items()
    }
    assert flows == {
        "orders-to-ledger": ("shop", "ledger"),
        "payments-to-lake": ("payments", "bucket example-lake"),
        "pull-requests-to-chat": ("github", "chat"),
    }


def test_dev_calls_this_machine_only_and_production_calls_no_private_address(compiled):
    for environment, expected in (("dev", "http://127.0.0.1:8901/"), ("production", "https://")):
        for system in compiled.plans[environment]["systems"].values():
            if "api" in system:
                assert system["api"]["base_url"].startswith(expected)
                assert bool(system["api"]["allow_private"]) == (environment == "dev")


def test_it_keeps_to_its_json_schemas():
    import jsonschema

    found = schemas()
    for kind, pattern in (
        ("integration", "*.yaml"),
        ("system", "systems/*.yaml"),
        ("environment", "environments/*.yaml"),
    ):
        for path in sorted(MAP.glob(pattern)):
            jsonschema.Draft202012Validator(found[kind]).validate(read(path, path.name).value)


def test_no_manifest_holds_a_secret(compiled):
    """What verifies and what calls is named; values are put with `causeway secrets put`."""
    for plan in compiled.plans.values():
        text = json.dumps(plan)
        assert "whsec_" not in text
        assert "xoxb-" not in text

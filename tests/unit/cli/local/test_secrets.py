"""Secrets: what the map names, where it is stored, and what the local cloud makes up."""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from causeway.aws.client import Aws
from causeway.plan.plan import Plan
from causeway.settings.clock import SystemClock
from causeway.settings.secrets import Secrets
from causeway.webhooks.schemes import SCHEMES
from causeway_cli.account import LOCAL_REGION, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import local_secrets
from causeway_cli.secret_names import SecretUse, uses
from causeway_cli.stored_secrets import StoredSecrets, field_of
from tests.support.aws import credentials_for

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = itertools.count(1)


@pytest.fixture
def plan() -> Plan:
    record: Any = {
        "format": 1,
        "environment": "dev",
        "systems": {
            "shop": {
                "name": "shop",
                "webhooks": {"schemes": SCHEMES["svix"], "secrets": ["shop/webhook", "sm:old#key"]},
                "api": {
                    "base_url": {"secret": "shop/url"},
                    "auth": {
                        "type": "basic",
                        "username": {"secret": "shop/user"},
                        "password": "shop/webhook",
                    },
                    "headers": {"X-Tenant": "literal", "X-Key": {"secret": "sm:shop/key"}},
                },
            },
        },
        "integrations": {
            "one": {
                "name": "one",
                "steps": [{"name": "s", "call": {"headers": {"A": {"secret": "step/key"}}}}],
                "target": {"call": {"query": {"k": [{"secret": "target/key"}]}, "body": {"x": "secret"}}},
            }
        },
    }
    return Plan(record)


@pytest.fixture
def stored(aws_url: str) -> StoredSecrets:
    return StoredSecrets(local_clients(aws_url), f"secrets{next(NUMBERS)}")


def test_every_secret_of_a_map_is_found_with_its_direction(plan: Plan) -> None:
    assert [(use.name, use.direction, use.used_by) for use in uses(plan)] == [
        ("shop/webhook", "in", "shop"),
        ("sm:old", "in", "shop"),
        ("shop/webhook", "out", "shop"),
        ("shop/url", "out", "shop"),
        ("shop/user", "out", "shop"),
        ("sm:shop/key", "out", "shop"),
        ("step/key", "out", "one"),
        ("target/key", "out", "one"),
    ]


@pytest.mark.parametrize("name", ["shop/webhook", "sm:shop/webhook"])
def test_what_is_put_is_what_functions_read(aws_url: str, name: str) -> None:
    """Both of the two stores; the second value is a new version."""
    stack = f"secrets{next(NUMBERS)}"
    stored, use = StoredSecrets(local_clients(aws_url), stack), SecretUse.of(f"{name}#part", "in")
    assert not stored.is_there(use)
    assert stored.get(use) is None

    for value in ("first", "second"):
        stored.put(use, value)

    assert stored.is_there(use)
    assert stored.get(use) == "second"
    aws = Aws.from_env(credentials_for(aws_url) | {"AWS_REGION": LOCAL_REGION})
    secrets = Secrets(aws, prefix=f"/{stack}/causeway", direction="in", clock=SystemClock())
    assert secrets.current([name]) == ["second"]
    aws.close()


def test_a_field_is_a_part_of_a_stored_object() -> None:
    assert field_of("name", "whole") == "whole"
    assert field_of("name#a", '{"a": "part", "b": 1}') == "part"
    for broken in ('{"b": "x"}', "plain text", "[]", '{"a": 1}'):
        with pytest.raises(CommandError, match="the secret name is no JSON object") as error:
            field_of("name#a", broken)
        assert broken not in str(error.value)


def test_what_the_file_has_not_is_generated_where_it_verifies(plan: Plan, stored: StoredSecrets) -> None:
    missing = local_secrets.put(stored, plan, {"shop/user": "me"}, generate_all=False)

    assert [use.name for use in missing] == [
        "shop/webhook",
        "shop/url",
        "sm:shop/key",
        "step/key",
        "target/key",
    ]
    made = stored.get(SecretUse.of("shop/webhook", "in")) or ""
    assert made.startswith("whsec_")
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
    assert field_of("sm:old#key", stored.get(SecretUse.of("sm:old", "in")) or "").startswith("whsec_")
    assert stored.get(SecretUse.of("shop/user", "out")) == "me"


def test_a_generated_secret_stays_when_the_map_changes(plan: Plan, stored: StoredSecrets) -> None:
    local_secrets.put(stored, plan, {}, generate_all=True)
    before = stored.get(SecretUse.of("shop/webhook", "in"))

    assert local_secrets.put(stored, plan, {}, generate_all=True) == []
    assert stored.get(SecretUse.of("shop/webhook", "in")) == before


def test_what_was_put_meanwhile_stays_when_the_map_changes_and_what_is_new_comes_from_the_file(
    plan: Plan, stored: StoredSecrets
) -> None:
    user, url = SecretUse.of("shop/user", "out"), SecretUse.of("shop/url", "out")
    local_secrets.put(stored, plan, {"shop/user": "of the file"}, generate_all=False)
    stored.put(user, "put meanwhile")
    values = {"shop/user": "of the file", "shop/url": "new"}

    local_secrets.put(stored, plan, values, generate_all=False, replace=False)

    assert (stored.get(user), stored.get(url)) == ("put meanwhile", "new")
    local_secrets.put(stored, plan, values, generate_all=False)
    assert stored.get(user) == "of the file", "as it begins, the file says what holds"


def test_a_public_key_is_not_made_up(stored: StoredSecrets) -> None:
    record: Any = {
        "format": 1,
        "environment": "dev",
        "systems": {
            "bank": {
                "name": "bank",
                "webhooks": {"schemes": [{"algorithm": "ed25519", "header": "x"}], "secrets": ["bank/key"]},
            }
        },
        "integrations": {},
    }

    assert len(local_secrets.put(stored, Plan(record), {}, generate_all=False)) == 1


def test_a_file_of_secrets_is_yaml_of_name_and_value(tmp_path: Path, plan: Plan) -> None:
    file = tmp_path / "secrets.yaml"
    file.write_text("shop/webhook: whsec_abc\nnumber: 0123\nobject: {key: value}\n")

    values = local_secrets.read(file)

    assert values == {"shop/webhook": "whsec_abc", "number": "0123", "object": json.dumps({"key": "value"})}
    assert local_secrets.unused(values, plan) == ["number", "object"]


@pytest.mark.parametrize("content", ["- a list", "name: [1]", "empty-one:", "a: b: c", "text", "\x00"])
def test_anything_else_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.yaml"
    file.write_text(content)

    with pytest.raises(CommandError) as error:
        local_secrets.read(file)
    assert str(error.value).startswith(str(file))
    assert content not in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        local_secrets.read(tmp_path / "none.yaml")

"""``causeway secrets`` on a deployed stack."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.aws import credentials_for
from tests.support.local_cloud import CAUSEWAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUE = "whsec_never-shown"


@pytest.fixture
def secrets(aws_url: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command for a stack of its own, on a map with one secret in each direction."""
    (tmp_path / "systems").mkdir()
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "production.yaml").write_text("{}\n")
    (tmp_path / "systems" / "shop.yaml").write_text(
        "system: shop\ndescription: A shop.\n"
        "webhooks: {scheme: svix, secrets: [shop/key]}\n"
        "api: {base_url: 'https://shop.example.com', auth: {type: bearer, token: shop/key}}\n"
    )
    stack = ["--stack", tmp_path.name, "--integrations", str(tmp_path)]
    environ = os.environ | credentials_for(aws_url) | {"AWS_DEFAULT_REGION": "eu-central-1"}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CAUSEWAY, "secrets", *arguments, *stack],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_what_is_missing_is_shown_and_put_in_every_direction_that_the_map_uses(
    secrets: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    missing = secrets("check")
    put = secrets("put", "shop/key", stdin=f"{VALUE}\n")
    there = secrets("check", "--json")
    again = secrets("put", "shop/key", "--json", stdin=VALUE)

    assert missing.returncode == 1
    assert [(each["name"], each["direction"]) for each in json.loads(again.stdout)] == [
        ("shop/key", "in"),
        ("shop/key", "out"),
    ]
    assert missing.stdout.count("missing") == 2
    assert put.stdout == "stored shop/key (in)\nstored shop/key (out)\n"
    assert there.returncode == 0
    assert [(each["direction"], each["present"]) for each in json.loads(there.stdout)] == [
        ("in", True),
        ("out", True),
    ]
    assert VALUE not in missing.stdout + put.stdout + there.stdout + put.stderr


def test_a_name_that_the_map_does_not_use_is_refused(
    secrets: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = secrets("put", "shop/kye", stdin=VALUE)

    assert done.returncode == 1
    assert "names no secret 'shop/kye'; it names: shop/key" in done.stderr


def test_an_empty_value_is_refused(secrets: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = secrets("put", "shop/key", stdin="\n")

    assert done.returncode == 1
    assert "is empty" in done.stderr

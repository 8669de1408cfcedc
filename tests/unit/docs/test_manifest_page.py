"""docs/manifest.md names every key of the manifests, and its default."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from causeway.plan.compiler import compile_map
from causeway.plan.manifest.auth import Auth
from causeway.plan.manifest.call import Call
from causeway.plan.manifest.integration import (
    BucketTarget,
    BusTarget,
    Integration,
    QueueTarget,
    ReplyTarget,
)
from causeway.plan.manifest.polls import Poll
from causeway.plan.manifest.scheme import Scheme
from causeway.plan.manifest.system import System
from causeway.plan.yaml import read
from causeway.webhooks.schemes import SCHEMES

PAGE = (Path(__file__).parents[3] / "docs" / "manifest.md").read_text()
SECTIONS = dict(re.findall(r"^###? (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))
REQUIRED = "required"

# A table of the page, the model that it is about, and the keys below which another table says what stands there.
TABLES = [
    (
        "A system",
        System,
        {"webhooks.scheme", "api.signing.scheme", "api.auth", "api.base_url", "api.headers", "polls"},
    ),
    ("A scheme spelled out", Scheme, set()),
    ("An integration", Integration, {"flow.steps", "target"}),
    ("A call", Call, set()),
    ("A poll", Poll, set()),
    ("A queue", QueueTarget, set()),
    ("A bus", BusTarget, set()),
    ("A bucket", BucketTarget, set()),
    ("A reply", ReplyTarget, set()),
]


def _models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in _models(argument)]


def _keys(model, prefix=""):
    """Every key with the default that its model has, as far down as models go."""
    for name, field in model.model_fields.items():
        yield (
            prefix + name,
            REQUIRED if field.is_required() else field.get_default(call_default_factory=False),
        )
        for inner in _models(field.annotation):
            yield from _keys(inner, f"{prefix}{name}.")


def _rows(section):
    return re.findall(r"^\| `([a-z0-9_.]+)` \| (.*?) ?\| (.*?) ?\|$", SECTIONS[section], re.MULTILINE)


def _is_below(key, others):
    return any(key.startswith(f"{other}.") for other in others)


@pytest.mark.parametrize(("section", "model", "elsewhere"), TABLES, ids=[table[0] for table in TABLES])
def test_a_table_has_every_key_of_its_model_and_no_other(section, model, elsewhere):
    expected = {key for key, _ in _keys(model) if not _is_below(key, elsewhere)}
    assert {key for key, _, _ in _rows(section)} == expected


@pytest.mark.parametrize(("section", "model", "elsewhere"), TABLES, ids=[table[0] for table in TABLES])
def test_a_table_shows_the_defaults(section, model, elsewhere):
    defaults = dict(reversed(list(_keys(model))))  # of a key that several models have, the first counts
    for key, shown, _ in _rows(section):
        default = defaults[key]
        written = re.sub(r"^(`+) ?(.*?) ?\1$", r"\2", shown)
        if default == REQUIRED:
            assert written == REQUIRED, key
        elif default in (None, ""):
            assert written == "", key
        elif isinstance(default, str | int | float):
            assert written == str(default).lower(), key
        elif isinstance(default, list):
            assert re.findall(r"[^\[\], ]+", written) == default, key


def test_the_types_of_authentication_are_those_that_work():
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", SECTIONS["Authentication"], re.MULTILINE)
    assert set(rows) == {typing.get_args(model.model_fields["type"].annotation)[0] for model in _models(Auth)}


def test_the_built_in_schemes_are_named():
    sentence = re.search(r"The built-in schemes are (.*?)\. Others", PAGE, re.DOTALL)[1]
    assert set(re.findall(r"`([a-z0-9-]+)`", sentence)) == set(SCHEMES)


def test_the_manifests_of_the_page_compile_together(tmp_path):
    """Those that begin with their file's name; the others are parts of one."""
    for file, text in re.findall(r"```(?:yaml|python)\n# (integrations/\S+)\n(.*?)```", PAGE, re.DOTALL):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ledger = tmp_path / "integrations" / "systems" / "ledger.yaml"
    ledger.write_text("system: ledger\napi: {base_url: https://ledger.example.com}\n")
    compiled = compile_map(tmp_path / "integrations")
    assert set(compiled.plans["production"]["integrations"]) == {"orders-to-ledger"}
    assert set(compiled.plans["dev"]["integrations"]) == set()


def test_every_other_yaml_of_the_page_is_yaml(tmp_path):
    blocks = re.findall(r"```yaml\n(?!# integrations/)(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        read(file, file.name)

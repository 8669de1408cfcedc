"""What functions load: JSON and nothing else, of the right format."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from causeway.plan.plan import FORMAT, Plan, UnreadablePlanError, load
from tests.support.maps import HUB, SIMPLE, plan

LOAD = """
import sys
from causeway.plan.plan import load
plan = load(sys.argv[1], "dev")
assert len(plan.integrations) == 100
assert len(plan.fed_by("hub")) == 100
unwanted = {"pydantic", "yaml", "jmespath", "typing_extensions", "causeway.plan.compiler"} & set(sys.modules)
sys.exit(f"imported: {sorted(unwanted)}" if unwanted else 0)
"""


def test_loading_a_plan_of_100_integrations_imports_neither_models_nor_yaml(tmp_path):
    record = plan(tmp_path)
    one = record["integrations"]["copy"]
    record["integrations"] = {f"copy-{number}": {**one, "name": f"copy-{number}"} for number in range(100)}
    (tmp_path / "dev.json").write_text(json.dumps(record))
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_integrations_are_found_by_their_source(tmp_path):
    files = SIMPLE | {
        "systems/other.yaml": HUB.replace("system: hub", "system: other"),
        "second.yaml": SIMPLE["copy.yaml"].replace("integration: copy", "integration: second"),
    }
    loaded = Plan(plan(tmp_path, files))
    assert [integration["name"] for integration in loaded.fed_by("hub")] == ["copy", "second"]
    assert loaded.fed_by("other") == []
    assert loaded.fed_by("nobody") == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '"plan"', '{"format": 1}', "{", "\x00"])
def test_what_is_no_plan_is_told(tmp_path, content):
    (tmp_path / "dev.json").write_text(content)
    with pytest.raises(UnreadablePlanError, match="is not a plan"):
        load(tmp_path, "dev")


def test_a_missing_environment_is_told_with_those_that_are_there(tmp_path):
    (tmp_path / "dev.json").write_text("{}")
    with pytest.raises(UnreadablePlanError, match=r"no plan for environment 'prod' in .*; there are: dev"):
        load(tmp_path, "prod")


@pytest.mark.parametrize(
    ("number", "readable"), [(FORMAT, True), (FORMAT - 1, True), (FORMAT + 1, False), (FORMAT - 2, False)]
)
def test_a_function_reads_its_own_format_and_the_one_before(tmp_path, number, readable):
    record = plan(tmp_path)
    record["format"] = number
    if readable:
        assert Plan(record).integrations
    else:
        with pytest.raises(UnreadablePlanError, match="build and deploy plan and functions together"):
            Plan(record)

"""What docs/polling.md shows compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from causeway.plan.yaml import parse
from tests.support.maps import copy_text, plan
from tests.support.polls import poll

PAGE = (Path(__file__).parents[3] / "docs" / "polling.md").read_text()
HUB = """\
system: hub
webhooks: {scheme: stripe, secrets: [hub/webhook]}
api: {base_url: "https://hub.example.com/api"}
"""


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(polls:\n.*?)```", PAGE, re.DOTALL))
def test_every_example_compiles(block, tmp_path):
    names = parse(block, "page").value["polls"]
    takers = {
        f"take-{name}.yaml": copy_text(integration=f"take-{name}", source=f"{{system: hub, poll: {name}}}")
        for name in names
    }
    found = plan(tmp_path, {"systems/hub.yaml": HUB + block, **takers})
    assert set(found["systems"]["hub"]["polls"]) == set(names)


@pytest.mark.parametrize("text", re.findall(r"`((?:cursor|paginate|diff): .+?)`[ ,;:|]", PAGE))
def test_every_choice_is_one(text):
    query = 'query: {from: "${since}", to: "${until}"}' if "window" in text else ""
    assert poll(f"{text}\n{query}")

"""docs/watching.md says what watching costs as the command counts it, and names every check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import watching
from causeway.watching.checks import CHECKS

PAGE = (Path(__file__).parents[3] / "docs" / "watching.md").read_text()


@pytest.mark.parametrize("integrations", [1, 100])
def test_the_page_has_what_the_command_prints(integrations):
    (row,) = list(watching.table([watching.watch(integrations)]))[2:]
    assert row in PAGE


def test_what_all_is_well_costs_hardly_depends_on_how_many_there_are():
    few, many = watching.watch(1, minutes=5), watching.watch(100, minutes=5)
    assert many.calls <= few.calls + 1
    assert many.dollars < 1


def test_the_page_names_every_check():
    table = PAGE.partition("## What it looks at")[2].partition("\n\nA system's troubles")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {check.name for check in CHECKS}

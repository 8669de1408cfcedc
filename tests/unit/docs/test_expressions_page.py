"""The examples of docs/expressions.md are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from causeway.events.envelope import SCOPE_FIELDS
from causeway.events.expressions import ExpressionError, ask, select
from causeway.events.texts import render

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()
SCOPE = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def _text(written, scope):
    return render(json.loads(written) if written.startswith("{") else written, scope)


EVALUATE = {"What an expression sees": select, "Questions": ask, "Added functions": select, "Texts": _text}
EXAMPLES = [
    pytest.param(EVALUATE[section], *re.split(r"\s+=>\s+", line), id=line.split("=>")[0].strip())
    for section, text in SECTIONS.items()
    for line in text.splitlines()
    if " => " in line
]


@pytest.mark.parametrize(("evaluate", "written", "value"), EXAMPLES)
def test_an_example_gives_what_the_page_says(evaluate, written, value):
    if value == "error":
        with pytest.raises(ExpressionError):
            evaluate(written, SCOPE)
    else:
        assert evaluate(written, SCOPE) == json.loads(value)


def test_the_page_names_what_an_integration_sees():
    assert set(SCOPE) == SCOPE_FIELDS
    assert len(EXAMPLES) > 40

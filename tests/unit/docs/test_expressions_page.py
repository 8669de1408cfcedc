"""The examples of docs/expressions.md are true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
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


def test_what_try_prints_is_what_the_page_shows(tmp_path):
    (answers,) = re.findall(r"```yaml\n# answers.yaml\n(.*?)```", PAGE, re.DOTALL)
    command, shown = re.search(r"^\$ causeway (try .*?)\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE).groups()
    (tmp_path / "answers.yaml").write_text(answers)
    root = Path(__file__).parents[3]
    words = command.replace("answers.yaml", str(tmp_path / "answers.yaml")).split()
    run = subprocess.run(
        [sys.executable, "-c", "from causeway_cli.main import main; main()", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.strip() == shown

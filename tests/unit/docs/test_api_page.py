"""docs/api.md has every route with its scope and its answers."""

import re
from pathlib import Path

import pytest

from causeway.api.routes import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
ROWS = {
    route: (scope.strip("`"), answers)
    for route, scope, answers in re.findall(r"^\| `([A-Z]+ /\S+)` \| (\S+) \| (.*) \|$", PAGE, re.MULTILINE)
}


def test_the_page_has_these_routes_and_no_others():
    assert set(ROWS) == {f"{operation.method} {operation.path}" for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_route_has_its_scope_and_its_statuses(operation):
    scope, answers = ROWS[f"{operation.method} {operation.path}"]
    assert scope == (operation.scope or "anyone")
    assert {int(status) for status in re.findall(r"\b[2-5]\d\d\b", answers)} == {
        operation.status.value,
        *operation.problems,
    }

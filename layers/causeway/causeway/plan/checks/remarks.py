"""What is no mistake, and worth knowing: manifests that nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem

_USES = ("source.system", "flow.steps.*.system", "target.system")


def remark_on(merged: Merged) -> Iterator[Problem]:
    """Find systems that no integration has to do with."""
    used = {
        name
        for document in merged.integrations.values()
        for pattern in _USES
        for _, name in find(document.value, pattern)
        if isinstance(name, str)
    }
    for name, document in merged.systems.items():
        if name not in used:
            yield document.problem(("system",), "no integration uses this system", "note")

"""What is no mistake, and worth knowing: manifests that nobody uses, and what else is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem

_NEEDS_STREAM = "needs the stack's stream (StreamMode=on-demand or provisioned); else the queue is used"

_USES = ("source.system", "flow.steps.*.system", "target.system")


def remark_on(merged: Merged) -> Iterator[Problem]:
    """Find systems that no integration has to do with, and integrations that need more than the map."""
    used = {
        name
        for document in merged.integrations.values()
        for pattern in _USES
        for _, name in find(document.value, pattern)
        if isinstance(name, str)
    }
    for name, document in merged.systems.items():
        if name not in used and not merged.unreadable:  # or who uses it may be what could not be read
            yield document.problem(("system",), "no integration uses this system", "note")
    for document in merged.integrations.values():
        for path, buffer in find(document.value, "flow.buffer"):
            if buffer == "stream":
                yield document.problem(path, _NEEDS_STREAM, "note")

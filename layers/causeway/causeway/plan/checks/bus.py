"""Event patterns of integrations that take events from the bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.bus.checking import check
from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem


def check_patterns(merged: Merged) -> Iterator[Problem]:
    """Find patterns that EventBridge would refuse, or that nothing could match."""
    for document in merged.integrations.values():
        for path, pattern in find(document.value, "source.bus"):
            for inside, text in check(pattern):
                yield document.problem((*path, *inside), text)

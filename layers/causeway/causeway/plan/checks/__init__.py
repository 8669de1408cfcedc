"""What is right or wrong only beyond one key: between manifests, in expressions, on the network.

Checks look through manifests as written (:func:`causeway.plan.finding.find`), so that they find what they
find also in a manifest that has other mistakes: all errors are shown at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.checks.bus import check_patterns
from causeway.plan.checks.calls import check_calls
from causeway.plan.checks.canaries import check_canaries
from causeway.plan.checks.expressions import check_expressions
from causeway.plan.checks.polls import check_polls
from causeway.plan.checks.references import check_references
from causeway.plan.checks.remarks import remark_on
from causeway.plan.checks.requests import check_requests
from causeway.plan.checks.schemes import check_schemes
from causeway.plan.checks.targets import check_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem

CHECKS: tuple[Callable[[Merged], Iterator[Problem]], ...] = (
    check_references,
    check_schemes,
    check_canaries,
    check_expressions,
    check_calls,
    check_targets,
    check_polls,
    check_patterns,
    check_requests,
    remark_on,
)


def check(merged: Merged) -> Iterator[Problem]:
    """Run all checks on the map as one environment has it."""
    for part in CHECKS:
        yield from part(merged)

"""Keys that manifests have and this version does not carry out: an error that says so, never silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.records import JSON


class Missing(NamedTuple):
    """A place in manifests, and what would be done with what stands there."""

    pattern: str
    behaviour: str
    unless: tuple[JSON, ...] = ()  # values that ask for nothing, and may stand there
    remedy: str = "leave this key out"


SYSTEMS = (Missing("webhooks.canary", "the canary", unless=(False,)),)
"""What is not there yet of systems. Whoever builds a behaviour deletes its line."""

INTEGRATIONS: tuple[Missing, ...] = ()
"""What is not there yet of integrations."""


def check_availability(merged: Merged) -> Iterator[Problem]:
    """Find what asks for behaviour that is not there."""
    for documents, table in ((merged.systems, SYSTEMS), (merged.integrations, INTEGRATIONS)):
        for document in documents.values():
            for missing in table:
                for path, value in find(document.value, missing.pattern):
                    if value not in missing.unless:
                        yield document.problem(
                            path,
                            f"not available in this version: {missing.behaviour}; {missing.remedy}",
                        )

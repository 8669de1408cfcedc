"""The compiled plan as functions see it: loaded once per instance, nothing computed before it is needed."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Integration, PlanRecord, System

FORMAT = 1
"""Format number of the plan; a function reads its own and the one before."""


class UnreadablePlanError(Exception):
    """The plan is missing, broken, or of a format that this version does not read."""


class Plan:
    """The map of one environment, validated and compiled at build time."""

    def __init__(self, record: PlanRecord) -> None:
        if record["format"] not in (FORMAT, FORMAT - 1):
            raise UnreadablePlanError(
                f"the plan has format {record['format']}, this version reads {FORMAT - 1} and {FORMAT}: "
                "build and deploy plan and functions together"
            )
        self.record = record
        self.systems: dict[str, System] = record["systems"]
        self.integrations: dict[str, Integration] = record["integrations"]

    @cached_property
    def _by_source(self) -> dict[str, list[Integration]]:
        by_source: dict[str, list[Integration]] = {}
        for integration in self.integrations.values():
            if "events" in integration["source"]:
                by_source.setdefault(integration["source"]["system"], []).append(integration)
        return by_source

    def fed_by(self, system: str) -> list[Integration]:
        """The integrations that take this system's events, by their types."""
        return self._by_source.get(system, [])


def load(directory: str | Path, environment: str) -> Plan:
    """Load the plan of one environment.

    Raises:
        UnreadablePlanError: there is none, or it cannot be read.
    """
    path = Path(directory) / f"{environment}.json"
    try:
        return Plan(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        known = sorted(found.stem for found in Path(directory).glob("*.json"))
        raise UnreadablePlanError(
            f"no plan for environment {environment!r} in {directory}; there are: {', '.join(known) or 'none'}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadablePlanError(f"{path} is not a plan: {error!r}") from error

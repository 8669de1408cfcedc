"""What polls work with: the tools that all share, and the invocation they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.acceptance.acceptor import Store
    from causeway.acceptance.sightings import Sightings
    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.calls.caller import Caller
    from causeway.limiting.admission import Admissions
    from causeway.limiting.turns import Limits
    from causeway.plan.plan import Plan
    from causeway.polling.ticks import PollQueue
    from causeway.settings.clock import Clock
    from causeway.telemetry.metrics import Metrics

MARGIN = 8.0
"""Seconds at the end of an invocation that are kept for queueing a page and writing down how far it went."""


@dataclass(frozen=True)
class Tools:
    """What all polls of a function share."""

    plan: Plan
    aws: Aws
    bucket: str
    caller: Caller
    state: Table
    journal: Table
    store: Store  # of deliveries
    ticks: PollQueue
    limits: Limits
    metrics: Metrics
    logger: Logger
    clock: Clock
    sightings: Sightings | None = None


@dataclass(frozen=True)
class Invocation:
    """One run of the function."""

    started: float
    deadline: float  # when Lambda ends it
    admissions: Admissions

    @property
    def last_call_ends(self) -> float:
        """Until when calls may take."""
        return self.deadline - MARGIN

    def has_time_for(self, seconds: float, now: float) -> bool:
        """Whether something that may take so long can be begun.

        What would not even fit into a whole invocation is begun early in one, and cut short.
        """
        whole = self.last_call_ends - self.started
        return now + min(seconds, 0.9 * whole) <= self.last_call_ends

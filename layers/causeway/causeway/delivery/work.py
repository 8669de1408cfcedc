"""What deliveries work with: the tools that all share, and the invocation they are in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.logging import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.calls.caller import Caller
    from causeway.delivery.beside import Beside
    from causeway.delivery.gathering import Gathering
    from causeway.delivery.giving_up import GivingUp
    from causeway.delivery.journal import Journal
    from causeway.delivery.order_keys import OrderKeys
    from causeway.delivery.pages import Pages
    from causeway.delivery.pauses import Pauses
    from causeway.limiting.admission import Admissions
    from causeway.limiting.turns import Limits
    from causeway.plan.plan import Plan
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock
    from causeway.telemetry.metrics import Metrics

MARGIN = 3.0
"""Seconds at the end of an invocation that are kept for writing down what attempts came to."""


@dataclass(frozen=True)
class Tools:
    """What all deliveries of a function share."""

    plan: Plan
    aws: Aws
    caller: Caller
    table: Table
    journal: Journal
    beside: Beside
    order_keys: OrderKeys
    queue: Queue
    pauses: Pauses
    limits: Limits
    giving_up: GivingUp
    metrics: Metrics
    logger: Logger
    clock: Clock
    keep_dead: float  # seconds
    jitter: Callable[[], float]  # from 0 to 1


@dataclass(frozen=True)
class Invocation:
    """One run of the function."""

    context: LambdaContext
    started: float
    deadline: float  # when Lambda ends it
    pages: Pages
    gathering: Gathering
    admissions: Admissions
    calls: list[tuple[float, str]] = field(default_factory=list)  # of targets: seconds, and who answered

    @property
    def last_call_ends(self) -> float:
        """Until when calls may take."""
        return self.deadline - MARGIN

    def has_time_for(self, timeout: float, now: float) -> bool:
        """Whether a call may begin: only one that can end in time.

        One that could not even with the whole invocation to itself begins early in one, and is cut short.
        """
        whole = self.last_call_ends - self.started
        return now + min(timeout, 0.9 * whole) <= self.last_call_ends

"""The watchdog: each minute, whether all goes as the owners expect; they and the bus are told of changes."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.plan.plan import load
from causeway.scheduling.minute import MARGIN
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics
from causeway.watching.checks import CHECKS
from causeway.watching.owners import Confirmed
from causeway.watching.telling import Teller
from causeway.watching.watchdog import Watchdog
from causeway.watching.words import Words
from causeway.watching.world import Means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.settings.clock import Clock

HOUR = 3600.0


class Work(NamedTuple):
    """What an instance watches with."""

    clock: Clock
    metrics: Metrics
    watchdog: Watchdog


def make_work(environ: Mapping[str, str], clock: Clock) -> Work:
    """The watchdog, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    metrics = Metrics(by_integration=settings.metrics_by_integration)
    means = Means(
        plan=plan,
        settings=settings,
        aws=aws,
        journal=Table(aws, settings.journal),
        state=Table(aws, settings.state_table),
        metrics=metrics,
        clock=clock,
    )
    teller = Teller(
        aws,
        topic=settings.owners_topic,
        bus=settings.bus,
        confirmed=Confirmed(aws, settings.owners_topic, clock),
        words=Words(plan, settings.console_url, settings.stack),
        plan=plan,
        clock=clock,
        logger=logger(),
    )
    remind = settings.remind_after * HOUR
    return Work(clock, metrics, Watchdog(means, CHECKS, teller, remind=remind, logger=logger()))


@functools.cache
def _work() -> Work:
    """Once per instance; tests of the handler put their own here."""
    return make_work(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - a schedule says nothing
    """Look at everything, as far as there is time; tell what has changed."""
    logger().append_keys(function_request_id=context.aws_request_id)
    work = _work()
    until = work.clock.now() + context.get_remaining_time_in_millis() / 1000 - MARGIN
    try:
        return work.watchdog.run(until=until)
    finally:
        work.metrics.emit()

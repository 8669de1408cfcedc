"""The scheduler: each minute, deliveries that are due or were resumed go back on the queue."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.calls.keeping import Keeper
from causeway.calls.proof import make_means
from causeway.calls.transport import Transport
from causeway.delivery.freeing import Freeing
from causeway.delivery.journal import Journal
from causeway.delivery.pauses import Pauses
from causeway.delivery.releasing import MARGIN, Releaser
from causeway.delivery.resuming import Resuming
from causeway.limiting.health import Healths
from causeway.limiting.reservations import Reservations
from causeway.plan.plan import load
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan.plan import Plan
    from causeway.settings.clock import Clock


class Work(NamedTuple):
    """What the scheduler does, one after the other."""

    clock: Clock
    releaser: Releaser
    resuming: Resuming
    freeing: Freeing
    keeper: Keeper


def make_work(environ: Mapping[str, str], clock: Clock) -> Work:
    """What puts deliveries back, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    queue = Queue(aws, url=settings.deliveries_url, bucket=settings.payloads, clock=clock)
    journal, state = Table(aws, settings.journal), Table(aws, settings.state_table)
    pauses = Pauses(state, clock)
    resuming = Resuming(
        journal=journal, state=state, pauses=pauses, queue=queue, clock=clock, logger=logger()
    )
    plan = load(settings.plan, settings.environment)
    freeing = Freeing(
        plan=plan,
        journal=Journal(journal, clock),
        healths=Healths(state, clock),
        reservations=Reservations(state, clock),
        queue=queue,
        metrics=Metrics(),
        clock=clock,
        logger=logger(),
    )
    releaser = Releaser(Journal(journal, clock), queue, clock, logger())
    return Work(clock, releaser, resuming, freeing, make_keeper(plan, settings, aws, clock))


def make_keeper(plan: Plan, settings: Settings, aws: Aws, clock: Clock) -> Keeper:
    """What keeps refresh tokens alive."""
    secrets = Secrets(aws, prefix=settings.secrets_prefix, direction="out", clock=clock)
    means = make_means(aws, settings, secrets, clock, Transport())
    return Keeper(plan, means, logger())


@functools.cache
def _work() -> Work:
    """Once per instance; tests of the handler put their own here."""
    return make_work(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - a schedule says nothing
    """Put back what is due, what systems take again, what was resumed; keep alive what would expire."""
    logger().append_keys(function_request_id=context.aws_request_id)
    work, remaining = _work(), context.get_remaining_time_in_millis() / 1000
    until = work.clock.now() + remaining - MARGIN
    done = work.releaser.release(remaining=remaining)
    done |= {"freed": work.freeing.run(until=until)}
    done |= {"resumed": work.resuming.run(until=until)}
    return done | {"not_kept_alive": work.keeper.keep(remaining=until - work.clock.now())}

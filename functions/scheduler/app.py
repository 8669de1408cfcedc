"""The scheduler: each minute, what is due goes on its queue: deliveries again, replays, and polls."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.calls.certificates import Noting
from causeway.calls.keeping import Keeper
from causeway.calls.proof import make_means
from causeway.calls.transport import Transport
from causeway.delivery.freeing import Freeing
from causeway.delivery.journal import Journal
from causeway.delivery.pauses import Pauses
from causeway.delivery.releasing import Releaser
from causeway.delivery.resuming import Resuming
from causeway.limiting.health import Healths
from causeway.limiting.reservations import Reservations
from causeway.operations.replays import Replays
from causeway.plan.plan import load
from causeway.polling.dispatching import Dispatching
from causeway.polling.ticks import PollQueue
from causeway.queueing.queue import Queue
from causeway.scheduling.minute import MARGIN, run_tasks
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan.plan import Plan
    from causeway.scheduling.minute import Task
    from causeway.settings.clock import Clock


class Work(NamedTuple):
    """What the scheduler does, by the name of what each task counts."""

    clock: Clock
    tasks: Mapping[str, Task]


def make_work(environ: Mapping[str, str], clock: Clock) -> Work:
    """The tasks of each minute, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    queue = Queue.from_settings(aws, settings, clock)
    table, state = Table(aws, settings.journal), Table(aws, settings.state_table)
    journal, pauses = Journal(table, clock), Pauses(state, clock)
    releaser = Releaser(journal, queue, clock, logger())
    freeing = Freeing(
        plan=plan,
        journal=journal,
        healths=Healths(state, clock),
        reservations=Reservations(state, clock),
        pauses=pauses,
        queue=queue,
        metrics=Metrics(),
        clock=clock,
        logger=logger(),
    )
    resuming = Resuming(journal=table, state=state, pauses=pauses, queue=queue, clock=clock, logger=logger())
    polls = Dispatching(plan, state, PollQueue(aws, settings.polls_url), clock)
    replays = Replays(journal=table, state=state, queue=queue, clock=clock)
    secrets = Secrets(aws, prefix=settings.secrets_prefix, direction="out", clock=clock)
    keeper = make_keeper(plan, settings, aws, secrets, clock)
    noting = Noting(plan, secrets, state, clock, logger())
    return Work(
        clock,
        {
            "released": releaser.run,
            "freed": freeing.run,
            "resumed": resuming.run,
            "polls": polls.run,
            "replayed": replays.run,
            "not_kept_alive": keeper.run,
            "certificates": noting.run,
        },
    )


def make_keeper(plan: Plan, settings: Settings, aws: Aws, secrets: Secrets, clock: Clock) -> Keeper:
    """What keeps refresh tokens alive."""
    means = make_means(aws, settings, secrets, clock, Transport())
    return Keeper(plan, means, logger())


@functools.cache
def _work() -> Work:
    """Once per instance; tests of the handler put their own here."""
    return make_work(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - a schedule says nothing
    """Put back what is due, what systems take again, what was resumed; begin polls; keep tokens alive."""
    logger().append_keys(function_request_id=context.aws_request_id)
    work = _work()
    until = work.clock.now() + context.get_remaining_time_in_millis() / 1000 - MARGIN
    return run_tasks(work.tasks, until=until, logger=logger())

"""The poller: a poll that is due, read page by page; what is new goes on the queue of deliveries."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.acceptance.sightings import Sightings
from causeway.acceptance.storing import make_store
from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.calls.caller import Caller
from causeway.calls.proof import make_means
from causeway.calls.transport import Transport
from causeway.limiting.turns import Limits
from causeway.plan.plan import load
from causeway.polling.lanes import Lanes
from causeway.polling.receiving import receive
from causeway.polling.ticks import PollQueue
from causeway.polling.work import Tools
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.settings.clock import Clock


def make_tools(environ: Mapping[str, str], clock: Clock) -> Tools:
    """What polls work with, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    secrets = Secrets(aws, prefix=settings.secrets_prefix, direction="out", clock=clock)
    state = Table(aws, settings.state_table)
    transport = Transport()
    means = make_means(aws, settings, secrets, clock, transport)
    return Tools(
        plan=plan,
        aws=aws,
        bucket=settings.payloads,
        caller=Caller(plan, secrets, clock, transport=transport, means=means),
        state=state,
        journal=Table(aws, settings.journal),
        store=Lanes(make_store(plan, aws, settings, clock)),
        ticks=PollQueue(aws, settings.polls_url),
        limits=Limits.of(plan.systems, state, clock),
        metrics=Metrics(by_integration=settings.metrics_by_integration),
        logger=logger(),
        clock=clock,
        sightings=Sightings(plan, lambda: state, clock),
    )


@functools.cache
def _tools() -> Tools:
    """Once per instance; tests of the handler put their own here."""
    return make_tools(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Carry out one message. A plan that cannot be read fails it, and SQS hands it out again."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return receive(event, context, _tools())

"""What deliveries work with, made of a function's settings: for all functions that carry deliveries out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.calls.caller import Caller
from causeway.calls.proof import make_means
from causeway.calls.transport import Transport
from causeway.delivery.announcement import Announcements
from causeway.delivery.beside import Beside
from causeway.delivery.giving_up import GivingUp
from causeway.delivery.journal import Journal
from causeway.delivery.order_keys import OrderKeys
from causeway.delivery.pauses import Pauses
from causeway.delivery.work import Tools
from causeway.limiting.turns import Limits
from causeway.plan.plan import load
from causeway.queueing.payloads import Payloads
from causeway.queueing.queue import Queue
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.settings.clock import Clock


def make_tools(environ: Mapping[str, str], clock: Clock) -> Tools:
    """What deliveries work with, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    secrets = Secrets(aws, prefix=settings.secrets_prefix, direction="out", clock=clock)
    metrics = Metrics(by_integration=settings.metrics_by_integration)
    table, state = Table(aws, settings.journal), Table(aws, settings.state_table)
    journal = Journal(table, clock)
    payloads = Payloads(aws, settings.payloads)
    beside = Beside(table, payloads)
    transport = Transport()
    means = make_means(aws, settings, secrets, clock, transport)
    return Tools(
        plan=plan,
        aws=aws,
        caller=Caller(plan, secrets, clock, transport=transport, means=means),
        table=table,
        journal=journal,
        beside=beside,
        order_keys=OrderKeys(table, payloads),
        queue=Queue.from_settings(aws, settings, clock),
        pauses=Pauses(state, clock),
        limits=Limits.of(plan.systems, state, clock),
        giving_up=GivingUp(
            aws,
            journal,
            dead_letters=settings.dead_letters_url,
            bus=settings.bus,
            announcements=Announcements(plan, beside, payloads),
            metrics=metrics,
        ),
        metrics=metrics,
        logger=logger(),
        clock=clock,
        keep_dead=settings.keep_dead,
        jitter=random.random,
    )

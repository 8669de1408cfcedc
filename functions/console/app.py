"""The console: the interface below ``/api`` for those who watch and operate, and the page over it."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.api.app import make_app
from causeway.api.routes import OPERATIONS
from causeway.api.stack import Stack
from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.console.pages import pages
from causeway.console.signing_in import SigningIn
from causeway.delivery.pauses import Pauses
from causeway.limiting.health import Healths
from causeway.operations.deliveries import Deliveries
from causeway.operations.ledger import Ledger
from causeway.operations.overview import Overview
from causeway.operations.replays import Replays
from causeway.operations.showing import Showing
from causeway.plan.plan import load
from causeway.queueing.payloads import Payloads
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.telemetry.logs import logger
from causeway.watching.alarms import Alarms
from causeway.watching.standing import Standings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.settings.clock import Clock


def make_stack(environ: Mapping[str, str], clock: Clock) -> Stack:
    """What the routes work with, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    journal, state = Table(aws, settings.journal), Table(aws, settings.state_table)
    pauses = Pauses(state, clock)
    queue = Queue.from_settings(aws, settings, clock)
    return Stack(
        plan=plan,
        deliveries=Deliveries(journal, clock),
        showing=Showing(plan, Payloads(aws, settings.payloads)),
        overview=Overview(journal=journal, state=state, pauses=pauses, clock=clock),
        replays=Replays(journal=journal, state=state, queue=queue, clock=clock),
        pauses=pauses,
        healths=Healths(state, clock),
        ledger=Ledger(state),
        standings=Standings(state),
        alarms=Alarms(aws, settings.stack),
        clock=clock,
        runbooks=settings.runbook_base,
    )


@functools.cache
def _stack() -> Stack:
    """Once per instance, when a request first needs it; tests of the handler put their own here."""
    return make_stack(os.environ, SystemClock())


def _signing_in() -> SigningIn:
    return SigningIn.from_settings(Settings.from_env(os.environ))


app = make_app(lambda: _stack(), (*OPERATIONS, *pages(_signing_in)))  # noqa: PLW0108 - looked up at each request


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway's HTTP API."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return app.resolve(event, context)

"""The receiving function: a provider's request in, messages on the queue, an answer out; or of the bus.

A cold start delays a provider's event, so nothing heavy is imported here: no boto3, no pydantic, no tracing
SDK; jmespath and cryptography only when an expression or a scheme needs them.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.acceptance.sightings import Sightings
from causeway.acceptance.storing import make_store
from causeway.aws.client import Aws
from causeway.plan.plan import UnreadablePlanError, load
from causeway.queueing.payloads import Payloads
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics
from causeway.webhooks.receiving import Receiver, unavailable
from causeway.webhooks.seldom import Seldom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.bus.receiving import BusReceiver
    from causeway.settings.clock import Clock
    from causeway.webhooks.gateway import Answer

metrics = Metrics()


def make_receiver(environ: Mapping[str, str], clock: Clock) -> Receiver:
    """What answers requests, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    seldom = Seldom(aws, settings, clock)
    return Receiver(
        plan=plan,
        secrets=Secrets(aws, prefix=settings.secrets_prefix, direction="in", clock=clock),
        store=make_store(plan, aws, settings, clock),
        clock=clock,
        metrics=metrics,
        base_url=settings.base_url,
        accepting=seldom.accepting,
        rejections=seldom.rejections,
        sightings=Sightings(plan, seldom.state, clock),
        canaries=seldom.canaries,
        fetch=seldom.fetch,
        visit=seldom.fetch,
    )


def make_bus_receiver(environ: Mapping[str, str], clock: Clock) -> BusReceiver:
    """What takes events from the bus, made of the environment's settings."""
    from causeway.bus.receiving import BusReceiver  # noqa: PLC0415 - nobody waits for these

    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    plan = load(settings.plan, settings.environment)
    return BusReceiver(
        plan=plan,
        store=make_store(plan, aws, settings, clock),
        payloads=Payloads(aws, settings.payloads),
        clock=clock,
        metrics=metrics,
        sightings=Sightings(plan, Seldom(aws, settings, clock).state, clock),
    )


@functools.cache
def _receiver() -> Receiver:
    """Once per instance; tests of the handler put their own here."""
    return make_receiver(os.environ, SystemClock())


@functools.cache
def _bus_receiver() -> BusReceiver:
    return make_bus_receiver(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> Answer | None:
    """Answer one request of API Gateway's HTTP API, or take one event that EventBridge brings.

    Raises:
        Exception: the event was not taken; Lambda brings it again.
    """
    logger().append_keys(function_request_id=context.aws_request_id)
    try:
        if "detail-type" not in event:
            return _answer(event)
        _bus_receiver().take(event)
        return None
    finally:
        metrics.emit()


def _answer(event: dict[str, Any]) -> Answer:
    try:
        return _receiver().answer(event)
    except UnreadablePlanError as error:
        logger().error("there is no plan to receive by", reason=str(error))
        return unavailable()

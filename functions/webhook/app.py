"""The receiving function: a provider's request in, messages on the queue, an answer out.

A cold start delays a provider's event, so nothing heavy is imported here: no boto3, no pydantic, no tracing
SDK; jmespath and cryptography only when an expression or a scheme needs them.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.aws.client import Aws
from causeway.plan.plan import UnreadablePlanError, load
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import Secrets
from causeway.telemetry.logs import logger
from causeway.telemetry.metrics import Metrics
from causeway.webhooks.accepting import Accepting
from causeway.webhooks.key_material import KeyMaterial
from causeway.webhooks.receiving import Receiver, unavailable
from causeway.webhooks.rejections import Rejections

if TYPE_CHECKING:
    from causeway.settings.clock import Clock
    from causeway.webhooks.gateway import Answer

metrics = Metrics()


def make_receiver(environ: dict[str, str] | os._Environ[str], clock: Clock) -> Receiver:
    """What answers requests, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    key_material = KeyMaterial(clock)
    return Receiver(
        plan=load(settings.plan, settings.environment),
        secrets=Secrets(aws, prefix=settings.secrets_prefix, direction="in", clock=clock),
        store=Queue.from_settings(aws, settings, clock),
        clock=clock,
        metrics=metrics,
        base_url=settings.base_url,
        accepting=Accepting(aws, prefix=settings.secrets_prefix, clock=clock),
        rejections=Rejections(aws, bucket=settings.payloads, clock=clock),
        fetch=key_material,
        visit=key_material,
    )


@functools.cache
def _receiver() -> Receiver:
    """Once per instance; tests of the handler put their own here."""
    return make_receiver(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Answer one request of API Gateway's HTTP API."""
    logger().append_keys(function_request_id=context.aws_request_id)
    try:
        return _receiver().answer(event)
    except UnreadablePlanError as error:
        logger().error("there is no plan to receive by", reason=str(error))
        return unavailable()
    finally:
        metrics.emit()

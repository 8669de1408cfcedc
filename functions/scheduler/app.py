"""The scheduler: each minute, deliveries that are due again go back on the queue."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.delivery.journal import Journal
from causeway.delivery.releasing import Releaser
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway.settings.environment import Settings
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.settings.clock import Clock


def make_releaser(environ: Mapping[str, str], clock: Clock) -> Releaser:
    """What puts deliveries back, made of the environment's settings."""
    settings = Settings.from_env(environ)
    aws = Aws.from_env(environ)
    queue = Queue(aws, url=settings.deliveries_url, bucket=settings.payloads, clock=clock)
    return Releaser(Journal(Table(aws, settings.journal), clock), queue, clock, logger())


@functools.cache
def _releaser() -> Releaser:
    """Once per instance; tests of the handler put their own here."""
    return make_releaser(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - a schedule says nothing
    """Put back what is due."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return _releaser().release(remaining=context.get_remaining_time_in_millis() / 1000)

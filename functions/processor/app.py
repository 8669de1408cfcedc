"""The processor: a batch of messages from the deliveries queue in, the ones that are to stay there out."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.delivery.meanwhile import process
from causeway.delivery.tooling import make_tools
from causeway.settings.clock import SystemClock
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from causeway.delivery.work import Tools


@functools.cache
def _tools() -> Tools:
    """Once per instance; tests of the handler put their own here."""
    return make_tools(os.environ, SystemClock())


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Carry out one batch. A plan that cannot be read fails it as a whole, and SQS hands it out again."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return process(event, context, _tools())

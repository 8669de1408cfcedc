"""The stream function: a batch of messages from the stream in, the ones that the shard is to repeat out."""

from __future__ import annotations

import functools
import os
from typing import Any

from causeway.delivery.streaming import Streaming
from causeway.delivery.tooling import make_tools
from causeway.settings.clock import SystemClock
from causeway.telemetry.logs import logger


@functools.cache
def _streaming() -> Streaming:
    """Once per instance; tests of the handler put their own here."""
    return Streaming(make_tools(os.environ, SystemClock()))


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Carry out one batch. A plan that cannot be read fails it as a whole, and the shard repeats it."""
    logger().append_keys(function_request_id=context.aws_request_id)
    return _streaming().carry_out(event, context)

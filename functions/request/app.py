"""The request function: a client's request in, an answer out, while an integration carries it out."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from causeway.delivery.tooling import make_tools
from causeway.plan.plan import UnreadablePlanError
from causeway.requests.answering import Requests
from causeway.requests.answers import unavailable
from causeway.settings.clock import SystemClock
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from causeway.webhooks.gateway import Answer


@functools.cache
def _requests() -> Requests:
    """Once per instance; tests of the handler put their own here."""
    return Requests(make_tools(os.environ, SystemClock()))


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Answer one request of API Gateway's HTTP API."""
    logger().append_keys(function_request_id=context.aws_request_id)
    try:
        return _requests().answer(event, context)
    except UnreadablePlanError as error:
        logger().error("there is no plan to answer by", reason=str(error))
        return unavailable()

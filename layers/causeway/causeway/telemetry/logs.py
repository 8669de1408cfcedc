"""Logs: JSON lines by Powertools' Logger, with the same keys everywhere.

One line per invocation, and one per delivery that did not succeed at once. What a line is about stands in
the keys of :func:`about`; Powertools adds ``service`` and ``xray_trace_id``, the invocation's own trace.
Nothing that is secret or that the map redacts may be given to a logger: it writes what it gets.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, TextIO, cast

from aws_lambda_powertools.logging import Logger


class _Stdout:
    """Whatever ``sys.stdout`` is when a line is written."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@functools.cache
def logger() -> Logger:
    """The function's logger; the level is ``POWERTOOLS_LOG_LEVEL``'s or the one set for the function."""
    return Logger(service=service(), stream=cast("TextIO", _Stdout()), utc=True, use_rfc3339=True)


def service() -> str:
    """The function's name in logs, metrics and traces, ``STACK-FUNCTION``: stacks share a namespace."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "causeway")


def about(
    *,
    system: str | None = None,
    integration: str | None = None,
    event_id: str | None = None,
    delivery_id: str | None = None,
    attempt: int | None = None,
    accepted_in: str | None = None,
) -> dict[str, Any]:
    """What a line is about, to be given as ``logger().info("...", **about(...))``; what is None is left out.

    Args:
        system: The system's name.
        integration: The integration's name.
        event_id: The event's id.
        delivery_id: The delivery's id.
        attempt: The number of the attempt.
        accepted_in: The trace of the acceptance, ``X-Amzn-Trace-Id``: leads to the receiver's lines.
    """
    return {name: value for name, value in locals().items() if value is not None}

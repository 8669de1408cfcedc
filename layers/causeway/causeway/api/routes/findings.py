"""Findings: all that is not well, as the watchdog tells it to owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.api.examples import FINDINGS as EXAMPLE
from causeway.api.operation import Answer, Operation
from causeway.api.routes.common import READ

if TYPE_CHECKING:
    from causeway.api.operation import Request
    from causeway.api.stack import Stack


def _list(stack: Stack, _request: Request) -> Answer:
    return Answer(stack.findings())


OPERATIONS = (
    Operation(
        id="listFindings",
        method="GET",
        path="/api/findings",
        scope=READ,
        summary="All that is not well: what, since when, whose, why, and what to do about it.",
        description="What the watchdog has told the owners, or the operator, and has not told to be well "
        "again; and the stack's alarms that ring. The watchdog looks once a minute; when it does not, that "
        "is the first finding. Counts and causes are at most five minutes older than its last look.",
        run=_list,
        schema="Findings",
        example=EXAMPLE,
    ),
)

"""Whether the interface answers. It asks nothing of AWS, so that anyone may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.api.operation import Answer, Operation

if TYPE_CHECKING:
    from causeway.api.operation import Request


def _health(_stack: None, _request: Request) -> Answer:
    return Answer({"status": "ok"})


OPERATIONS = (
    Operation(
        id="getHealth",
        method="GET",
        path="/api/health",
        scope=None,
        summary="Whether the interface answers.",
        run=_health,
        schema="Health",
        example={"status": "ok"},
    ),
)

"""The description of this interface, OpenAPI 3.1: made of the same records that serve it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from causeway.api.operation import Answer, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.api.operation import Request
    from causeway.plan.records import JSON


def describing(others: Sequence[Operation]) -> Operation:
    """The operation that describes these, and itself."""

    @cache
    def described() -> dict[str, JSON]:
        from causeway.api.description import describe  # noqa: PLC0415 - few ask for it

        return describe((*others, operation))

    def run(_stack: None, _request: Request) -> Answer:
        return Answer(described())

    operation = Operation(
        id="getDescription",
        method="GET",
        path="/api/openapi.json",
        scope=None,
        summary="This description.",
        run=run,
        schema="Description",
        example={"openapi": "3.1.0", "info": {"title": "Causeway", "version": "1.0.0"}, "paths": {}},
    )
    return operation

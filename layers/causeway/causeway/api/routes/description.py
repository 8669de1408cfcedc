"""The description of this interface, OpenAPI 3.1: made of the same records that serve it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from causeway.api.operation import Answer, Operation

if TYPE_CHECKING:
    from causeway.api.operation import Request
    from causeway.plan.records import JSON


@cache
def described() -> dict[str, JSON]:
    """The OpenAPI document."""
    from causeway.api.description import describe  # noqa: PLC0415 - few ask for it
    from causeway.api.routes import OPERATIONS as ALL  # noqa: PLC0415 - this is one of them

    return describe(ALL)


def _description(_stack: None, _request: Request) -> Answer:
    return Answer(described())


OPERATIONS = (
    Operation(
        id="getDescription",
        method="GET",
        path="/api/openapi.json",
        scope=None,
        summary="This description.",
        run=_description,
        schema="Description",
        example={"openapi": "3.1.0", "info": {"title": "Causeway", "version": "1.0.0"}, "paths": {}},
    ),
)

"""The description of the interface, OpenAPI 3.1, made of the records that serve it.

Powertools can describe an interface, too. It does so from functions' types by pydantic, which takes 0.1 s of
each cold start and a compiled package in the layer; and it would be a second place to say what
:mod:`causeway.api.parameters` reads by.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.api.examples import PROBLEM
from causeway.api.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.api.operation import Operation
    from causeway.api.parameters import Parameter
    from causeway.plan.records import JSON

VERSION = "1.0.0"
"""Of the interface, not of the software behind it."""

SECURITY = "client"

_ABOUT = """How a Causeway stack is, what became of an event, and what people do about it.

A client is known by an API key (`causeway keys create`) or by a token of the stack's OpenID provider, and
needs the scope `console:read` to look or `console:operate` to change something. Times are RFC 3339, durations
are seconds. Errors are problem details (RFC 9457); those of the gateway itself (no key, too many requests)
are `{"message": ...}`."""

_OUR_FAULT = {
    500: "It went wrong here; the function's log says why.",
    503: "What it asks for cannot be reached at the moment: try again.",
}
_NOT_ALLOWED = {
    401: "It is not known who asks.",
    403: "The key or token lacks the scope.",
    429: "Too many requests: the gateway lets no more of them in.",
}


def describe(operations: Iterable[Operation]) -> dict[str, JSON]:
    """The OpenAPI document of these operations."""
    paths: dict[str, dict[str, JSON]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Causeway", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, or a token of the stack's OpenID provider.",
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, JSON]:
    described: dict[str, JSON] = {
        "operationId": operation.id,
        "summary": operation.summary,
        **({"description": operation.description} if operation.description else {}),
        "security": [] if operation.scope is None else [{SECURITY: [operation.scope]}],
        "parameters": [_parameter(each) for each in operation.parameters if each.place != "body"],
        "responses": {str(operation.status.value): _answer(operation)} | _problems(operation),
    }
    if operation.has_body:
        described["requestBody"] = _body(operation)
    return described


def _parameter(parameter: Parameter) -> dict[str, JSON]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.kind.schema),
        "example": parameter.example,
    }


def _body(operation: Operation) -> dict[str, JSON]:
    members = [each for each in operation.parameters if each.place == "body"]
    required = [each.name for each in members if each.required]
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": {each.name: {**each.kind.schema, "description": each.description} for each in members},
        "required": required,
        "additionalProperties": False,
        **operation.body_rule,
    }
    example = {each.name: each.example for each in members}
    must = bool(required or operation.body_rule)
    return {"required": must, "content": {"application/json": {"schema": schema, "example": example}}}


def _answer(operation: Operation) -> dict[str, JSON]:
    schema = {"$ref": f"#/components/schemas/{operation.schema}"}
    described: dict[str, JSON] = {
        "description": re.sub(r"\.$", "", operation.summary),
        "content": {"application/json": {"schema": schema, "example": operation.example}},
    }
    if operation.schema == "Replay" and operation.status == HTTPStatus.ACCEPTED:
        described["headers"] = {
            "Location": {"description": "Where the replay is.", "schema": {"type": "string"}}
        }
    return described


def _problems(operation: Operation) -> dict[str, JSON]:
    told = dict(operation.problems) | _OUR_FAULT
    told |= _NOT_ALLOWED if operation.scope is not None else {429: _NOT_ALLOWED[429]}
    if operation.parameters:
        told[400] = "Some of the request is no good: `parameters` says what."
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema, "example": PROBLEM}}
    gateway = {"application/json": {"schema": {"type": "object"}}}
    return {
        str(status): {"description": said, "content": gateway if status == 429 else content}  # noqa: PLR2004
        for status, said in sorted(told.items())
    }

"""The routes on Powertools' resolver: who asks, for what, the answer, and a line in the log of all that."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from causeway.api.operation import Answer, Request
from causeway.api.parameters import read
from causeway.api.problems import Problem, problem_of
from causeway.api.routes import OPERATIONS
from causeway.authorizing.clients import Client, client_with
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from causeway.api.operation import Operation
    from causeway.api.stack import Stack

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Of every answer: it is of this moment, for this client, and what its type says."""

_PROBLEM = "application/problem+json"
_ANYONE = Client("", frozenset())


def make_app(
    get_stack: Callable[[], Stack], operations: Iterable[Operation] = OPERATIONS
) -> APIGatewayHttpResolver:
    """All routes.

    Args:
        get_stack: gives the stack that they work with, when the first request needs it.
        operations: the routes.
    """
    app = APIGatewayHttpResolver()
    for operation in operations:
        app.route(rule_of(operation.path), method=operation.method)(_served(app, operation, get_stack))

    @app.not_found
    def nothing_there(_: Exception) -> Response[str]:
        problem = Problem(HTTPStatus.NOT_FOUND, "there is nothing here: /api/openapi.json says what there is")
        return _response(problem.status, Answer(problem.body, type=_PROBLEM))

    return app


def rule_of(path: str) -> str:
    """A path as the resolver matches it; an event's id, at the end, may hold slashes."""
    return re.sub(r"\{\w+\}", "[^/]+", re.sub(r"(/api/events/.+/)\{\w+\}$", r"\1.+", path))


def _served(
    app: APIGatewayHttpResolver, operation: Operation, get_stack: Callable[[], Stack]
) -> Callable[[], Response[str]]:
    def serve() -> Response[str]:
        event = app.current_event.raw_event
        if operation.any_query:
            event = event | {"rawQueryString": ""}
        client, said = _ANYONE, dict[str, Any]()
        try:
            if operation.scope is not None:
                client = client_with(operation.scope, event)
            said = read(operation.parameters, event, has_body=operation.has_body)
            stack = None if operation.scope is None else get_stack()
            answer = operation.run(stack, Request(client.name, said))
            status = operation.status
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it is answered
            problem = problem_of(error, "body" if operation.has_body else "query") or _unforeseen()
            answer, status = Answer(problem.body, problem.headers, _PROBLEM), problem.status
            _tell(error, status, operation)
        _audit(operation, client, said, status)
        return _response(status, answer)

    return serve


def _unforeseen() -> Problem:
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this went wrong here; the log of the function says why")


def _tell(error: Exception, status: HTTPStatus, operation: Operation) -> None:
    """What is our fault is told in the log, not to who asked."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger().exception("unforeseen", operation=operation.id)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger().error("unavailable", operation=operation.id, reason=f"{type(error).__name__}: {error}")


def _audit(operation: Operation, client: Client, said: dict[str, Any], status: HTTPStatus) -> None:
    """Who did what, and what came of it."""
    asked = {name: value for name, value in said.items() if value is not None}
    logger().info("answered", client=client.name, operation=operation.id, status=status.value, asked=asked)


def _response(status: HTTPStatus, answer: Answer) -> Response[str]:
    is_json = answer.type.endswith("json")
    return Response(
        status_code=status.value,
        content_type=answer.type,
        headers={**HEADERS, **answer.headers},
        body=json.dumps(answer.body, separators=(",", ":")) if is_json else answer.body,
    )

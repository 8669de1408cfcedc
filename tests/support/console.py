"""The console on a stage of deliveries, asked as API Gateway asks it, or over WSGI by who knows only its description."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import quote, unquote

from causeway.api.app import make_app
from causeway.api.routes import OPERATIONS
from causeway.api.stack import Stack
from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.limiting.health import Healths
from causeway.operations.deliveries import Deliveries
from causeway.operations.ledger import Ledger
from causeway.operations.overview import Overview
from causeway.operations.replays import Replays
from causeway.operations.showing import Showing
from causeway.queueing.payloads import Payloads
from causeway.watching.alarms import Alarms
from causeway.watching.standing import Standings

CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
ALL = "console:operate console:read"


class Answered(NamedTuple):
    status: int
    body: object
    headers: dict


def stack_of(stage, aws=None):
    """A stack on what a stage's processor writes."""
    aws = aws or stage.memory
    journal, state = Table(aws, "journal"), Table(aws, "state")
    pauses = Pauses(state, stage.clock)
    queue = stage.tools.queue
    return Stack(
        plan=stage.tools.plan,
        deliveries=Deliveries(journal, stage.clock),
        showing=Showing(stage.tools.plan, Payloads(aws, "payloads")),
        overview=Overview(journal=journal, state=state, pauses=pauses, clock=stage.clock),
        replays=Replays(journal=journal, state=state, queue=queue, clock=stage.clock),
        pauses=pauses,
        healths=Healths(state, stage.clock),
        ledger=Ledger(state),
        standings=Standings(state),
        alarms=Alarms(aws, "causeway-dev"),
        clock=stage.clock,
    )


def authorizer(client="key:ann", scopes=ALL):
    """What the authorizer has said."""
    return {"lambda": {"client": client, "scopes": scopes}}


def event_of(method, path, *, query="", body=None, said=None):
    """An event of API Gateway's HTTP API, payload format 2.0; the path as it is sent."""
    parameters = {}
    for operation in OPERATIONS:
        named = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
        named = re.sub(r"(/api/events/.*)\[\^/\]\+\)$", r"\1.+)", named)
        match = re.fullmatch(named, path)
        if operation.method == method and match:
            parameters = {name: unquote(value) for name, value in match.groupdict().items()}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": unquote(path), "sourceIp": "127.0.0.1"},
            "stage": "$default",
            **({"authorizer": said} if said is not None else {}),
        },
        "pathParameters": parameters,
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def ask(app, method, path, *, query="", body=None, said=None):
    """Ask it, by default as somebody who may do all."""
    said = authorizer() if said is None else said
    found = app.resolve(event_of(method, path, query=query, body=body, said=said), CONTEXT)
    headers = {**(found.get("headers") or {})}
    return Answered(found["statusCode"], json.loads(found["body"]), headers)


class Console:
    """A console on a stage."""

    def __init__(self, stage, aws=None):
        self.stage = stage
        self.stack = stack_of(stage, aws)
        self.app = make_app(lambda: self.stack)

    def get(self, path, query="", **more):
        return ask(self.app, "GET", path, query=query, **more)

    def post(self, path, body=None, **more):
        return ask(self.app, "POST", path, body=body, **more)

    def delete(self, path, **more):
        return ask(self.app, "DELETE", path, **more)

    def wsgi(self, environ, start_response):
        """The gateway and its authorizer, which knows one token."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size).decode("utf-8", "surrogateescape") if size else None
        method = environ["REQUEST_METHOD"]
        path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/")
        known = environ.get("HTTP_AUTHORIZATION") == "Bearer good"
        public = path in {operation.path for operation in OPERATIONS if operation.scope is None}
        said = authorizer() if known and not public else {}
        event = event_of(method, path, query=environ.get("QUERY_STRING", ""), body=body, said=said)
        answer = self.app.resolve(event, CONTEXT)
        headers = {name: str(value) for name, value in {**(answer.get("headers") or {})}.items()}
        for name, values in (answer.get("multiValueHeaders") or {}).items():
            headers[name] = ",".join(values)
        start_response(f"{answer['statusCode']} -", list(headers.items()))
        return [answer["body"].encode()]

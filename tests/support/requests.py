"""A stage for requests: the request function beside the processor, on the same journal, clock and target."""

from __future__ import annotations

import json
from dataclasses import dataclass

from causeway.requests.answering import Requests
from tests.support.deliveries import Context, Stage, plan_of

TIMEOUT = 29.0
NAME = "orders-to-ledger"


@dataclass
class Reply:
    """What a client got."""

    status: int
    headers: dict
    body: object

    @property
    def delivery(self):
        return self.headers["causeway-delivery"]


def plan_for(*, wait=20.0, otherwise="queue", **more):
    """A plan whose only integration is asked by clients."""
    return plan_of(source={"request": {"wait": wait, "otherwise": otherwise}}, **more)


def request_of(
    body=None,
    *,
    client="key:app",
    scopes="requests:call",
    integration=NAME,
    method="POST",
    delivery=None,
    **headers,
):
    """The event of a request that has passed the authorizer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    parameters = {"integration": integration} | ({"id": delivery} if delivery else {})
    path = "/requests/" + "/".join(parameters.values())
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "authorization": "Bearer hush", **named},
        "requestContext": {
            "http": {"method": method, "path": path},
            "authorizer": {"lambda": {"client": client, "scopes": scopes}},
        },
        "pathParameters": parameters,
        "isBase64Encoded": False,
    }
    if method == "POST":
        event["body"] = body if isinstance(body, str) else json.dumps({"total": 5} if body is None else body)
    return event


class Asking(Stage):
    """The stage, with clients."""

    def deploy(self, plan, *, jitter=0.0):
        super().deploy(plan, jitter=jitter)
        self.requests = Requests(self.tools)

    def ask(self, body=None, *, timeout=TIMEOUT, **more):
        """One request, answered by an invocation of its own."""
        return self.send(request_of(body, **more), timeout=timeout)

    def look(self, delivery, **more):
        """A look for its reply."""
        return self.send(request_of(method="GET", delivery=delivery, **more))

    def send(self, event, timeout=TIMEOUT):
        self.invocations += 1
        context = Context(self.clock, f"request-{self.invocations}", timeout)
        answer = self.requests.answer(event, context)
        body = answer["body"]
        is_json = answer["headers"].get("content-type", "").endswith("json")
        return Reply(answer["statusCode"], answer["headers"], json.loads(body) if is_json else body)

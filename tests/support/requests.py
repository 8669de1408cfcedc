"""A stage for requests: the request function beside the processor, on the same journal, clock and target."""

from __future__ import annotations

import json
from dataclasses import dataclass

from causeway.aws.table import Table
from causeway.operations import books
from causeway.requests.answering import Requests
from tests.support.deliveries import NOW, Context, Stage, plan_of

TIMEOUT = 29.0
NAME = "orders-to-ledger"
CREATED = (
    201,
    {"id": "entry-1"},
    {"location": "https://ledger.example.com/1", "x-trace": "t", "set-cookie": "s"},
)


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


def staged(*answers, **planned):
    stage = Asking(plan_for(**planned))
    stage.target.on("/entries", *answers)
    return stage


def history(stage, reply):
    return [entry["outcome"] for entry in stage.item(reply.delivery)["attempts"]]


def is_problem(reply, status):
    return (
        reply.status == reply.body["status"] == status
        and reply.headers["content-type"] == "application/problem+json"
        and reply.body["detail"]
    )


def balance(stage, capsys):
    """What was accepted in each hour up to now, and what is accounted for of it."""
    lines = capsys.readouterr().out.splitlines()
    table, first = Table(stage.memory, "journal"), NOW // books.HOUR
    hours = [hour * books.HOUR for hour in range(int(first), int(stage.clock.now() // books.HOUR) + 1)]
    found = [
        book
        for hour in hours
        for book in books.close(table, hour, [NAME], books.accepted_by(lines, hour).__getitem__)
    ]
    return [(book.accepted, book.accounted) for book in found]

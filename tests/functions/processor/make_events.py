"""Makes the corpus: ``python -m tests.functions.processor.make_events`` writes events/processor and /scheduler anew.

What the functions are invoked with by ``sam local invoke``, by these tests and in the documentation. The messages are
for the example map, of a time that has long passed.
"""

from __future__ import annotations

import json
from pathlib import Path

from causeway.events.envelope import make_event
from causeway.events.identity import delivery_id
from causeway.queueing.messages import FORMAT, encode
from causeway.queueing.tickets import FIRST
from causeway.settings.clock import rfc3339

DIRECTORY = Path(__file__).parents[3] / "events"
TIME = 1_764_000_000.0
TRACE = "Root=1-69247b00-4bf92f3577b34da6a3ce929d;Parent=00f067aa0ba902b7;Sampled=1"

ORDER = {
    "id": 820982911946154508,
    "name": "#9999",
    "email": "jon@example.com",
    "created_at": "2025-11-24T15:59:58-05:00",
    "currency": "EUR",
    "total_price": "398.00",
    "line_items": [{"title": "Aviator sunglasses", "quantity": 2, "price": "199.00"}],
}
PULL_REQUEST = {
    "action": "opened",
    "number": 2,
    "pull_request": {
        "number": 2,
        "title": "Update the README with new information.",
        "html_url": "https://github.com/Codertocat/Hello-World/pull/2",
        "user": {"login": "Codertocat"},
        "merged": False,
    },
    "repository": {"full_name": "Codertocat/Hello-World"},
    "sender": {"login": "Codertocat"},
}


def message(
    integration: str, system: str, event_id: str, event_type: str, data: object, **more: object
) -> dict:
    """A delivery's first message, as the receiving function puts it on the queue."""
    event = make_event(id=event_id, type=event_type, source=system, time=rfc3339(TIME), data=data)
    return {
        "format": FORMAT,
        "delivery": delivery_id(system, event_id, integration),
        "integration": integration,
        "system": system,
        "ticket": str(FIRST),
        "acceptance": "0af7651916cd43dd8448eb211c80319c",
        "accepted_at": TIME,
        "event": event,
        "trace": TRACE,
        **more,
    }


def records(*bodies: str) -> dict:
    """An event of Lambda's poller. Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-66197597{number:04d}",
                "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy{number:04d}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(int(TIME * 1000)),
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": str(int(TIME * 1000) + 40),
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:deliveries",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def make() -> dict[str, dict]:
    """The events, by the name of their file."""
    order = message("orders-to-ledger", "shop", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "orders/paid", ORDER)
    free = message(
        "orders-to-ledger", "shop", "free-of-charge", "orders/paid", {**ORDER, "total_price": "0.00"}
    )
    pull_request = message(
        "pull-requests-to-chat",
        "github",
        "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "pull_request",
        PULL_REQUEST,
    )
    incomplete = message("orders-to-ledger", "shop", "incomplete", "orders/paid", {"total_price": "1.00"})
    removed = message("no-such-integration", "shop", "removed", "orders/paid", ORDER)
    return {
        "processor/order": records(encode(order)),
        "processor/pull-request": records(encode(pull_request)),
        "processor/filtered": records(encode(free)),
        "processor/incomplete": records(encode(incomplete)),
        "processor/removed-integration": records(encode(removed)),
        "processor/poison": records("this is no message"),
        "processor/batch": records(encode(order), "this is no message", encode(pull_request)),
        "scheduler/minute": {
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "123456789012",
            "time": "2025-11-24T16:00:00Z",
            "region": "eu-central-1",
            "resources": ["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/causeway-minute"],
            "detail": {},
        },
    }


if __name__ == "__main__":
    for name, event in make().items():
        (DIRECTORY / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")

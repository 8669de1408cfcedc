"""A stage on which deliveries keep an order, by customer."""

from __future__ import annotations

from causeway.delivery.going_on import KEY
from tests.support.deliveries import NOW, plan_of

HOUR = 3600.0
BREAKER = {"failures": 0.5, "of_at_least": 2, "within": 300.0, "open_for": 30.0}


def plan(**more):
    return plan_of(order_by="data.customer", **more)


def accept(stage, customer, *numbers):
    """Events of one customer, in this order; the deliveries' ids."""
    return [
        stage.accept(
            f"{customer}-{number}",
            acceptance=f"{customer}-{number}",
            data={"customer": customer, "n": number},
        )
        for number in numbers
    ]


def came(stage, customer=None, path="/entries"):
    """What reached the target, in order: the events' numbers."""
    return [each.body["n"] for each in stage.target.at(path) if customer in (None, each.body["customer"])]


def refuse(stage, *refused, answer=503):
    """Let the target refuse events, by (customer, number), until it is told otherwise."""
    refusing = set(refused)
    stage.target.on(
        "/entries", lambda asked: answer if (asked.body["customer"], asked.body["n"]) in refusing else 200
    )
    return refusing


def places(stage):
    """How many messages lie with parked keys."""
    return sum(id_.startswith(KEY) and part != "delivery" for id_, part in stage.memory.tables["journal"])


def parked(stage):
    """The parked keys' items."""
    return [item for item in stage.items() if item["id"].startswith(KEY)]


def waiting_at(stage):
    """When each waiting delivery was to be tried again, in seconds from the beginning."""
    return [each.at - NOW for each in stage.target.asked]

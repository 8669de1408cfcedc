"""What tests of ordered deliveries share: events of customers, and what of them reached the target."""

from __future__ import annotations

from causeway.delivery.going_on import KEY
from tests.support.deliveries import plan_of


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


def parked(stage):
    """The parked keys' items."""
    return [item for item in stage.items() if item["id"].startswith(KEY)]


def refuse(stage, *refused, answer=503):
    """Let the target refuse events, by (customer, number), until it is told otherwise."""
    refusing = set(refused)
    stage.target.on(
        "/entries", lambda asked: answer if (asked.body["customer"], asked.body["n"]) in refusing else 200
    )
    return refusing

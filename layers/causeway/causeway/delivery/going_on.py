"""The messages with which deliveries go on that the journal knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.queueing.messages import FORMAT, new_acceptance
from causeway.queueing.tickets import FIRST, Ticket

if TYPE_CHECKING:
    from causeway.aws.table import Item
    from causeway.queueing.messages import Message

KEY = "order#"
"""What the id of an order key's item begins with, before the name of its group."""


def message_of(item: Item, ticket: str) -> Message:
    """The message with which a delivery goes on at this ticket; its event lies beside the item."""
    message: Message = {
        "format": FORMAT,
        "delivery": item["id"],
        "integration": item["integration"],
        "system": item["system"],
        "ticket": ticket,
        "acceptance": item["acceptance"],
        "accepted_at": item["accepted_at"],
        "event_at": "journal",
    }
    for name in ("order", "trace"):
        if name in item:
            message[name] = item[name]
    return message


def wake(item: Item) -> Message:
    """The message with which a waiting delivery goes on: its own, or that which works off its order key.

    The latter is a message to the key. It carries no news, so that any number of them does no harm, and each
    is another one to the queue.
    """
    message = message_of(item, item["ticket"])
    if "order" in message:
        message |= {
            "delivery": KEY + message["order"],
            "ticket": str(FIRST),
            "acceptance": new_acceptance(),
        }
    return message


def since_of(message: Message, sent_at: float) -> float:
    """When a message's chain of attempts begins: a replay's, whoever replays, when it is sent."""
    return sent_at if Ticket.parse(message["ticket"]).replay else message["accepted_at"]

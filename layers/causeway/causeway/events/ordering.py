"""Order keys: which deliveries of an integration are done strictly one after the other.

The deliveries of one integration and one key are a group. A group's name is a hash, since keys are data of
people, such as a customer's number, and the name stands in messages, in the journal and in logs.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, cast

from causeway.events.envelope import scope_of
from causeway.events.expressions import ExpressionError, select

if TYPE_CHECKING:
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON, Integration
    from causeway.queueing.messages import Message


def key_of(integration: Integration, event: Event) -> str | None:
    """An event's order key as a text; None when the integration keeps no order.

    A number is the same key as its digits; a list of several values (``[data.shop, data.id]``) is one key.

    Raises:
        ExpressionError: ``order_by`` cannot be evaluated on this event, or gives null.
    """
    if "order_by" not in integration:
        return None
    value = select(integration["order_by"], scope_of(event, integration["constants"], {}))
    if value is None:
        raise ExpressionError(
            "the order key is null (a field that it reads may be missing)", integration["order_by"]
        )
    return value if isinstance(value, str) else json.dumps(_same(value), sort_keys=True)


def ordered(integration: Integration, message: Message) -> Message:
    """A first message with the group of its order key, if its integration keeps an order.

    A key that cannot be had is no reason to drop the delivery: it is queued, in a group of its own, to die
    with the reason.
    """
    event = message.get("event")
    if "order_by" not in integration or event is None:
        return message
    try:
        key = f"{key_of(integration, cast('Event', event))}"
    except ExpressionError:
        return {**message, "order": _group(message["integration"], "no key", message["delivery"])}
    return {**message, "order": _group(message["integration"], "key", key)}


def _same(value: JSON) -> JSON:
    """2.0 is 2, as it is to whoever sends it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_same(each) for each in value] if isinstance(value, list) else value


def _group(integration: str, kind: str, key: str) -> str:
    identity = f"{integration}\n{kind}\n{key}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identity).hexdigest()[:32]

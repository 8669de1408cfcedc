"""Order keys: which deliveries of an integration are done strictly one after the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.events.envelope import scope_of
from causeway.events.expressions import ExpressionError, select

if TYPE_CHECKING:
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON, Integration


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


def _same(value: JSON) -> JSON:
    """2.0 is 2, as it is to whoever sends it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_same(each) for each in value] if isinstance(value, list) else value

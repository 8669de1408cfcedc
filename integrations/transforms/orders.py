"""Orders of the shop, as the ledger wants them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def to_lines(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of an entry: amounts in cents, which no expression computes exactly.

    Args:
        scope: What expressions see: data, headers, constants, steps ...
    """
    return [
        {
            "text": item["title"],
            "quantity": item["quantity"],
            "cents": int(Decimal(item["price"]) * 100) * item["quantity"],
        }
        for item in scope["data"]["line_items"]
    ]

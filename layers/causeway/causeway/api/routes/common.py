"""Parameters that several routes share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from causeway.api.parameters import FLAG, MOMENT, Parameter, name, number

if TYPE_CHECKING:
    from collections.abc import Iterable

READ, OPERATE = "console:read", "console:operate"
"""The scopes."""

NAME = name(r"[a-z][a-z0-9-]{0,47}", "a name of the map: lower-case letters, digits and hyphens")

INTEGRATION = Parameter("name", "path", NAME, "The integration's name.", "orders-to-ledger", required=True)
DELIVERY = Parameter(
    "id",
    "path",
    name("[0-9a-f]{32}", "a delivery's id: 32 hexadecimal digits"),
    "The delivery's id.",
    "3a7bd3e2360a3d29eea436fcfb7e44c7",
    required=True,
)
RATE = Parameter("rate", "body", number(0.1, 100), "Deliveries per second; default: 20.", 5)

NEW_KEY = Parameter(
    "new_key", "body", FLAG, "With an `Idempotency-Key` that the target has not seen.", example=False
)

FILTERS = (
    Parameter("integration", "query", NAME, "Only of this integration.", "orders-to-ledger"),
    Parameter(
        "error",
        "query",
        name("[a-z ]{1,32}", "a class of reasons, such as http"),
        "Only with this class of reasons: `http`, `timeout`, `connection`, `dns`, `tls`, `address`, "
        "`mapping`, `paused`, `order`, `limit`, `circuit`, `crashed`, `removed`, `lost`, `time`, `fault` "
        "or `no time`.",
        "http",
    ),
    Parameter("since", "query", MOMENT, "Only those accepted then or later.", "2026-11-22T10:00:00Z"),
    Parameter("until", "query", MOMENT, "Only those accepted then or earlier.", "2026-11-22T12:00:00Z"),
)
"""Which deliveries."""


def in_body(parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """The same, as members of a request's body."""
    return tuple(replace(each, place="body") for each in parameters)

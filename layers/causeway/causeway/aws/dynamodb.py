"""Python values as DynamoDB writes them, and back. Unlike boto3's, they may be floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan.records import JSON


def to_value(value: JSON) -> dict[str, JSON]:
    """One value with its type. Half a surrogate pair, which DynamoDB refuses, becomes a question mark."""
    match value:  # what is frequent first
        case str():
            return {"S": value if value.isascii() else value.encode("utf-8", "replace").decode()}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case dict():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_value(one) for one in value]}
    raise TypeError(f"{type(value).__name__} is not kept in an item")


def to_item(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Values by name, each with its type."""
    return {name: to_value(value) for name, value in values.items()}


def from_value(typed: Mapping[str, JSON]) -> JSON:
    """The value."""
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return value
        case "NULL":
            return None
        case "N":
            return int(value) if value.removeprefix("-").isdecimal() else float(value)
        case "M":
            return from_item(value)
        case "L":
            return [from_value(one) for one in value]
    return value


def from_item(item: Mapping[str, JSON]) -> dict[str, JSON]:
    """An item's values by name."""
    return {name: from_value(typed) for name, typed in item.items()}

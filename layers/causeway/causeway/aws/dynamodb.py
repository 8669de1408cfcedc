"""DynamoDB's typed JSON, and plain values.

Numbers are ``int`` or ``float``: a float that is a whole number comes back as an ``int`` (DynamoDB keeps no
difference). A set of strings is a Python ``set``. An empty list, map or string is what it is.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_DIGITS = 38


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """An item, a key or expression values in DynamoDB's form.

    Raises:
        TypeError: there is no such type in DynamoDB.
        ValueError: a number that DynamoDB cannot hold.
    """
    return {name: to_value(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of an item that DynamoDB returned."""
    return {name: from_value(value) for name, value in item.items()}


def to_value(value: Any) -> dict[str, Any]:  # noqa: PLR0911 - a table by type
    """One value in DynamoDB's form; see :func:`to_item`."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": _number(value)}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case dict():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_value(each) for each in value]}
        case set() | frozenset() if value and all(isinstance(each, str) for each in value):
            return {"SS": sorted(value)}
        case _:
            raise TypeError(f"DynamoDB has no value for a {type(value).__name__}")


def from_value(value: Mapping[str, Any]) -> Any:
    """The plain value of one in DynamoDB's form."""
    ((kind, content),) = value.items()
    return _FROM[kind](content)


def _number(value: float) -> str:
    if isinstance(value, int):
        text = str(value)
        if len(text.lstrip("-").rstrip("0")) > _MOST_DIGITS:
            raise ValueError(f"DynamoDB keeps {_MOST_DIGITS} digits of a number")
        return text
    if not math.isfinite(value) or not (value == 0 or 1e-130 <= abs(value) < 1e126):  # noqa: PLR2004 - its documented range
        raise ValueError(f"DynamoDB cannot hold {value}")
    return repr(value)


def _from_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


_FROM: dict[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "BOOL": bool,
    "S": str,
    "N": _from_number,
    "B": base64.b64decode,
    "M": from_item,
    "L": lambda values: [from_value(each) for each in values],
    "SS": set,
    "NS": lambda texts: {_from_number(text) for text in texts},
    "BS": lambda texts: {base64.b64decode(text) for text in texts},
}

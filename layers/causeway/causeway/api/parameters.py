"""What a request may say: each part of it as data, by which it is read, and described."""

from __future__ import annotations

import json
import math
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from causeway.api.problems import Fault, bad
from causeway.settings.clock import from_rfc3339, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causeway.plan.records import JSON

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SHOWN = 80
_ABSENT = object()

LARGEST_BODY = 65536
"""Characters of a request's body."""


class Kind(NamedTuple):
    """A kind of values: its JSON Schema, and how one is read."""

    schema: Mapping[str, JSON]
    read: Callable[[JSON], Any]  # raises ValueError with what would be right


@dataclass(frozen=True)
class Parameter:
    """One part of a request."""

    name: str
    place: Literal["path", "query", "body"]
    kind: Kind
    description: str
    example: JSON
    required: bool = False


def read(parameters: Sequence[Parameter], event: Mapping[str, Any], *, has_body: bool) -> dict[str, Any]:
    """The values of a request by name; what is absent is None.

    Args:
        parameters: all that the request may say.
        event: of API Gateway's HTTP API.
        has_body: whether it may have a body, which is a JSON object.

    Raises:
        Problem: some of it is no good; all that is wrong at once.
    """
    faults: list[Fault] = []
    given = {
        "path": dict(event.get("pathParameters") or {}),
        "query": _query(event, faults),
        "body": _body(event, faults) if has_body else {},
    }
    values: dict[str, Any] = {}
    for each in parameters:
        value = given[each.place].pop(each.name, _ABSENT)
        values[each.name] = None
        if value is _ABSENT and each.required:
            faults.append(Fault(each.name, each.place, f"is missing: {each.description}"))
        elif value is not _ABSENT:  # null is none of the kinds: a filter that is null would leave nothing out
            try:
                values[each.name] = each.kind.read(value)
            except ValueError as error:
                faults.append(Fault(each.name, each.place, f"{error}, not {_short(value)}"))
    for place in ("query", "body"):
        known = ", ".join(each.name for each in parameters if each.place == place) or "none"
        faults += [Fault(name, place, f"is not known; there are: {known}") for name in given[place]]
    if faults:
        raise bad(faults)
    return values


def _query(event: Mapping[str, Any], faults: list[Fault]) -> dict[str, JSON]:
    given: dict[str, JSON] = {}
    for name, value in parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True):
        if name in given:
            faults.append(Fault(name, "query", "is there more than once"))
        given[name] = value
    return given


def _body(event: Mapping[str, Any], faults: list[Fault]) -> dict[str, JSON]:
    sent: str = event.get("body") or ""
    try:
        text_of = b64decode(sent, validate=True) if event.get("isBase64Encoded") else sent
        found = json.loads(text_of) if sent else {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and len(sent) <= LARGEST_BODY:
        return found
    faults.append(Fault("body", "body", f"must be a JSON object of at most {LARGEST_BODY} characters"))
    return {}


def _short(value: JSON) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


# ---- kinds -------------------------------------------------------------------------------------------------


def text(longest: int) -> Kind:
    """A text for people, in one line: what else is in it becomes a space."""

    def read_text(value: JSON) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.strip():
            raise ValueError(f"must be a text of 1 to {longest} characters")
        return "".join(each if each.isprintable() else " " for each in value)

    return Kind({"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"}, read_text)


def name(pattern: str, means: str) -> Kind:
    """A text that a regular expression describes whole."""

    def read_name(value: JSON) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"must be {means}")
        return value

    return Kind({"type": "string", "pattern": f"^{pattern}$"}, read_name)


def foreign(longest: int) -> Kind:
    """A name that somebody else has given: whatever can be written."""

    def read_foreign(value: JSON) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= longest or not _is_text(value):
            raise ValueError(f"must be a text of 1 to {longest} characters")
        return value

    return Kind({"type": "string", "minLength": 1, "maxLength": longest}, read_foreign)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_of(*values: str) -> Kind:
    """One of these texts."""

    def read_one(value: JSON) -> str:
        if value not in values or not isinstance(value, str):
            raise ValueError(f"must be {' or '.join(values)}")
        return value

    return Kind({"type": "string", "enum": list(values)}, read_one)


def whole(least: int, most: int) -> Kind:
    """A whole number in a path or query."""

    def read_whole(value: JSON) -> int:
        if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return Kind({"type": "integer", "minimum": least, "maximum": most}, read_whole)


def number(least: float, most: float) -> Kind:
    """A number in a body."""

    def read_number(value: JSON) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return float(value)

    return Kind({"type": "number", "minimum": least, "maximum": most}, read_number)


def _moment(value: JSON) -> float:
    """Epoch seconds; what cannot be written back, at the ends of the calendar, is no time that we know."""
    try:
        known = isinstance(value, str) and _MOMENT.fullmatch(value)
        seconds = from_rfc3339(value) if known else math.nan
        rfc3339(seconds)
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-11-22T10:00:00Z (RFC 3339)") from None
    return max(0.0, seconds)


def _flag(value: JSON) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - as all kinds say it
    return value


MOMENT = Kind({"type": "string", "format": "date-time"}, _moment)
"""A time, RFC 3339."""

FLAG = Kind({"type": "boolean"}, _flag)
"""True or false, in a body."""

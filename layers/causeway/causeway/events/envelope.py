"""The event: a CloudEvents 1.0 JSON object, and how a provider's body becomes its data."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:  # TypedDicts, too: every cold start would pay for making them
    from collections.abc import Callable, Collection, Mapping
    from typing import NotRequired, TypedDict

    from causeway.plan.records import JSON

    class Event(TypedDict):
        """What a system told us. ``headers`` is an extension of ours; the rest is CloudEvents 1.0."""

        specversion: str
        id: str
        type: str
        source: str  # the system's name
        time: str  # RFC 3339
        datacontenttype: str
        data: NotRequired[JSON]
        data_base64: NotRequired[str]
        headers: dict[str, str]


Scope = dict[str, "JSON"]
"""What expressions see, by name."""

SCOPE_FIELDS = frozenset(
    {"id", "type", "time", "source", "headers", "data", "data_base64", "constants", "steps"}
)
"""The names that an integration's expressions see."""

MAX_DEPTH = 200
"""Objects and lists may be nested so deep; whatever handles an event later recurses over it without fear."""

_TEXT_SUBTYPES = frozenset({"xml", "x-ndjson", "yaml", "jwt", "jose"})
_TEXT_SUFFIXES = ("+xml", "+yaml", "+jwt")
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)
_CREDENTIALS = re.compile(
    "authorization|cookie|signature|-sig|hmac|token|secret|password|credential|api-key|apikey|auth-key|x-auth"
)


class MalformedBody(Exception):  # noqa: N818 # named for what it is, as in docs/architecture.md
    """A body is not what its content type says; the provider is answered 400."""


class Body(NamedTuple):
    """What a body says: ``data``, or ``data_base64`` of what is neither JSON, a form nor text."""

    data: JSON = None
    data_base64: str | None = None


def make_event(
    *,
    id: str,  # noqa: A002 # the attribute's name in CloudEvents
    type: str,  # noqa: A002 # likewise
    source: str,
    time: str,
    data: JSON = None,
    data_base64: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """An event. ``headers`` are stored as they are given: :func:`public_headers` prepares them."""
    event: Event = {
        "specversion": "1.0",
        "id": id,
        "type": type,
        "source": source,
        "time": time,
        "datacontenttype": "application/json",
        "headers": dict(headers or {}),
    }
    if data_base64 is None:
        event["data"] = data
    else:
        event["data_base64"] = data_base64
        event["datacontenttype"] = event["headers"].get("content-type", "application/octet-stream")
    return event


def public_headers(headers: Mapping[str, str], *, signature_headers: Collection[str] = ()) -> dict[str, str]:
    """The headers in lower case, without what proves who sent them.

    Args:
        headers: as they came.
        signature_headers: the scheme's own, in lower case. Others are known by their names: GitHub sends a
            second signature beside the one that is verified.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    return {
        name: value
        for name, value in lower.items()
        if name not in signature_headers and not _CREDENTIALS.search(name)
    }


def scope_of(event: Event, constants: Mapping[str, JSON], steps: Mapping[str, JSON]) -> Scope:
    """What an integration's expressions see of an event: exactly :data:`SCOPE_FIELDS`."""
    return {
        "id": event["id"],
        "type": event["type"],
        "time": event["time"],
        "source": event["source"],
        "headers": event["headers"],
        "data": event.get("data"),
        "data_base64": event.get("data_base64"),
        "constants": dict(constants),
        "steps": dict(steps),
    }


def read_body(body: bytes, content_type: str | None) -> Body:
    """A body as data, by its content type.

    An empty body is null, whatever its type. Without a type the body is JSON if it can be read as that
    (RFC 9110, section 8.3, lets a recipient look), and else bytes.

    Raises:
        MalformedBody: it is not what its content type says.
    """
    if not body:
        return Body()
    if not content_type or "/" not in content_type:
        return _guess(body)
    main, _, sub = content_type.partition(";")[0].strip().lower().partition("/")
    charset = _CHARSET.search(content_type)
    if reader := _reader(main, sub):
        return Body(data=reader(body, charset[1] if charset else None))
    return _as_base64(body)


def _reader(main: str, sub: str) -> Callable[[bytes, str | None], JSON] | None:
    if sub == "json" or sub.endswith("+json"):
        return _read_json
    if sub == "x-www-form-urlencoded":
        return _read_form
    if main == "text" or sub in _TEXT_SUBTYPES or sub.endswith(_TEXT_SUFFIXES):
        return _decode
    return None


def _guess(body: bytes) -> Body:
    try:
        return Body(data=_read_json(body, None))
    except MalformedBody:
        return _as_base64(body)


def _as_base64(body: bytes) -> Body:
    return Body(data_base64=base64.b64encode(body).decode("ascii"))


def _decode(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8")
    except (LookupError, ValueError) as error:
        raise MalformedBody(f"the body is not {charset or 'utf-8'} text") from error


def _read_json(body: bytes, charset: str | None) -> JSON:
    """JSON of RFC 8259, with two decisions of ours.

    Of a name that an object has twice the last value counts, as it does for nearly every parser. NaN,
    Infinity and numbers beyond a double are refused: they could not be passed on as JSON.
    """
    # Without a charset the encoding shows in the first bytes, a byte order mark included.
    text = _decode(body, charset or json.detect_encoding(body)).removeprefix("\ufeff")
    try:
        data = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except ValueError as error:
        raise MalformedBody("the body is not JSON, as its content type says") from error
    except RecursionError:
        raise MalformedBody(f"the body is nested more than {MAX_DEPTH} levels deep") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(data, MAX_DEPTH):
        raise MalformedBody(f"the body is nested more than {MAX_DEPTH} levels deep")
    return data


def _is_deeper(data: JSON, limit: int) -> bool:
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _refuse(constant: str) -> JSON:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def _read_form(body: bytes, charset: str | None) -> dict[str, str | list[str]]:
    encoding = charset or "utf-8"
    try:
        pairs = parse_qsl(
            _decode(body, charset), keep_blank_values=True, encoding=encoding, errors="strict", separator="&"
        )
    except (LookupError, ValueError) as error:
        raise MalformedBody(f"the body is not a form in {encoding}") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}

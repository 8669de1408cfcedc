"""Which events a verified request brings: their ids, their types, and the elements of a batch."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from causeway.events.expressions import ExpressionError, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.events.envelope import Body
    from causeway.plan.records import JSON, Expression, Scheme, Webhooks
    from causeway.webhooks.patterns import SignedRequest

DEFAULT_TYPE = "event"
"""The type of an event whose scheme and manifest name none, or whose provider sent none."""

_MAX_ID = 256


class Told(NamedTuple):
    """One event as a request told it."""

    id: str
    type: str
    body: Body


class Reading(NamedTuple):
    """The events of a request, and the expressions that could not be evaluated on it, for the operator."""

    events: list[Told]
    problems: list[str]


def read_events(  # what an event is told by
    webhooks: Webhooks,
    scheme: Scheme,
    request: SignedRequest,
    body: Body,
    timestamp: float | None,
    *,
    claims: JSON = None,
) -> Reading:
    """The events of a verified request.

    The manifest's ``id``, ``type`` and ``split`` go before the scheme's. With ``split`` each element of the
    list is an event, and ``body`` in the other two is that element; where it gives no list, the body is one
    event. An event without an id gets one of its content: the hash of the body, and of the timestamp where
    one is signed, so that a repeat of the request has it again and another with the same body has not. A
    ``ping``
    says again and again with the same body that something changed: each is an event.

    Nothing in a verified request is a reason to lose it: an expression that fails has no value, and is told.
    """
    problems: list[str] = []

    def ask(key: str, element: JSON) -> JSON:
        expression = _expression(key, webhooks, scheme)
        if expression is None:
            return None
        try:
            return select(expression, {"headers": request.headers, "body": element, "claims": claims})
        except ExpressionError as error:
            problems.append(f"{key}: {error}")
            return None

    content = os.urandom(16).hex() if scheme.get("ping") else content_id(request.body, timestamp)
    elements = ask("split", body.data)
    events: Sequence[tuple[str, Body]] = [(content, body)]
    if isinstance(elements, list):
        events = [(f"{content}-{number}", body._replace(data=each)) for number, each in enumerate(elements)]
    told = [
        Told(_as_id(ask("id", each.data)) or fallback, _as_text(ask("type", each.data)) or DEFAULT_TYPE, each)
        for fallback, each in events
    ]
    return Reading(told, problems)


def _expression(key: str, *records: Mapping[str, JSON]) -> Expression | None:
    return next((record[key] for record in records if record.get(key)), None)


def content_id(body: bytes, timestamp: float | None) -> str:
    """What names a body that names no event: a repeat of the request has the same."""
    signed_at = "" if timestamp is None else f"{timestamp}\n"
    return hashlib.sha256(signed_at.encode() + body).hexdigest()[:32]


def _as_id(value: JSON) -> str:
    """An id that can stand in a header and in a key; a text that cannot is hashed."""
    text = _as_text(value)
    if len(text) <= _MAX_ID and text.isascii() and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _as_text(value: JSON) -> str:
    """Texts and numbers; everything else names nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""

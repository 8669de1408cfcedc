"""Which delivery a request is: its client and the client's key, for one integration."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from causeway.acceptance.sorting import message_of
from causeway.events.envelope import MalformedBody, make_event, public_headers, read_body
from causeway.plan.sources import REQUESTS
from causeway.queueing.messages import new_acceptance
from causeway.settings.clock import rfc3339
from causeway.webhooks.gateway import Unacceptable, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from causeway.authorizing.clients import Client
    from causeway.aws.table import Item
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message

TYPE = "request"
"""The type of every request's event."""

_KEY = re.compile(r"[!-~]{1,255}")


class Asked(NamedTuple):
    """One request, as a delivery's first message."""

    message: Message
    key: str
    given: bool  # the key is the client's, so it may have come before
    headers: Mapping[str, str]


def read(event: Mapping[str, Any], client: Client, integration: str, *, now: float) -> Asked:
    """Read a request.

    Args:
        event: of API Gateway's HTTP API.
        client: who asks.
        integration: what is asked for.
        now: epoch seconds.

    Raises:
        Unacceptable: it is too large, not JSON, or its key is none.
    """
    request = request_of(event, "")
    data = _data(request.body, request.headers.get("content-type", ""))
    given = request.headers.get("idempotency-key")
    if given is not None and not _KEY.fullmatch(given):
        raise Unacceptable(
            HTTPStatus.BAD_REQUEST, "Idempotency-Key has 1 to 255 visible ASCII characters, and no space."
        )
    key = given or str(uuid.uuid4())
    asked = make_event(
        id=f"{_owner(client)}{quote(key, safe='')}",
        type=TYPE,
        source=REQUESTS,
        time=rfc3339(now),
        data=data,
        headers=public_headers(request.headers),
    )
    message = message_of(asked, integration, system=REQUESTS, acceptance=new_acceptance(), now=now)
    message["fingerprint"] = _fingerprint(data)
    return Asked(message, key, given is not None, request.headers)


def is_of(item: Item, client: Client, integration: str) -> bool:
    """Whether a delivery is what this client asked of this integration."""
    return (
        item["system"] == REQUESTS
        and item["integration"] == integration
        and str(item.get("event_id", "")).startswith(_owner(client))
    )


def _owner(client: Client) -> str:
    """What the ids of all events of a client begin with; no other's do, since only here there is a slash."""
    return f"{quote(client.name, safe=':|@')}/"


def _data(body: bytes, content_type: str) -> JSON:
    type_ = content_type.partition(";")[0].strip().lower()
    if body and type_ and type_ != "application/json" and not type_.endswith("+json"):
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body of a request is JSON.")
    try:
        return read_body(body, content_type or "application/json").data
    except MalformedBody as error:
        raise Unacceptable(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from error


def _fingerprint(data: JSON) -> str:
    """The same for the same JSON, however it is written."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

"""Adyen's standard notifications: each item of a body carries its own signature, over eight of its fields.

https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures

Every item must verify, or none is believed. The fields are joined by colons that nobody escapes. A
merchant's reference may hold colons; a colon in any other field is refused, and so the text can be split in
one way only.

What is not bound: everything else in an item (reason, payment method, date, additional data), and the body
around the items.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from typing import TYPE_CHECKING

from causeway.webhooks.encodings import KEYS
from causeway.webhooks.patterns import Malformed, Missing
from causeway.webhooks.special.bodies import json_of
from causeway.webhooks.special.secrets import utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special.way import Moment

_MAX_ITEMS = 1000
_REFERENCE = 3  # the merchant's, the one field that may hold colons


def _verify(
    scheme: Scheme, request: SignedRequest, keys: Sequence[tuple[int, bytes]], _moment: Moment
) -> Verified:
    indexes = [_signer(item, keys) for item in _items(request.body)]
    return Verified(scheme, indexes[0], None)


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, _now: float) -> SignedRequest:
    data = json_of(request.body)
    key = _key(secret)
    for item in _items_of(data):
        additional = item.setdefault("additionalData", {})
        if not isinstance(additional, dict):
            raise Malformed("additionalData")
        additional["hmacSignature"] = _signature(key, item).decode("ascii")
    return request._replace(body=json.dumps(data).encode())


def _key(secret: str) -> bytes:
    utf8(secret)
    return KEYS["hex"](secret)


def _items(body: bytes) -> list[dict[str, JSON]]:
    return _items_of(json_of(body))


def _items_of(data: JSON) -> list[dict[str, JSON]]:
    wrapped = data.get("notificationItems") if isinstance(data, dict) else None
    if not isinstance(wrapped, list) or not wrapped:
        raise Missing("notificationItems")
    if len(wrapped) > _MAX_ITEMS:
        raise Malformed("too many items")
    items = [each.get("NotificationRequestItem") if isinstance(each, dict) else None for each in wrapped]
    found = [item for item in items if isinstance(item, dict)]
    if len(found) != len(items):
        raise Malformed("an item that is none")
    return found


def _signer(item: Mapping[str, JSON], keys: Sequence[tuple[int, bytes]]) -> int:
    additional = item.get("additionalData")
    received = additional.get("hmacSignature") if isinstance(additional, dict) else None
    if not isinstance(received, str) or not received:
        raise Missing("hmacSignature")
    signature = received.encode("ascii")
    for index, key in keys:
        if hmac.compare_digest(_signature(key, item), signature):
            return index
    raise Rejected("signature")


def _signature(key: bytes, item: Mapping[str, JSON]) -> bytes:
    amount = item.get("amount")
    amount = amount if isinstance(amount, dict) else {}
    values = [
        _text(value)
        for value in (
            item.get("pspReference"),
            item.get("originalReference"),
            item.get("merchantAccountCode"),
            item.get("merchantReference"),
            amount.get("value"),
            amount.get("currency"),
            item.get("eventCode"),
            item.get("success"),
        )
    ]
    if any(":" in value for place, value in enumerate(values) if place != _REFERENCE):
        raise Malformed("a colon where none can be")
    return b64encode(hmac.digest(key, ":".join(values).encode("utf-8"), "sha256"))


def _text(value: JSON) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise Malformed("a field that is neither text nor whole number")


WAY = Way(read=_key, verify=_verify, sign=_sign)

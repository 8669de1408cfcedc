"""Braintree: a form of two fields, a payload and its HMAC-SHA1, keyed by the SHA-1 of the private key.

https://developer.paypal.com/braintree/docs/guides/webhooks/parse

The secret is a JSON object with ``public_key`` and ``private_key``. Signatures come as ``public|hex`` pairs,
of which only those of that public key count.

What is not bound: nothing of the payload; other fields of the form are. The payload names a time, but no
window is documented and repeats carry the old one, so none is checked: a captured notification is recognised
as a repeat by its content alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode

from causeway.webhooks.patterns import Malformed, Missing
from causeway.webhooks.special.secrets import texts
from causeway.webhooks.special.way import Way
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special.way import Moment

_PAYLOAD = re.compile(r"[A-Za-z0-9+/=\n]+")
_KIND = re.compile(rb"<kind>([a-z0-9_]{1,100})</kind>")
_FIELDS = ("bt_signature", "bt_payload")


class _Keys(NamedTuple):
    public: str
    private: bytes


def _verify(
    scheme: Scheme, request: SignedRequest, keys: Sequence[tuple[int, _Keys]], _moment: Moment
) -> Verified:
    signatures, payload = _form(request.body)
    pairs = [pair.partition("|") for pair in signatures.split("&")]
    for index, key in keys:
        expected = [_signature(key, text) for text in (payload, payload + "\n")]
        for public, _, signature in pairs:
            if public == key.public and any(
                hmac.compare_digest(each, signature.encode()) for each in expected
            ):
                return Verified(scheme, index, None, {"kind": _kind(payload)})
    raise Rejected("signature")


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, _now: float) -> SignedRequest:
    """The request's body is the payload: base64 of XML."""
    key = _keys(secret)
    payload = request.body.decode("ascii")
    form = {
        "bt_signature": f"{key.public}|{_signature(key, payload).decode('ascii')}",
        "bt_payload": payload,
    }
    headers = {**request.headers, "content-type": "application/x-www-form-urlencoded"}
    return request._replace(headers=headers, body=urlencode(form).encode())


def _keys(secret: str) -> _Keys:
    fields = texts(secret, ("public_key", "private_key"))
    private = hashlib.sha1(fields["private_key"].encode("utf-8"), usedforsecurity=False).digest()
    return _Keys(fields["public_key"], private)


def _form(body: bytes) -> tuple[str, str]:
    """Signatures and payload, each of which is there exactly once."""
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=10, errors="strict")
    values = []
    for name in _FIELDS:
        found = [value for each, value in pairs if each == name]
        if not found or not found[0]:
            raise Missing(name)
        if len(found) > 1:
            raise Malformed(name)
        values.append(found[0])
    signatures, payload = values
    if not _PAYLOAD.fullmatch(payload):
        raise Malformed("bt_payload")
    return signatures, payload


def _signature(key: _Keys, payload: str) -> bytes:
    return hmac.new(key.private, payload.encode("ascii"), "sha1").hexdigest().encode("ascii")


def _kind(payload: str) -> str | None:
    """What the notification is about: the first element of that name, which no XML parser is needed for."""
    try:
        found = _KIND.search(b64decode(payload))
    except ValueError:
        return None
    return found[1].decode("ascii") if found else None


WAY = Way(read=_keys, verify=_verify, sign=_sign)

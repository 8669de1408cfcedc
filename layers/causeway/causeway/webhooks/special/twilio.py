"""Twilio: HMAC of the URL and the sorted form, or of the URL alone, which then names the body's digest.

https://www.twilio.com/docs/usage/webhooks/webhooks-security

The record says which digest it is: ``twilio`` is SHA-1 (the auth token), ``twilio-sha256`` SHA-256 (a
shared key). The header ``X-Twilio-Webhooks-Signature-Settings`` names one, too, but whoever sends a request
writes it: it is not read.

What is not bound: names and values of a form are joined without separators, so a signature does not say where
a name ends and its value begins (``A=BC`` signs as ``AB=C`` does). No time is signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from causeway.webhooks.patterns import Malformed, SchemeError, header_of
from causeway.webhooks.special.secrets import utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special.way import Moment

_HEADER = "x-twilio-signature"
_DIGESTS = {"twilio": "sha1", "twilio-sha256": "sha256"}
_FORM = "application/x-www-form-urlencoded"
_PORTS = {"https": 443, "http": 80}
_MAX_FIELDS = 1000
_SHA256 = re.compile("[0-9a-f]{64}")


def _verify(
    scheme: Scheme, request: SignedRequest, keys: Sequence[tuple[int, bytes]], _moment: Moment
) -> Verified:
    digest = _DIGESTS[scheme["code"]]
    signature = header_of(request, _HEADER).encode("ascii")
    parameters = _parameters(request)
    messages = [url + parameters for url in _urls(request.url)]
    for index, key in keys:
        for message in messages:
            if hmac.compare_digest(_signature(key, message, digest), signature):
                return Verified(scheme, index, None)
    raise Rejected("signature")


def _sign(scheme: Scheme, request: SignedRequest, secret: str, _now: float) -> SignedRequest:
    signature = _signature(utf8(secret), request.url + _parameters(request), _DIGESTS[scheme["code"]])
    return request._replace(headers={**request.headers, _HEADER: signature.decode("ascii")})


def _signature(key: bytes, message: str, digest: str) -> bytes:
    return b64encode(hmac.digest(key, message.encode("utf-8"), digest))


def _parameters(request: SignedRequest) -> str:
    """What follows the URL; empty where the URL names the body's digest, which is checked here."""
    named = [value for name, value in _pairs(urlsplit(request.url).query) if name == "bodySHA256"]
    if named:
        if len(named) > 1 or not _SHA256.fullmatch(named[0]):
            raise Malformed("bodySHA256")
        if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest(), named[0]):
            raise Rejected("signature")
        return ""
    if not request.body:
        return ""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Malformed("neither a form nor a body whose digest the URL names")
    return "".join(name + value for name, value in sorted(set(_pairs(request.body.decode("utf-8")))))


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")


def _urls(url: str) -> Iterator[str]:
    """The URL as it is configured, and as Twilio may have it: without a port, or with its scheme's own."""
    if not url:
        raise SchemeError("it needs webhooks.base_url, or the stack's public base URL")
    yield url
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    for netloc in (host, f"{host}:{parts.port or _PORTS.get(parts.scheme, 443)}"):
        variant = urlunsplit(parts._replace(netloc=netloc))
        if variant != url:
            yield variant


WAY = Way(read=utf8, verify=_verify, sign=_sign, headers=(_HEADER,))

"""Contentful: HMAC-SHA256 of method, path with query, chosen headers, and body, a line each.

https://www.contentful.com/developers/docs/extensibility/app-framework/request-verification/

The list of signed headers is signed with them, and must name itself and the timestamp. The query is encoded
twice, as Contentful's toolkit does: as one component, and then with the path as a URI.

What is not bound: headers that the list does not name, and the host.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from causeway.webhooks.patterns import Malformed, SchemeError, header_of
from causeway.webhooks.special.secrets import utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.timestamps import READ, WRITE
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special.way import Moment

_SIGNATURE = "x-contentful-signature"
_TIMESTAMP = "x-contentful-timestamp"
_SIGNED = "x-contentful-signed-headers"
_WINDOW = 30.0  # seconds: the toolkit's own, where the manifest writes no tolerance
_COMPONENT = "!'()*-._~"  # what JavaScript's encodeURIComponent, and querystring.escape, leave as it is
_URI = _COMPONENT + ";/?:@&=+$,#"  # and encodeURI
_MAX_HEADERS = 50


def _verify(
    scheme: Scheme, request: SignedRequest, keys: Sequence[tuple[int, bytes]], moment: Moment
) -> Verified:
    signature = header_of(request, _SIGNATURE).encode("ascii")
    signed_at = READ["ms"](header_of(request, _TIMESTAMP))
    window = _WINDOW if moment.tolerance is None else moment.tolerance
    if not -window <= moment.now - signed_at < window:
        raise Rejected("timestamp")
    message = _message(request)
    for index, key in keys:
        if hmac.compare_digest(_signature(key, message), signature):
            return Verified(scheme, index, signed_at)
    raise Rejected("signature")


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, now: float) -> SignedRequest:
    """What it is given as headers is signed, too."""
    names = sorted({*request.headers, _SIGNED, _TIMESTAMP})
    headers = {**request.headers, _SIGNED: ",".join(names), _TIMESTAMP: WRITE["ms"](now)}
    request = request._replace(headers=headers)
    headers[_SIGNATURE] = _signature(utf8(secret), _message(request)).decode("ascii")
    return request


def _signature(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").hexdigest().encode("ascii")


def _message(request: SignedRequest) -> bytes:
    if not request.url:
        raise SchemeError("it needs webhooks.base_url, or the stack's public base URL")
    lines = f"{request.method}\n{_path(request.url)}\n{_headers(request)}\n"
    return lines.encode("ascii") + request.body


def _headers(request: SignedRequest) -> str:
    names = header_of(request, _SIGNED).split(",")
    if len(names) > _MAX_HEADERS or names != sorted(set(names)) or not {_SIGNED, _TIMESTAMP} <= set(names):
        raise Malformed(_SIGNED)
    values = [header_of(request, name).strip() for name in names]
    for value, following in zip(values, names[1:], strict=False):
        if f";{following}:" in value:  # where one value ends and the next begins would be anybody's guess
            raise Malformed("a value that reads as a header")
    return ";".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))


def _path(url: str) -> str:
    path, _, query = ("/" + url.partition("://")[2].partition("/")[2]).partition("?")
    if "?" in query:
        raise Malformed("a second question mark, behind which nothing is signed")
    return quote(f"{path}?{quote(query, safe=_COMPONENT)}" if query else path, safe=_URI)


WAY = Way(read=utf8, verify=_verify, sign=_sign, headers=(_SIGNATURE,))

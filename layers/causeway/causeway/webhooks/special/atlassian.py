"""Atlassian Connect: a JSON Web Token, HS256 by an installation's secret, with the request's hash.

https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/

The claim ``qsh`` is the SHA-256 of method, path and sorted query. The path is relative to the app's base URL,
which the token does not tell, so each part of our path that begins at a slash is tried. The query is what a
request had without ``jwt``, in which the token may come, too.

What is not bound: the body. Whoever holds a token may send any body with it, to the same URL, until it
expires (three minutes).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from causeway.webhooks.patterns import Malformed, Missing, SchemeError, header_of
from causeway.webhooks.special.secrets import utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.tokens import claims_in, expiry_holds, issued_at, make_token
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special.way import Moment

_HEADER = "authorization"
_PREFIX = "JWT "
_ALGORITHMS = ("HS256",)
_LIFETIME = 180
_MAX_FIELDS = 200
_MAX_SEGMENTS = 20
_UNRESERVED = "~"  # quote() leaves letters, digits and _.- as they are (RFC 3986, section 2.3)


def _verify(
    scheme: Scheme, request: SignedRequest, keys: Sequence[tuple[int, bytes]], moment: Moment
) -> Verified:
    query = _query(request.url)
    index, claims = claims_in(_token(request, query), keys, _ALGORITHMS)
    window = moment.window
    expiry_holds(claims, moment.now, window, required=True)
    signed_at = issued_at(claims)
    qsh = claims.get("qsh")
    if not isinstance(qsh, str) or not isinstance(claims.get("iss"), str):
        raise Malformed("a token of another kind")
    tried = [hmac.compare_digest(hashed, qsh.encode()) for hashed in _hashes(request, query)]
    if not any(tried):
        raise Rejected("signature")
    return Verified(scheme, index, signed_at, claims)


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, now: float) -> SignedRequest:
    qsh = next(_hashes(request, _query(request.url))).decode("ascii")
    claims = {"iss": "client-key", "iat": int(now), "exp": int(now) + _LIFETIME, "qsh": qsh}
    token = make_token(claims, utf8(secret), "HS256")
    return request._replace(headers={**request.headers, _HEADER: _PREFIX + token})


def _query(url: str) -> list[tuple[str, str]]:
    if not url:
        raise SchemeError("it needs webhooks.base_url, or the stack's public base URL")
    query = urlsplit(url).query
    return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")


def _token(request: SignedRequest, query: Sequence[tuple[str, str]]) -> str:
    """The token: in the header, or else in the query, but there only once."""
    if request.headers.get(_HEADER):
        value = header_of(request, _HEADER)
        if not value.startswith(_PREFIX):
            raise Malformed(_HEADER)
        return value.removeprefix(_PREFIX)
    tokens = [value for name, value in query if name == "jwt"]
    if not tokens:
        raise Missing(_HEADER)
    if len(tokens) > 1:
        raise Malformed("jwt occurs twice")
    return tokens[0]


def _hashes(request: SignedRequest, query: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    """The hash of the request, with the whole path and then with ever less of its beginning."""
    parameters = _parameters(query)
    segments = urlsplit(request.url).path.strip("/").split("/")
    if len(segments) > _MAX_SEGMENTS:
        raise Malformed("path")
    for first in range(len(segments) + 1):
        path = "/" + "/".join(segments[first:]).replace("&", "%26")
        text = f"{request.method.upper()}&{path}&{parameters}"
        yield hashlib.sha256(text.encode("utf-8")).hexdigest().encode("ascii")


def _parameters(query: Sequence[tuple[str, str]]) -> str:
    values: dict[str, list[str]] = {}
    for name, value in query:
        if name != "jwt":
            values.setdefault(_encoded(name), []).append(_encoded(value))
    return "&".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values))


def _encoded(text: str) -> str:
    return quote(text, safe=_UNRESERVED)


WAY = Way(read=utf8, verify=_verify, sign=_sign, headers=(_HEADER,))

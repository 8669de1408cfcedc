"""JSON Web Tokens as data: records that say what a token must be.

The record pins the algorithms. What a token says of its own algorithm is compared with them and otherwise
not believed; ``none`` is none of them. A record's algorithms are all of one kind, so that a public key is
never tried as the key of an HMAC. ``jwt`` in a record says:

- ``algorithms``: those that are accepted
- ``keys``: where public keys are: a name of :data:`causeway.webhooks.key_sets.SOURCES` or an https URL;
  without it the secret's text is the key of an HMAC. With it the secret is a JSON object (or any text, if
  no claim needs a value of it)
- ``claims``: what claims must equal, or a list of which they must equal one; ``{url}`` stands for the
  public URL, ``{secret.NAME}`` for a value of the secret
- ``expires``: ``exp`` must be there. Where it is, it holds to the second
- ``issued``: ``iat`` must be there, no further from our clock than a timestamp may be
- ``body_sha256``, ``url_sha256``: claims with the hexadecimal SHA-256 of the body and of the URL

What a token does not name is not bound. Without ``body_sha256`` whoever holds a token may send any body
with it until it expires: Google Pub/Sub and monday sign so.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import cache
from typing import TYPE_CHECKING

from causeway.webhooks.key_sets import ASYMMETRIC, holds_keys, source_of
from causeway.webhooks.patterns import HeaderPattern, Malformed, SchemeError, header_of
from causeway.webhooks.special import fields_of
from causeway.webhooks.special.secrets import is_readable, readable, text, utf8
from causeway.webhooks.timestamps import TOLERANCE
from causeway.webhooks.tokens import HMAC, claims_by_id, claims_in, expiry_holds, issued_at, make_token
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from causeway.plan.records import JSON, Jwt, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.tokens import Claims


_PLACEHOLDER = re.compile(r"\{(url|secret\.([A-Za-z0-9_]+))\}")
_LIFETIME = 300


def check(scheme: Scheme) -> None:
    """See :class:`causeway.webhooks.special.Special`, as for all of these."""
    record = scheme.get("jwt")
    if not record or not record.get("algorithms"):
        raise SchemeError("jwt: the algorithms that are accepted must be named")
    _pattern(scheme)
    kind = ASYMMETRIC if "keys" in record else HMAC
    odd = [name for name in record["algorithms"] if name not in kind]
    if odd:
        where = "with `keys`" if "keys" in record else "without `keys`"
        raise SchemeError(f"jwt.algorithms: {where} there are {', '.join(kind)}; not {', '.join(odd)}")
    if "keys" in record:
        try:
            source_of(record["keys"])
        except ValueError as error:
            raise SchemeError(f"jwt.keys: {error}") from error
    for name, wanted in record.get("claims", {}).items():
        if isinstance(wanted, str) and "{" in wanted and not _PLACEHOLDER.fullmatch(wanted):
            raise SchemeError(f"jwt.claims.{name}: {wanted!r} is neither {{url}} nor {{secret.NAME}}")


def headers(scheme: Scheme) -> Collection[str]:
    """See there."""
    return (_header(scheme),)


def usable(scheme: Scheme, secret: str) -> bool:
    """See there."""
    return is_readable(lambda each: _key(scheme["jwt"], each), secret)


def verify(
    scheme: Scheme,
    request: SignedRequest,
    secrets: Sequence[str],
    *,
    tolerance: float | None,
    now: float,
    fetch: Fetch | None,
) -> Verified:
    """See there."""
    check(scheme)
    record = scheme["jwt"]
    keys = readable(lambda each: _key(record, each), secrets)
    texts, _ = _pattern(scheme).read(header_of(request, _header(scheme)))
    if len(texts) != 1:
        raise Malformed("one token is sent")
    rejected: Rejected | ValueError = Rejected("signature")
    for index, key in keys:
        try:
            claims = _claims(record, texts[0], (index, key), secrets[index], fetch)
            signed_at = _judge(record, claims, request, secrets[index], now=now, tolerance=tolerance)
            return Verified(scheme, index, signed_at, claims)
        except (Rejected, ValueError) as error:  # of this secret; another may be right
            rejected = error
    raise rejected


def sign(scheme: Scheme, request: SignedRequest, secret: str, *, now: float) -> SignedRequest:
    """See there. With ``keys`` the secret holds the private key: ``private_key`` (PEM) and ``key_id``."""
    check(scheme)
    record = scheme["jwt"]
    algorithm = record["algorithms"][0]
    claims: Claims = {"iat": int(now), "exp": int(now) + _LIFETIME}
    for name, wanted in record.get("claims", {}).items():
        claims[name] = _wanted(wanted[0] if isinstance(wanted, list) else wanted, request, secret)
    claims.update(_hashes(record, request))
    if "keys" in record:
        fields = fields_of(secret)
        token = make_token(claims, text(fields, "private_key").encode(), algorithm, text(fields, "key_id"))
    else:
        token = make_token(claims, utf8(secret), algorithm)
    value = _pattern(scheme).write({"signature": token})
    return request._replace(headers={**request.headers, _header(scheme): value})


def _header(scheme: Scheme) -> str:
    return scheme.get("header", "authorization").lower()


@cache
def _written(pattern: str, separator: str | None) -> HeaderPattern:
    return HeaderPattern(pattern, separator, frozenset({"signature"}))


def _pattern(scheme: Scheme) -> HeaderPattern:
    return _written(scheme.get("pattern", "{signature}"), scheme.get("separator"))


def _key(record: Jwt, secret: str) -> bytes:
    """An HMAC key, or nothing but the certainty that the secret holds what keys and claims need."""
    key = utf8(secret)
    fields = fields_of(secret)
    for wanted in record.get("claims", {}).values():
        if isinstance(wanted, str) and (found := _PLACEHOLDER.fullmatch(wanted)) and found[2]:
            text(fields, found[2])
    if "keys" in record and not holds_keys(secret):
        for name in source_of(record["keys"]).by_id:
            text(fields, name)
    return key


def _claims(record: Jwt, token: str, key: tuple[int, bytes], secret: str, fetch: Fetch | None) -> Claims:
    """The verified claims."""
    if "keys" not in record:
        return claims_in(token, [key], record["algorithms"])[1]
    return claims_by_id(token, record["keys"], record["algorithms"], secret, fetch)


def _judge(
    record: Jwt,
    claims: Claims,
    request: SignedRequest,
    secret: str,
    *,
    now: float,
    tolerance: float | None,
) -> float | None:
    """Hold the claims against the record; returns when the token was issued, if that is bounded."""
    window = TOLERANCE if tolerance is None else tolerance
    expiry_holds(claims, now, window, required=record.get("expires", False))
    signed_at = None
    if record.get("issued"):
        signed_at = issued_at(claims)
        if not -window <= now - signed_at <= window:
            raise Rejected("timestamp")
    for name, wanted in record.get("claims", {}).items():
        said = claims.get(name)
        values = [
            _wanted(each, request, secret) for each in (wanted if isinstance(wanted, list) else [wanted])
        ]
        # An audience may be a list of which one is meant (RFC 7519, section 4.1.3).
        found = said if name == "aud" and isinstance(said, list) else [said]
        if not any(_same(each, value) for each in found for value in values):
            raise Rejected("signature")
    for name, digest in _hashes(record, request).items():
        if name not in claims and name == record.get("body_sha256") and not request.body:
            continue
        if not _same(claims.get(name), digest):
            raise Rejected("signature")
    return signed_at


def _hashes(record: Jwt, request: SignedRequest) -> dict[str, str]:
    found = {}
    if "body_sha256" in record:
        found[record["body_sha256"]] = hashlib.sha256(request.body).hexdigest()
    if "url_sha256" in record:
        found[record["url_sha256"]] = hashlib.sha256(_url(request).encode("utf-8")).hexdigest()
    return found


def _wanted(wanted: JSON, request: SignedRequest, secret: str) -> JSON:
    found = _PLACEHOLDER.fullmatch(wanted) if isinstance(wanted, str) else None
    if not found:
        return wanted
    return text(fields_of(secret), found[2]) if found[2] else _url(request)


def _url(request: SignedRequest) -> str:
    if not request.url:
        raise SchemeError("it needs webhooks.base_url, or the stack's public base URL")
    return request.url


def _same(said: JSON, wanted: JSON) -> bool:
    if isinstance(said, str) and isinstance(wanted, str):
        return hmac.compare_digest(said.encode("utf-8", "replace"), wanted.encode("utf-8"))
    return type(said) is type(wanted) and said is not None and said == wanted

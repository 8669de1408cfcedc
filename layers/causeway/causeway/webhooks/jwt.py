"""JSON Web Tokens (RFC 7519): one engine on pyjwt, and records that say what a token must be.

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
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from causeway.webhooks.key_sets import ASYMMETRIC, holds_keys, public_key, source_of
from causeway.webhooks.patterns import HeaderPattern, Malformed, SchemeError, header_of
from causeway.webhooks.special import fields_of
from causeway.webhooks.special.secrets import is_readable, readable, text, utf8
from causeway.webhooks.timestamps import TOLERANCE
from causeway.webhooks.verify import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jwt.api_jws import PyJWS

    from causeway.plan.records import JSON, Jwt, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch

    Claims = dict[str, JSON]

HMAC = ("HS256", "HS384", "HS512")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{(url|secret\.([A-Za-z0-9_]+))\}")
_NOT_UNDERSTOOD = ("crit", "b64")  # of a token's header: they change what the rest means (RFC 7515, RFC 7797)
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


def claims_in(token: str, keys: Sequence[tuple[int, bytes]], algorithms: Sequence[str]) -> tuple[int, Claims]:
    """What a token says that one of the HMAC keys signed, and that key's index.

    Raises:
        Rejected: none of them did, or not by one of the algorithms.
        Malformed: it is no token.
    """
    _algorithm_of(token, algorithms)
    for index, key in keys:
        claims = _decode(token, key, algorithms)
        if claims is not None:
            return index, claims
    raise Rejected("signature")


def expiry_holds(claims: Claims, now: float, future: float, *, required: bool) -> None:
    """Check ``exp``, to the second, and that ``nbf`` and ``iat`` are not further ahead than a clock may be.

    Raises:
        Rejected: it is too late, or too early.
        Malformed: a time is no number, or one that must be there is not.
    """
    expires = _time(claims, "exp")
    if expires is None and required:
        raise Malformed("exp")
    if expires is not None and not now < expires:
        raise Rejected("timestamp")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and not begins <= now + future:
            raise Rejected("timestamp")


def issued_at(claims: Claims) -> float:
    """When a token was issued. Raises Malformed where it does not say."""
    issued = _time(claims, "iat")
    if issued is None:
        raise Malformed("iat")
    return issued


def make_token(claims: Claims, key: bytes, algorithm: str, key_id: str | None = None) -> str:
    """A signed token. Raises ValueError where the key is none for the algorithm."""
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    header = {} if key_id is None else {"kid": key_id}
    try:
        return _jws().encode(json.dumps(claims).encode(), key, algorithm, headers=header)
    except PyJWTError as error:
        raise ValueError("no key of this algorithm") from error


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


def claims_by_id(
    token: str, keys: str, algorithms: Sequence[str], secret: str, fetch: Fetch | None
) -> Claims:
    """What a token says that the provider signed with the key that it names.

    Raises:
        Rejected: it did not; or its keys cannot be had now.
        Malformed: it is no token.
    """
    algorithm, key_id = _algorithm_of(token, algorithms)
    if not isinstance(key_id, str) or not key_id or len(key_id) > 256:  # noqa: PLR2004 # longer than any
        raise Malformed("kid")
    claims = _decode(token, public_key(source_of(keys), key_id, algorithm, secret, fetch), [algorithm])
    if claims is None:
        raise Rejected("signature")
    return claims


def _algorithm_of(token: str, algorithms: Sequence[str]) -> tuple[str, JSON]:
    """Which of the accepted algorithms a token names, and which key."""
    if not _TOKEN.fullmatch(token):
        raise Malformed("no token")
    parts = [_bytes_of(part) for part in token.split(".")]
    header = _object(parts[0])
    if any(name in header for name in _NOT_UNDERSTOOD):
        raise Malformed("a token of another kind")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Rejected("signature")
    return algorithm, header.get("kid")


def _decode(token: str, key: Any, algorithms: Sequence[str]) -> Claims | None:
    from jwt.exceptions import PyJWTError  # noqa: PLC0415 # few systems need it

    try:
        payload = _jws().decode(token, key, list(algorithms))
    except (PyJWTError, TypeError, RecursionError):
        return None
    return _object(payload)


@cache
def _jws() -> PyJWS:
    """Signatures only: times and claims are judged here, by the clock that everything else is judged by."""
    from jwt.algorithms import HMACAlgorithm  # noqa: PLC0415
    from jwt.api_jws import PyJWS  # noqa: PLC0415

    class AnyLength(HMACAlgorithm):
        """How long a secret is decides the provider; to warn of it in every request helps nobody."""

        def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002
            return None

    jws = PyJWS()
    jws.unregister_algorithm("none")
    for name in HMAC:
        digest = getattr(HMACAlgorithm, "SHA" + name.removeprefix("HS"))
        jws.unregister_algorithm(name)
        jws.register_algorithm(name, AnyLength(digest))
    return jws


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


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Malformed(name)
    return float(value)


def _bytes_of(part: str) -> bytes:
    """Base64url without padding, in its one spelling."""
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
        raise Malformed("a second spelling of the same bytes")
    return raw


def _object(raw: bytes) -> Claims:
    try:
        found = json.loads(raw)
    except RecursionError:
        raise Malformed("nested too deep") from None
    if not isinstance(found, dict):
        raise Malformed("no JSON object")
    return found

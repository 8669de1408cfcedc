"""Signed tokens (RFC 7515, RFC 7519): what one says, if one of the right keys signed it.

The caller names the algorithms, all of one kind: either those of an HMAC, or those of key pairs. What a
token says of its own algorithm is compared with them and otherwise not believed, so that neither ``none``
nor a public key as the key of an HMAC is ever tried. Times are judged by the clock that everything else is
judged by.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from causeway.webhooks.key_sets import public_key, source_of
from causeway.webhooks.patterns import Malformed
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwt.api_jws import PyJWS

    from causeway.plan.records import JSON
    from causeway.webhooks.special import Fetch

    Claims = dict[str, JSON]

HMAC = ("HS256", "HS384", "HS512")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NOT_UNDERSTOOD = ("crit", "b64")  # of a token's header: they change what the rest means (RFC 7515, RFC 7797)
_MAX_KEY_ID = 256
_MAX_TIME = 1e15


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


def claims_by_id(
    token: str, keys: str, algorithms: Sequence[str], secret: str, fetch: Fetch | None
) -> Claims:
    """What a token says that the provider signed with the key that it names.

    Raises:
        Rejected: it did not; or its keys cannot be had now.
        Malformed: it is no token.
    """
    algorithm, key_id = _algorithm_of(token, algorithms)
    if not isinstance(key_id, str) or not key_id or len(key_id) > _MAX_KEY_ID:
        raise Malformed("kid")
    claims = _decode(token, public_key(source_of(keys), key_id, algorithm, secret, fetch), [algorithm])
    if claims is None:
        raise Rejected("signature")
    return claims


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


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # Written so that what is not a number, infinite or too large for one is refused.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MAX_TIME:
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

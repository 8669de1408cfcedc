"""Tokens and assertions that we sign ourselves (JWT, RFC 7519), by PyJWT, imported when one is needed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from causeway.calls.literals import literal
from causeway.settings.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.literals import Reveal
    from causeway.plan.records import JSON, Auth

ASSERTION_LIFETIME = 180
"""Seconds that an assertion is good for: the least of what servers insist on (Salesforce)."""

TOKEN_LIFETIME = 300.0
"""Seconds that a token of ours is good for, where the map does not say."""


def own_token(auth: Auth, reveal: Reveal, *, now: float) -> str:
    """The token of a ``jwt``: the map's claims, with ``iat`` and ``exp``.

    Raises:
        SecretMissing: the key is none of this algorithm.
    """
    claims = {name: _claim(value, reveal) for name, value in auth.get("claims", {}).items()}
    times = {"iat": int(now), "exp": int(now + auth.get("lifetime", TOKEN_LIFETIME))}
    return _signed({**claims, **times}, auth, reveal, auth["algorithm"])


def client_assertion(auth: Auth, reveal: Reveal, *, now: float) -> str:
    """Who a client of an authorization server is: ``private_key_jwt`` (RFC 7523, 2.2)."""
    client = literal(auth["client_id"], reveal)
    return _assertion(auth, reveal, now, {"iss": client, "sub": client, "aud": auth["token_url"]})


def grant_assertion(auth: Auth, reveal: Reveal, *, now: float) -> str:
    """What is exchanged for a token by ``jwt_bearer`` (RFC 7523, 2.1).

    The scope is a claim as well as a parameter, since Google reads it there.
    """
    issuer = literal(auth["issuer"], reveal)
    claims = {
        "iss": issuer,
        "sub": literal(auth.get("subject", issuer), reveal),
        "aud": literal(auth.get("audience", auth["token_url"]), reveal),
        **({"scope": auth["scope"]} if "scope" in auth else {}),
    }
    return _assertion(auth, reveal, now, claims)


def _assertion(auth: Auth, reveal: Reveal, now: float, claims: Mapping[str, JSON]) -> str:
    times = {"iat": int(now), "exp": int(now) + ASSERTION_LIFETIME, "jti": uuid.uuid4().hex}
    return _signed({**claims, **times}, auth, reveal, None)


def _signed(claims: Mapping[str, JSON], auth: Auth, reveal: Reveal, algorithm: str | None) -> str:
    import jwt  # noqa: PLC0415 - takes tens of milliseconds

    name = auth["key"]
    headers = {"kid": literal(auth["key_id"], reveal)} if "key_id" in auth else None
    try:
        key: Any = reveal(name)
        if algorithm is None:
            key, algorithm = _private_key(key)
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers=headers)
    except (ValueError, TypeError, jwt.PyJWTError):
        kind = "an HMAC key" if (algorithm or "").startswith("HS") else "a private key in PEM"
        # Not chained: the library's text could quote the key.
        raise SecretMissing(f"the secret {name} is not {kind} that can sign here: put it anew") from None


def _private_key(pem: str) -> tuple[Any, str]:
    """The key, and the algorithm that it is for (RFC 7518, 3.1; RFC 8037)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key = load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key, "RS256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key, "EdDSA"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key, _CURVES[key.curve.name]
    raise ValueError("a key of another kind")


_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def _claim(value: JSON, reveal: Reveal) -> JSON:
    if isinstance(value, dict) and set(value) == {"secret"}:
        return reveal(value["secret"])
    return value

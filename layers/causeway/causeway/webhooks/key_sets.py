"""Public keys by key id: where each set is published, and how the forms in which they come are read.

A secret may hold a set itself (``jwks``, ``certs`` or ``jwks_pem`` in a JSON object); then nothing is
fetched. The addresses here, and those that a manifest writes, are all that is ever asked: what a token says
of where its keys are (``jku``, ``x5u``, ``iss``) is not read.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.webhooks.special import fields_of
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan.records import JSON
    from causeway.webhooks.special import Fetch

PublicKey = Any
"""Of ``cryptography``, which is imported when the first key is read."""


class KeySource(NamedTuple):
    """Where a provider publishes its keys."""

    url: str
    sandbox: str = ""  # the same of its other environment, which a secret chooses: "environment": "sandbox"
    by_id: tuple[str, ...] = ()  # each key is asked for by its id, with these values of the secret


SOURCES: dict[str, KeySource] = {
    # https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    "google": KeySource("https://www.googleapis.com/oauth2/v3/certs"),
    # https://learn.microsoft.com/en-us/graph/change-notifications-with-resource-data
    "microsoft": KeySource("https://login.microsoftonline.com/common/discovery/v2.0/keys"),
    # https://plaid.com/docs/api/webhooks/webhook-verification/
    "plaid": KeySource(
        "https://production.plaid.com/webhook_verification_key/get",
        "https://sandbox.plaid.com/webhook_verification_key/get",
        ("client_id", "secret"),
    ),
}
"""By the name that a record's ``jwt.keys`` gives; it may be an https URL instead."""

_GIVEN = ("jwks", "certs", "jwks_pem")


def source_of(keys: str) -> KeySource:
    """The source that a record names. Raises ValueError where there is none."""
    if keys in SOURCES:
        return SOURCES[keys]
    if not keys.startswith("https://"):
        raise ValueError(f"{keys!r} is neither https:// nor one of {', '.join(SOURCES)}")
    return KeySource(keys)


def holds_keys(secret: str) -> bool:
    """Whether a secret brings its keys along."""
    return any(name in fields_of(secret) for name in _GIVEN)


def public_key(source: KeySource, key_id: str, algorithm: str, secret: str, fetch: Fetch | None) -> PublicKey:
    """The key of an id, which must be one for the algorithm.

    Raises:
        Rejected: there is no such key (``signature``), or the provider cannot be asked now (``keys``).
        ValueError: what it answers, or what the secret holds, is no set of keys.
    """
    fields = fields_of(secret)
    for name in _GIVEN:
        if name in fields:
            return _known(_find(fields[name], key_id, algorithm))
    if fetch is None:
        raise Rejected("keys")
    try:
        if source.by_id:
            return _known(_ask(source, key_id, algorithm, fields, fetch))
        found = _find(_set(fetch(source.url)), key_id, algorithm)
        return _known(found or _find(_set(fetch(source.url, anew=True)), key_id, algorithm))
    except OSError as error:
        raise Rejected("keys") from error


def _ask(
    source: KeySource, key_id: str, algorithm: str, fields: Mapping[str, JSON], fetch: Fetch
) -> PublicKey | None:
    asking = {**{name: fields.get(name) for name in source.by_id}, "key_id": key_id}
    url = source.sandbox if fields.get("environment") == "sandbox" else source.url
    try:
        answer = _set(fetch(url, json.dumps(asking).encode()))
    except ValueError:  # the provider knows no such id
        return None
    key = answer.get("key")
    return _read_jwk(key, algorithm) if isinstance(key, dict) and key.get("kid") == key_id else None


def _known(key: PublicKey | None) -> PublicKey:
    if key is None:
        raise Rejected("signature")
    return key


@lru_cache(maxsize=16)
def _set(body: bytes) -> dict[str, JSON]:
    """Raises ValueError: the body is no JSON object."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("no set of keys")  # noqa: TRY004 # a value from outside
    return found


def _find(keys: JSON, key_id: str, algorithm: str) -> PublicKey | None:
    """A key of a set: a list of JWKs (RFC 7517, section 5), or JWKs or PEM by their ids."""
    if not isinstance(keys, dict):
        raise ValueError("no set of keys")  # noqa: TRY004 # likewise
    members = keys.get("keys")
    if isinstance(members, list):
        named = [each for each in members if isinstance(each, dict) and each.get("kid") == key_id]
        return _read_jwk(named[0], algorithm) if len(named) == 1 else None
    found = keys.get(key_id)
    if isinstance(found, dict):
        return _read_jwk(found, algorithm)
    return _read_pem(found, algorithm) if isinstance(found, str) else None


def _read_jwk(jwk: Mapping[str, JSON], algorithm: str) -> PublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 # few systems need it
    from jwt import PyJWK  # noqa: PLC0415 # likewise
    from jwt.exceptions import PyJWTError  # noqa: PLC0415 # likewise

    expected = {"alg": algorithm, "use": "sig"}
    if (
        any(jwk.get(name, value) != value for name, value in expected.items())
        or jwk.get("expired_at") is not None
    ):
        return None
    try:
        return fitting(PyJWK(dict(jwk), algorithm=algorithm).key, algorithm)
    except (PyJWTError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise ValueError("no key") from error


@lru_cache(maxsize=16)
def _read_pem(pem: str, algorithm: str) -> PublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    raw = pem.encode("ascii")
    try:
        if b"BEGIN CERTIFICATE" in raw:
            return fitting(load_pem_x509_certificate(raw).public_key(), algorithm)
        return fitting(load_pem_public_key(raw), algorithm)
    except UnsupportedAlgorithm:
        return None


def fitting(key: PublicKey, algorithm: str) -> PublicKey | None:
    """The key, if it is one for the algorithm (RFC 7518, section 3.1) and strong enough."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

    if algorithm in _CURVES:
        fits = isinstance(key, EllipticCurvePublicKey) and key.curve.name == _CURVES[algorithm]
    else:
        fits = algorithm in RSA and isinstance(key, RSAPublicKey) and key.key_size >= _MIN_RSA
    return key if fits else None


RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_MIN_RSA = 2048
ASYMMETRIC = (*RSA, *_CURVES)

"""The bare primitives: what any verifier of a kind must at least do."""

import hmac
from collections.abc import Callable
from typing import Any

from causeway.webhooks.schemes import SCHEMES
from tests.conformance import keys
from tests.conformance.deliveries import Kind

Call = Callable[[], Any]


def bare(kind: Kind, body: bytes) -> Call:
    """What any verifier of this kind must at least do."""
    scheme = next(iter(SCHEMES[kind.provider]))
    name = BARE.get(kind.provider) or scheme.get("algorithm", "hmac-sha256")
    if kind.name.endswith(("v1a", "v1a-webhook-headers")):
        name = "ed25519"
    if kind.name == "gitlab/token":
        name = "token"
    return _PRIMITIVES[name](body)


def _hmac(digest: str) -> Callable[[bytes], Call]:
    key = b"k" * 32
    return lambda body: lambda: hmac.digest(key, body, digest)


def _compare(_body: bytes) -> Call:
    one, two = b"token-one", b"token-two"
    return lambda: hmac.compare_digest(one, two)


def _ed25519(body: bytes) -> Call:
    key = keys.ed25519_key(0)
    signature, public = key.sign(body), key.public_key()
    return lambda: public.verify(signature, body)


def _ecdsa(body: bytes) -> Call:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    signature, public, how = keys.ec_sign(0, body), keys.ec_key(0).public_key(), ECDSA(SHA256())
    return lambda: public.verify(signature, body, how)


def _rsa(body: bytes) -> Call:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signature, public = keys.rsa_sign(0, body), keys.rsa_key(0).public_key()
    pad, digest = PKCS1v15(), SHA256()
    return lambda: public.verify(signature, body, pad, digest)


_PRIMITIVES: dict[str, Callable[[bytes], Call]] = {
    **{f"hmac-{digest}": _hmac(digest) for digest in ("sha1", "sha256", "sha512")},
    "sha256": _hmac("sha256"),
    "token": _compare,
    "basic": _compare,
    "ed25519": _ed25519,
    "ecdsa-p256-sha256": _ecdsa,
    "rsa-sha256": _rsa,
}
BARE = {
    "aws-sns": "rsa-sha256",
    "braintree": "hmac-sha1",
    "google-pubsub": "rsa-sha256",
    "messagebird": "hmac-sha256",
    "microsoft-graph": "token",
    "monday": "hmac-sha256",
    "netlify": "hmac-sha256",
    "atlassian-connect": "hmac-sha256",
    "paypal": "rsa-sha256",
    "plaid": "ecdsa-p256-sha256",
    "twilio": "hmac-sha1",
}
"""Of what code or tokens verify: the primitive that they come down to."""

"""Signature schemes to test with: each record of the built-in table, and spelled-out ones for what it does not use."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from causeway.webhooks.compiled import compiled
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign
from causeway.webhooks.special import special
from causeway.webhooks.verify import SignedRequest, Verified, verify
from tests.conformance import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme

NOW = 1_760_000_000.0
TOLERANCE = 300.0
BODY = b'{"id": "evt_1", "type": "invoice.paid", "name": "Zo\xc3\xab"}'
URL = "https://hooks.example.com/webhooks/shop?a=b%20c"

SPELLED_OUT: dict[str, Scheme] = {
    "sha1": {"algorithm": "hmac-sha1", "header": "x-signature", "encoding": "hex", "pattern": "sha1={signature}"},
    "sha512-hex-key": {"algorithm": "hmac-sha512", "header": "x-signature", "encoding": "base64", "key": "hex"},
    "base64url": {"algorithm": "hmac-sha256", "header": "x-signature", "encoding": "base64url", "key": "base64"},
    "milliseconds": {
        "algorithm": "hmac-sha256",
        "header": "x-signature",
        "pattern": "{timestamp},{signature}",
        "separator": ",",
        "signed": "{timestamp}.{body}",
        "timestamp": {"unit": "ms"},
    },
    "rfc3339": {
        "algorithm": "hmac-sha256",
        "header": "x-signature",
        "signed": "{body}{timestamp}",
        "timestamp": {"header": "x-timestamp", "unit": "rfc3339"},
    },
    "http-date": {
        "algorithm": "hmac-sha256",
        "header": "x-signature",
        "signed": "{timestamp}\n{body_sha256}",
        "timestamp": {"header": "Date", "unit": "http"},
    },
    "url-and-nonce": {
        "algorithm": "hmac-sha256",
        "header": "X-Signature",
        "pattern": "t={timestamp}; h1={signature}",
        "separator": ";",
        "signed": "{method} {url} {path} {query} {nonce}:{header:X-Topic}:{timestamp}.{body}",
        "timestamp": {"unit": "s"},
        "nonce": {"header": "X-Nonce"},
        "type": 'headers."x-topic"',
    },
    "token": {"algorithm": "token", "header": "x-token"},
    "bearer": {"algorithm": "token", "header": "authorization", "pattern": "Bearer {signature}"},
    "basic": {"algorithm": "basic", "header": "authorization"},
}  # fmt: skip


class Case(NamedTuple):
    """A scheme, a pair of keys for it (the same text, but for Ed25519), and a pair that is not its."""

    name: str
    scheme: Scheme
    signing: str
    verifying: str
    other: str
    twin: str
    """The key that signs for ``other``."""

    def signed(self, body: bytes = BODY, *, secret: str | None = None, now: float = NOW) -> SignedRequest:
        """A request as the provider sends it."""
        headers = sign(
            self.scheme,
            body=body,
            secret=secret or self.signing,
            id="msg_1",
            now=now,
            type="t",
            url=URL,
            nonce="n1",
        )
        return SignedRequest("POST", URL, headers, body)

    def verify(
        self, request: SignedRequest, secrets: Sequence[str] | None = None, *, now: float = NOW
    ) -> Verified:
        """Verify it, by default with the right secret."""
        chosen = [self.verifying] if secrets is None else secrets
        return verify([self.scheme], request, chosen, tolerance=TOLERANCE, now=now)

    @property
    def header(self) -> str:
        """The signature's header."""
        return compiled(self.scheme).header

    @property
    def covers_body(self) -> bool:
        """Whether it signs anything: a token is sent as it is."""
        return compiled(self.scheme).algorithm.signs_bytes


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    """The request with one header changed, or without it."""
    headers = {key: text for key, text in request.headers.items() if key != name}
    return request._replace(headers=headers if value is None else {**headers, name: value})


def case_of(name: str, scheme: Scheme) -> Case:
    """A scheme with keys for it."""
    prefix = scheme.get("key_prefix", "")
    (signing, verifying), (twin, other) = (_key_pair(scheme, number) for number in (0, 1))
    if "key_id" in scheme and "value" in scheme["key_id"]:
        texts = (json.dumps({scheme["key_id"]["value"]: text}) for text in (signing, verifying, other, twin))
        return Case(name, scheme, *texts)
    signs = scheme.get("signing_key_prefix", prefix)
    return Case(name, scheme, signs + signing, prefix + verifying, prefix + other, signs + twin)


def _key_pair(scheme: Scheme, number: int) -> tuple[str, str]:
    """The texts of a key that signs and of the one that verifies: the same, of what is symmetric."""
    private: Any
    match scheme["algorithm"]:
        case "rsa-sha1" | "rsa-sha256":
            private = keys.rsa_key(number)
        case "ecdsa-p256-sha256":
            private = keys.ec_key(number)
        case "ed25519":
            seed = bytes([number + 1]) * 32
            public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
            return tuple(_spelled(scheme, raw) for raw in (seed, public.public_bytes_raw()))
        case _:
            raw = b"user:pass:word" if scheme["algorithm"] in ("token", "basic") else b"key:one " * 4
            text = _spelled(scheme, raw if number == 0 else raw.replace(b":", b":no"))
            return text, text
    form = Encoding.PEM if scheme.get("key") == "pem" else Encoding.DER
    pair = (
        private.private_bytes(form, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo),
    )
    return tuple(_spelled(scheme, raw) for raw in pair)


def _spelled(scheme: Scheme, raw: bytes) -> str:
    match scheme.get("key", "utf8"):
        case "base64":
            return base64.b64encode(raw).decode()
        case "hex":
            return raw.hex()
    return raw.decode()


def _is_in_one_header(scheme: Scheme) -> bool:
    """What signs elsewhere is tried in tests/conformance."""
    return (
        special(scheme) is None
        and compiled(scheme).place.is_one_header
        and "value" not in scheme.get("timestamp", {})
    )


CASES = [
    *(
        case_of(f"{name}-{number}", scheme)
        for name, schemes in SCHEMES.items()
        for number, scheme in enumerate(schemes)
        if _is_in_one_header(scheme)
    ),
    *(case_of(name, scheme) for name, scheme in SPELLED_OUT.items()),
]
"""Whatever is in the table is tested by being in it."""

"""Signature schemes to test with: each record of the built-in table, and spelled-out ones for what it does not use."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from causeway.webhooks.compiled import compiled
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign
from causeway.webhooks.verify import SignedRequest, Verified, verify

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


def _case(name: str, scheme: Scheme) -> Case:
    if scheme["algorithm"] == "ed25519":
        (signing, verifying), (_, other) = _key_pair(1), _key_pair(2)
        return Case(name, scheme, signing, verifying, other)
    prefix = scheme.get("key_prefix", "")
    raw, other = b"key:one " * 4, b"key:two " * 4
    if scheme["algorithm"] in ("token", "basic"):
        raw, other = b"user:pass:word", b"user:password"
    spell = {
        "utf8": bytes.decode,
        "base64": lambda key: base64.b64encode(key).decode(),
        "hex": bytes.hex,
    }[scheme.get("key", "utf8")]
    return Case(name, scheme, prefix + spell(raw), prefix + spell(raw), prefix + spell(other))


def _key_pair(seed: int) -> tuple[str, str]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    both = bytes([seed]) * 32 + public
    return "whsk_" + base64.b64encode(both).decode(), "whpk_" + base64.b64encode(public).decode()


CASES = [
    *(
        _case(f"{name}-{number}", scheme)
        for name, schemes in SCHEMES.items()
        for number, scheme in enumerate(schemes)
    ),
    *(_case(name, scheme) for name, scheme in SPELLED_OUT.items()),
]
"""Whatever is in the table is tested by being in it."""

"""The signature algorithms: one table, which the compiler asks what exists."""

from __future__ import annotations

from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import TYPE_CHECKING, Any

Key = Any
"""What an algorithm makes of a secret's bytes, once per secret."""

if TYPE_CHECKING:  # a Protocol is made in a millisecond, which every cold start would pay
    from collections.abc import Iterable
    from typing import Protocol

    from causeway.webhooks.encodings import Encoding

    class Algorithm(Protocol):
        """One way to sign bytes."""

        signs_bytes: bool
        """False: what is sent is the secret itself and covers nothing, so a timestamp would be decoration."""

        def key(self, raw: bytes) -> Key:
            """The key that verifies, of a secret's bytes. Raises ValueError where they are none."""

        def matches(self, key: Key, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
            """Whether one of the received signatures is that of the message. Never raises."""

        def sign(self, raw: bytes, message: bytes) -> bytes:
            """The signature of a message, by a signing key's bytes. Raises ValueError where they are none."""


class _Hmac:
    """HMAC (RFC 2104) by one of hashlib's digests."""

    signs_bytes = True

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def key(self, raw: bytes) -> bytes:
        if not raw:
            raise ValueError("an empty key")
        return raw

    def matches(self, key: bytes, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        # Comparing with the one canonical spelling is a strict decoding, and cheaper.
        return _equals_one(encoding.encode(hmac_digest(key, message, self._digest)), received)

    def sign(self, raw: bytes, message: bytes) -> bytes:
        return hmac_digest(self.key(raw), message, self._digest)


class _Token:
    """The secret itself is sent."""

    signs_bytes = False

    def key(self, raw: bytes) -> bytes:
        if not raw:
            raise ValueError("an empty key")
        return raw

    def matches(self, key: bytes, _message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        return _equals_one(encoding.encode(key), received)

    def sign(self, raw: bytes, _message: bytes) -> bytes:
        return self.key(raw)


class _Basic(_Token):
    """HTTP Basic (RFC 7617): the secret is ``user:password``."""

    def key(self, raw: bytes) -> bytes:
        if b":" not in raw:
            raise ValueError("not user:password")
        return raw


class _Ed25519:
    """Ed25519 (RFC 8032). ``cryptography`` is imported when the first such signature comes."""

    signs_bytes = True
    _SEED = 32

    def key(self, raw: bytes) -> Key:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        return Ed25519PublicKey.from_public_bytes(raw)

    def matches(self, key: Key, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        return any(self._matches(key, message, signature, encoding) for signature in received)

    def _matches(self, key: Key, message: bytes, received: bytes, encoding: Encoding) -> bool:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        try:
            raw = encoding.decode(received)
            if encoding.encode(raw) != received:  # a second spelling of the same bytes
                return False
            key.verify(raw, message)
        except (ValueError, InvalidSignature):
            return False
        return True

    def sign(self, raw: bytes, message: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        if len(raw) not in (self._SEED, 2 * self._SEED):
            raise ValueError("neither a seed nor seed and public key")
        return Ed25519PrivateKey.from_private_bytes(raw[: self._SEED]).sign(message)


def _equals_one(expected: bytes, received: Iterable[bytes]) -> bool:
    for signature in received:  # noqa: SIM110 # a generator's set-up would cost as much as the comparison
        if compare_digest(expected, signature):
            return True
    return False


ALGORITHMS: dict[str, Algorithm] = {
    "hmac-sha1": _Hmac("sha1"),
    "hmac-sha256": _Hmac("sha256"),
    "hmac-sha512": _Hmac("sha512"),
    "ed25519": _Ed25519(),
    "token": _Token(),
    "basic": _Basic(),
}
"""By the name that manifests use."""

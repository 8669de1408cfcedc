"""The signature algorithms: one table, which the compiler asks what exists."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import lru_cache
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import TYPE_CHECKING, Any

Key = Any
"""What an algorithm makes of a secret's bytes, once per secret."""

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

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
    """HMAC (RFC 2104) by one of hashlib's digests.

    A key is the two hash states that have read it, inner and outer. Copying them costs half of what
    ``hmac.digest`` does for a body of a kibibyte, which looks the digest up and reads the key each time.
    """

    signs_bytes = True

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._new = getattr(hashlib, digest)

    def key(self, raw: bytes) -> Key:
        if not raw:
            raise ValueError("an empty key")
        size = self._new().block_size
        block = (raw if len(raw) <= size else self._new(raw).digest()).ljust(size, b"\0")
        return self._new(block.translate(_INNER)).copy, self._new(block.translate(_OUTER)).copy

    def matches(self, key: Key, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        copy_inner, copy_outer = key
        inner, outer = copy_inner(), copy_outer()
        inner.update(message)
        outer.update(inner.digest())
        # Comparing with the one canonical spelling is a strict decoding, and cheaper.
        expected = encoding.encode(outer.digest())
        for signature in received:  # noqa: SIM110 # a generator's set-up would cost as much as the comparison
            if compare_digest(expected, signature):
                return True
        return False

    def sign(self, raw: bytes, message: bytes) -> bytes:
        self.key(raw)
        return hmac_digest(raw, message, self._digest)


class _Sha256:
    """SHA-256 (FIPS 180-4) of a message that holds the secret: anybody could make any other."""

    signs_bytes = True

    def key(self, raw: bytes) -> bytes:
        if not raw:
            raise ValueError("an empty key")
        return raw

    def matches(self, _key: Key, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        return _equals_one(encoding.encode(hashlib.sha256(message).digest()), received)

    def sign(self, raw: bytes, message: bytes) -> bytes:
        self.key(raw)
        return hashlib.sha256(message).digest()


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


@lru_cache(maxsize=16)
def _private_key(raw: bytes) -> Any:
    """A private key of PEM or DER; kept, since checking one of RSA takes tens of milliseconds."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    if raw.startswith(b"-----BEGIN"):
        return serialization.load_pem_private_key(raw, None)
    return serialization.load_der_private_key(raw, None)


class _Asymmetric(ABC):
    """A public key verifies. ``cryptography`` is imported when the first such signature comes.

    A key's bytes are PEM (a public key, or a certificate with one) or DER (SubjectPublicKeyInfo, RFC 5280);
    a private key's are PEM or DER (PKCS #8, RFC 5958).
    """

    signs_bytes = True

    def key(self, raw: bytes) -> Key:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

        try:
            public = self._public(raw)
        except (UnsupportedAlgorithm, TypeError) as error:
            raise ValueError("not a public key") from error
        if not self._fits(public):
            raise ValueError("not a key of this algorithm")
        return public

    def _public(self, raw: bytes) -> Any:
        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

        if raw.startswith(b"-----BEGIN CERTIFICATE"):
            return x509.load_pem_x509_certificate(raw).public_key()
        if raw.startswith(b"-----BEGIN"):
            return serialization.load_pem_public_key(raw)
        return serialization.load_der_public_key(raw)

    def _private(self, raw: bytes) -> Any:
        return _private_key(raw)

    def matches(self, key: Key, message: bytes, received: Iterable[bytes], encoding: Encoding) -> bool:
        return any(self._matches(key, message, signature, encoding) for signature in received)

    def _matches(self, key: Key, message: bytes, received: bytes, encoding: Encoding) -> bool:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        try:
            raw = encoding.decode(received)
            if encoding.encode(raw) != received:  # a second spelling of the same bytes
                return False
            self._verify(key, raw, message)
        except (ValueError, InvalidSignature):
            return False
        return True

    def sign(self, raw: bytes, message: bytes) -> bytes:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

        try:
            private = self._private(raw)
        except (UnsupportedAlgorithm, TypeError) as error:
            raise ValueError("not a private key") from error
        if not self._fits(private.public_key()):
            raise ValueError("not a private key of this algorithm")
        return self._sign(private, message)

    @abstractmethod
    def _fits(self, public: Any) -> bool:
        """Whether a public key is one of this algorithm."""

    @abstractmethod
    def _verify(self, key: Key, signature: bytes, message: bytes) -> None:
        """Raises InvalidSignature."""

    @abstractmethod
    def _sign(self, private: Any, message: bytes) -> bytes:
        """The signature."""


class _Ed25519(_Asymmetric):
    """Ed25519 (RFC 8032). A key's 32 bytes may stand alone, or a private key's with the public one's."""

    _SIZE = 32

    def _public(self, raw: bytes) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        return Ed25519PublicKey.from_public_bytes(raw) if len(raw) == self._SIZE else super()._public(raw)

    def _private(self, raw: bytes) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        if len(raw) not in (self._SIZE, 2 * self._SIZE):
            return super()._private(raw)
        return Ed25519PrivateKey.from_private_bytes(raw[: self._SIZE])

    def _fits(self, public: Any) -> bool:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        return isinstance(public, Ed25519PublicKey)

    def _verify(self, key: Key, signature: bytes, message: bytes) -> None:
        key.verify(signature, message)

    def _sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message)
        return signature


class _EcdsaP256(_Asymmetric):
    """ECDSA over P-256 with SHA-256 (FIPS 186-5), signatures in DER (RFC 3279)."""

    def _fits(self, public: Any) -> bool:
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)

    def _verify(self, key: Key, signature: bytes, message: bytes) -> None:
        key.verify(signature, message, self._how())

    def _sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message, self._how())
        return signature

    def _how(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        return ECDSA(SHA256())


class _Rsa(_Asymmetric):
    """RSASSA-PKCS1-v1_5 (RFC 8017) by one of cryptography's hashes."""

    _MIN_BITS = 2048

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def _fits(self, public: Any) -> bool:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

        return isinstance(public, RSAPublicKey) and public.key_size >= self._MIN_BITS

    def _verify(self, key: Key, signature: bytes, message: bytes) -> None:
        key.verify(signature, message, *self._how())

    def _sign(self, private: Any, message: bytes) -> bytes:
        signature: bytes = private.sign(message, *self._how())
        return signature

    def _how(self) -> tuple[Any, Any]:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

        return PKCS1v15(), getattr(hashes, self._digest)()


def _equals_one(expected: bytes, received: Iterable[bytes]) -> bool:
    return any(compare_digest(expected, signature) for signature in received)


ALGORITHMS: dict[str, Algorithm] = {
    "hmac-sha1": _Hmac("sha1"),
    "hmac-sha256": _Hmac("sha256"),
    "hmac-sha512": _Hmac("sha512"),
    "sha256": _Sha256(),
    "ed25519": _Ed25519(),
    "ecdsa-p256-sha256": _EcdsaP256(),
    "rsa-sha1": _Rsa("SHA1"),
    "rsa-sha256": _Rsa("SHA256"),
    "token": _Token(),
    "basic": _Basic(),
}
"""By the name that manifests use."""

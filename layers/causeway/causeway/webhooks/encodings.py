"""How signatures are written in a header, and how keys are written in a secret.

Each encoding of bytes has one spelling here, and only that one is accepted: hexadecimal in lower case, base64
with its padding and without stray bits, both of exactly the signature's length. Every provider sends it so,
and a verifier that is lenient accepts several texts for one signature, which helps nobody and hides mistakes.
base64url alone is seen both padded and not, and both are read.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_NOT_URL = frozenset(b"+/")


class Encoding(NamedTuple):
    """Bytes to their one spelling, and back. ``decode`` raises ValueError; it need not be canonical."""

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


def _encode_base64(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)


def _decode_base64(text: bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _encode_base64url(raw: bytes) -> bytes:
    return _encode_base64(raw).translate(_TO_URL)


def _decode_base64url(text: bytes) -> bytes:
    if not _NOT_URL.isdisjoint(text):
        raise ValueError("not base64url")
    return _decode_base64(text.translate(_FROM_URL))


ENCODINGS: dict[str, Encoding] = {
    "hex": Encoding(binascii.hexlify, binascii.unhexlify),
    "base64": Encoding(_encode_base64, _decode_base64),
    "base64url": Encoding(_encode_base64url, _decode_base64url),
}
"""How a signature may be written."""

PLAIN = Encoding(bytes, bytes)
"""The secret itself, for the algorithm ``token``."""


def padded(text: bytes) -> bytes:
    """Base64 with the padding that it may have been sent without."""
    return text if b"=" in text else text + b"=" * (-len(text) % 4)


def _base64_key(secret: str) -> bytes:
    return _decode_base64(padded(secret.encode("ascii")))


def _nfkd_key(secret: str) -> bytes:
    from unicodedata import normalize  # noqa: PLC0415 # one provider's

    return normalize("NFKD", secret).encode("utf-8")


def _pem_key(secret: str) -> bytes:
    text = secret.strip()
    if not text.startswith("-----BEGIN "):
        raise ValueError("not PEM")
    return text.encode("ascii")


KEYS: dict[str, Callable[[str], bytes]] = {
    "utf8": lambda secret: secret.encode("utf-8"),
    "base64": _base64_key,
    "hex": lambda secret: binascii.unhexlify(secret.encode("ascii")),
    "nfkd": _nfkd_key,
    "pem": _pem_key,
}
"""What a secret's text is; raises ValueError (binascii.Error and UnicodeError are) where it is not that."""

"""Key pairs and certificates that are the same in every run: of primes and seeds, without a source of chance."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

_PRIMES = [
    (
        "e05d958ba40a31104b60b781de9a8af25b1d3802e742ccc39d73996f82076b58babb8c28bac3764ebb28e5"
        "17a8d3ad35aade50efe03b291db3251857b7047ff74f2d9a54a6531238c8340bec1f6bb09e1bfb740665ef"
        "59eb2ea59f1fb46b6a37ef15051939ef0c72c0e5ebdb663b6588915f1fcfd1d42bb7b9d0c1d05e3540bb"
    ),
    (
        "da289c22081d3ce4742acf9850978b6cf0f95c34c335e2620fa37496f609df4187fbdba2c3452035602c5a"
        "80b543380053e9d5d7df2eb31bb1750322fe1acb6b8b395902cafb197eee207cf33ea8b3f1f4f20c940040"
        "38e8efa349accb2cf9b32418e941ca8e10dfd7b08f7d2594a6af6ba13dd5ff3ac4f05238f80ffd7f6585"
    ),
    (
        "e6f85cd7c47df45cc014878d76d369ce95abe2e3bf8aeecedc935f6126a837c56841b458a25290779d390b"
        "74d8d033b86706cbf9fda1b5aadceb938ad189a7bc032744c920e5d7b6914f063c252c95580bb02147a1a5"
        "f6e83416299e72f908b2c8e0a62d4fe6b5fcb3016428cff60c4e6e0c716058454c6c68d35acba321533d"
    ),
    (
        "d7b21a0d824348daab80074110bdd53cb25766899e0e70c221147f96ed9ec00f0a6f22d3d7dac831d91240"
        "de3e1bb11dd05452b5a8fd49c0f52d3d70ec18a0600369d8e74ca16c185aee74c006c6d0823378f1a147bd"
        "692486453b04dc6a75dab44f3592acd143ecf277afbe955bc2f62bf1169693ce73b8c8c0b70c28741b4f"
    ),
]


@lru_cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """The first or the second RSA key."""
    p, q = (int(each, 16) for each in _PRIMES[2 * number : 2 * number + 2])
    exponent = 65537
    private = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p, q=q, d=private, dmp1=private % (p - 1), dmq1=private % (q - 1), iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(e=exponent, n=p * q),
    )  # fmt: skip
    return numbers.private_key()


@lru_cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    """The first or the second key on P-256."""
    return ec.derive_private_key(number + 0xC0FFEE, ec.SECP256R1())


@lru_cache
def ed25519_key(number: int) -> Ed25519PrivateKey:
    """The first or the second Ed25519 key."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that verify."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """The public key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_der(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as base64 of its DER."""
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(raw).decode()


def rsa_sign(number: int, message: bytes, *, sha1: bool = False) -> bytes:
    """PKCS #1 v1.5."""
    digest = hashes.SHA1() if sha1 else hashes.SHA256()  # what SNS's first version uses
    return rsa_key(number).sign(message, padding.PKCS1v15(), digest)


def ec_sign(number: int, message: bytes) -> bytes:
    """DER, by RFC 6979: the same every time."""
    return ec_key(number).sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


class Pair(NamedTuple):
    """Two integers of a signature as JOSE writes them."""

    r: int
    s: int


def jose(signature: bytes) -> bytes:
    """R and S, 32 bytes each (RFC 7518, section 3.4)."""
    pair = Pair(*decode_dss_signature(signature))
    return pair.r.to_bytes(32, "big") + pair.s.to_bytes(32, "big")


@lru_cache
def certificate(number: int, name: str) -> str:
    """A certificate that signs itself, as PEM."""
    key = rsa_key(number)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(number + 1)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2035, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()

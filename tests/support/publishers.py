"""Providers that publish keys and certificates: made here, served by a stand-in of the web."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from causeway.settings.clock import SettableClock
from causeway.webhooks.key_material import KeyMaterial

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_760_000_000.0
A_MINUTE = 60.0


class Web:
    """What is published where. It can be down, and it remembers what it was asked."""

    def __init__(self, pages: Mapping[str, bytes] | None = None) -> None:
        self.pages = dict(pages or {})
        self.asked: list[tuple[str, bytes | None]] = []
        self.down = False
        self.status = 200

    def __call__(self, url: str, body: bytes | None) -> tuple[int, bytes]:
        self.asked.append((url, body))
        if self.down:
            raise TimeoutError("no answer")
        if url not in self.pages:
            return 404, b"nothing here"
        return self.status, self.pages[url]


def fetcher(web: Web, clock: SettableClock | None = None) -> KeyMaterial:
    """A memory of key material in front of that web."""
    return KeyMaterial(clock or SettableClock(NOW), web)


@cache
def rsa_key(number: int = 1, size: int = 2048) -> rsa.RSAPrivateKey:
    """A key of one's own for each number."""
    assert number
    return rsa.generate_private_key(65537, size)


@cache
def ec_key(number: int = 1, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """The same of an elliptic curve."""
    assert number
    return ec.generate_private_key(curve())


def private_pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(key: Any, key_id: str, **more: Any) -> dict[str, Any]:
    """A public key as a JWK (RFC 7517)."""
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig", **more}


def key_set(**keys: Any) -> bytes:
    """A set of keys by their ids."""
    return json.dumps({"keys": [jwk(key, key_id) for key_id, key in keys.items()]}).encode()


class Chain:
    """An authority, one below it, and certificates that the latter gives."""

    def __init__(self) -> None:
        self.root = _certificate("Root", "Root", rsa_key(11), rsa_key(11), ca=True)
        self.intermediate = _certificate("Intermediate", "Root", rsa_key(12), rsa_key(11), ca=True)

    def leaf(self, name: str, **more: Any) -> str:
        """A server's certificate (PEM), for the first RSA key."""
        return pem(_certificate(name, "Intermediate", rsa_key(1), rsa_key(12), **more))


def self_signed(name: str, key: Any | None = None, **more: Any) -> str:
    """A certificate (PEM) that nobody but itself vouches for."""
    key = key or rsa_key(1)
    return pem(_certificate(name, name, key, key, **more))


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _certificate(
    name: str,
    issuer: str,
    key: Any,
    signer: Any,
    *,
    ca: bool = False,
    starts: float = NOW - 86400,
    days: int = 30,
) -> x509.Certificate:
    begin = datetime.fromtimestamp(starts, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = builder.add_extension(usage, critical=True)
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

"""Certificates that providers sign with: their dates, their names, their chains."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from causeway.webhooks.encodings import ENCODINGS
from causeway.webhooks.patterns import Malformed
from causeway.webhooks.special.secrets import text
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cryptography.x509 import Certificate

    from causeway.plan.records import JSON
    from causeway.webhooks.special import Fetch

_MAX_CHAIN = 8
_MIN_RSA = 2048


@lru_cache(maxsize=64)
def read_chain(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates in a file, in its order. Raises ValueError where there is none, or too many."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 # few systems need it

    chain = tuple(load_pem_x509_certificates(pem))
    if not 0 < len(chain) <= _MAX_CHAIN:
        raise ValueError("no certificates")
    return chain


def chain_in(fields: Mapping[str, JSON], name: str) -> tuple[Certificate, ...]:
    """The certificates that a secret holds, or none. Raises ValueError where it holds something else."""
    return read_chain(text(fields, name).encode("ascii")) if name in fields else ()


def fetched(url: str, fetch: Fetch | None) -> bytes:
    """A file of certificates, from a URL that the caller has judged.

    Raises:
        Rejected: it cannot be had now (``keys``).
        ValueError: there is none.
    """
    if fetch is None:
        raise Rejected("keys")
    try:
        return fetch(url)
    except OSError as error:
        raise Rejected("keys") from error


def signature_in(text: str) -> bytes:
    """A signature in base64, in its one spelling. Raises Malformed where it is another."""
    given = text.encode("ascii")
    signature = ENCODINGS["base64"].decode(given)
    if ENCODINGS["base64"].encode(signature) != given:
        raise Malformed("a second spelling of the same bytes")
    return signature


def valid_at(certificate: Certificate, now: float) -> bool:
    """Whether a time is within a certificate's dates."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins.timestamp() <= now <= ends.timestamp()


def common_name(certificate: Certificate) -> str | None:
    """The one common name of its subject."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None


def is_issued(
    leaf: Certificate, others: Sequence[Certificate], name: str, roots: Collection[Certificate], now: float
) -> bool:
    """Whether a chain of valid certificates leads from a root to a server's certificate of that name."""
    from cryptography.x509 import DNSName  # noqa: PLC0415
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError  # noqa: PLC0415

    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now)
    verifier = PolicyBuilder().store(Store(list(roots))).time(time).build_server_verifier(DNSName(name))
    try:
        verifier.verify(leaf, list(others))
    except VerificationError:
        return False
    return True


@lru_cache(maxsize=1)
def system_roots() -> tuple[Certificate, ...]:
    """The authorities that this system trusts.

    Raises:
        ValueError: it names none.
        OSError: they cannot be read.
    """
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    trusted = ssl.create_default_context().get_ca_certs(binary_form=True)
    roots = []
    with catch_warnings():
        simplefilter("ignore")  # of old authorities' serial numbers
        for der in trusted:
            with suppress(ValueError):  # one that cannot be read is trusted by nobody
                roots.append(load_der_x509_certificate(der))
    if not roots:
        raise ValueError("the system names no authorities")
    return tuple(roots)


def signed_by(certificate: Certificate, signature: bytes, message: bytes, digest: str) -> bool:
    """Whether a certificate's RSA key signed a message (PKCS #1 v1.5), by ``sha1`` or ``sha256``."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415

    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return False
    if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_RSA:
        return False
    hashing = SHA1() if digest == "sha1" else SHA256()  # noqa: S303 # AWS SNS signs with it; the caller decides
    try:
        key.verify(signature, message, PKCS1v15(), hashing)
    except InvalidSignature:
        return False
    return True


def signature_of(private_key: str, message: bytes, digest: str) -> bytes:
    """The mirror of :func:`signed_by`, for stand-ins. Raises ValueError where there is no such key."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key = load_pem_private_key(private_key.encode("ascii"), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("no RSA key")  # noqa: TRY004 # a value from outside
    return key.sign(message, PKCS1v15(), SHA1() if digest == "sha1" else SHA256())  # noqa: S303 # see above

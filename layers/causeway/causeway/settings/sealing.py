"""Sealing: what is kept in a table and is as good as a secret is encrypted with the stack's own key.

The key is a secret that the template generates. AES-256-GCM (NIST SP 800-38D) with a random nonce; what a
sealed text is about (the key of its item) is authenticated along, so that none can be put in another's place.
"""

from __future__ import annotations

import base64
import hmac
import os
import threading
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.settings.secret_stores import SecretsManager
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.client import Aws

_VERSION = "1."
_NONCE = 12  # bytes
_LABEL = b"causeway: sealed state, version 1"


class CannotOpen(Exception):  # noqa: N818 - an outcome
    """A text was not sealed with this stack's key, or not about this."""


class Sealer:
    """Seals and opens texts. One object serves all threads of a function.

    Args:
        aws: Whose calls.
        secret: The ARN or name of the generated secret, in Secrets Manager.
    """

    def __init__(self, aws: Aws, secret: str) -> None:
        self._store = SecretsManager(aws)
        self._secret = secret
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def seal(self, text: str, *, about: str) -> str:
        """Encrypt a text.

        Raises:
            SecretMissing: the key is not there.
            SecretsUnavailable: the key could not be read.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - where it is needed

        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self._current()).encrypt(nonce, text.encode(), about.encode())
        return _VERSION + base64.b64encode(sealed).decode()

    def open(self, sealed: str, *, about: str) -> str:
        """Decrypt it, also with the key before, where the key was replaced.

        Raises:
            CannotOpen: it was not sealed here, or not about this.
            SecretMissing: the key is not there.
            SecretsUnavailable: the key could not be read.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
        except ValueError:
            raw = b""
        for key in self._keys() if len(raw) > _NONCE else ():
            try:
                return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
            except InvalidTag:
                continue
        raise CannotOpen(f"what is kept about {about} was not sealed with this stack's key")

    def make_ready(self) -> None:
        """Read the key. Raises what :meth:`seal` raises."""
        self._current()

    def _current(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = next(self._read())
            return self._key

    def _keys(self) -> Iterator[bytes]:
        """The key, then what it may have been replaced by since, and what it replaced."""
        yield self._current()
        for key in self._read():
            if key != self._key:
                yield key

    def _read(self) -> Iterator[bytes]:
        try:
            current = self._store.current([self._secret])
            if not current:
                raise SecretMissing("the key that seals tokens is not there: the template makes it")
            yield _derived(current[self._secret].value)
            for value in self._store.previous(current).values():
                yield _derived(value)
        except AwsError as error:
            raise SecretsUnavailable(f"the key that seals tokens could not be read: {error.code}") from error


def _derived(secret: str) -> bytes:
    """A key of 256 bits from 64 random characters."""
    return hmac.digest(secret.encode(), _LABEL, "sha256")

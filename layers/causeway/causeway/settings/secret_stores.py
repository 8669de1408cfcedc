"""The two places where secrets lie: Parameter Store (SecureString), and Secrets Manager (``sm:``).

Both answer the same two questions about stored names: their current values, and the ones before, which still
count while a secret is being rotated.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Protocol

    from causeway.aws.client import Aws

    class Store(Protocol):
        """A place where secrets lie. What is not there is left out of the answers."""

        def current(self, names: Iterable[str]) -> dict[str, Stored]:
            """The current values. Raises AwsError."""

        def previous(self, current: Mapping[str, Stored]) -> dict[str, str]:
            """The values before the current ones. Raises AwsError."""


_PARAMETERS_AT_ONCE = 10


class Stored(NamedTuple):
    """A value and since when it is the current one (epoch seconds)."""

    value: str
    version: int
    since: float

    def __repr__(self) -> str:
        return f"Stored(..., version={self.version}, since={self.since})"


class ParameterStore:
    """SecureStrings; names are paths, such as ``/stack/causeway/in/shop/webhook``."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def current(self, names: Iterable[str]) -> dict[str, Stored]:
        """The current values."""
        return {
            each["Name"]: Stored(each["Value"], each["Version"], each["LastModifiedDate"])
            for each in self._parameters(names)
        }

    def previous(self, current: Mapping[str, Stored]) -> dict[str, str]:
        """The values one version earlier."""
        names = [f"{name}:{stored.version - 1}" for name, stored in current.items() if stored.version > 1]
        return {each["Name"]: each["Value"] for each in self._parameters(names)}

    def _parameters(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        remaining = iter(names)
        while batch := list(itertools.islice(remaining, _PARAMETERS_AT_ONCE)):
            parameters = {"Names": batch, "WithDecryption": True}
            yield from self._aws.call("ssm", "GetParameters", parameters)["Parameters"]


class SecretsManager:
    """Secrets Manager; names are as ``stack/causeway/in/shop/webhook``."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def current(self, names: Iterable[str]) -> dict[str, Stored]:
        """The current values."""
        found = {name: self._get(name, "AWSCURRENT") for name in names}
        return {
            name: Stored(secret["SecretString"], 0, secret["CreatedDate"])
            for name, secret in found.items()
            if secret
        }

    def previous(self, current: Mapping[str, Stored]) -> dict[str, str]:
        """The values that Secrets Manager keeps as ``AWSPREVIOUS``."""
        found = {name: self._get(name, "AWSPREVIOUS") for name in current}
        return {name: secret["SecretString"] for name, secret in found.items() if secret}

    def _get(self, name: str, stage: str) -> dict[str, Any] | None:
        try:
            secret = self._aws.call(
                "secretsmanager", "GetSecretValue", {"SecretId": name, "VersionStage": stage}
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise
        return secret if "SecretString" in secret else None  # a binary one is none that the map can name

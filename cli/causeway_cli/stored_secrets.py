"""Secrets where functions look for them: Parameter Store, or Secrets Manager for ``sm:`` names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway_cli.secret_names import SecretUse

_ABSENT = ("ParameterNotFound", "ResourceNotFoundException")


class StoredSecrets:
    """The secrets of one stack.

    Args:
        clients: The AWS in which it is.
        stack: Its name.
    """

    def __init__(self, clients: Callable[[str], Any], stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def put(self, use: SecretUse, value: str) -> None:
        """Store a value, a new version where there was one."""
        path = use.path(self._stack)
        if not use.in_secrets_manager:
            self._clients("ssm").put_parameter(Name=path, Value=value, Type="SecureString", Overwrite=True)
            return
        manager = self._clients("secretsmanager")
        try:
            manager.put_secret_value(SecretId=path, SecretString=value)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            manager.create_secret(Name=path, SecretString=value)

    def get(self, use: SecretUse) -> str | None:
        """Its value; None when there is none."""
        path = use.path(self._stack)
        try:
            if use.in_secrets_manager:
                text: str = self._clients("secretsmanager").get_secret_value(SecretId=path)["SecretString"]
            else:
                text = self._clients("ssm").get_parameter(Name=path, WithDecryption=True)["Parameter"][
                    "Value"
                ]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            return None
        return text

    def is_there(self, use: SecretUse) -> bool:
        """Whether there is one, without reading its value."""
        path = use.path(self._stack)
        try:
            if use.in_secrets_manager:
                return "DeletedDate" not in self._clients("secretsmanager").describe_secret(SecretId=path)
            return bool(self._clients("ssm").get_parameter(Name=path, WithDecryption=False))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            return False


def field_of(written: str, value: str) -> str:
    """The part of a stored value that ``NAME#field`` means; all of it without a field.

    Raises:
        CommandError: The value is no JSON object with that field as a text.
    """
    name, _, field = written.partition("#")
    if not field:
        return value
    try:
        found = json.loads(value)[field]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str):
        raise CommandError(f"the secret {name} is no JSON object with the field {field!r}")
    return found

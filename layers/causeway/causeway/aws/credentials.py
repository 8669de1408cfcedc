"""Who signs: the credentials of Lambda's environment, or any source that the command line brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # Protocols, too: every cold start would pay for making them
    from collections.abc import Mapping
    from typing import Protocol

    class Credentials(Protocol):
        """An access key; botocore's ``ReadOnlyCredentials`` is one, too."""

        @property
        def access_key(self) -> str:
            """Names the key; no secret."""

        @property
        def secret_key(self) -> str:
            """Signs."""

        @property
        def token(self) -> str | None:
            """The session token of temporary credentials."""

    class CredentialSource(Protocol):
        """Called for each request, so that what it returns may be refreshed."""

        def __call__(self) -> Credentials:
            """The credentials of the moment."""


class NoCredentialsError(Exception):
    """There is nothing to sign with."""


class AccessKey(NamedTuple):
    """Credentials as plain values."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key!r}, ...)"


def from_environment(environ: Mapping[str, str]) -> CredentialSource:
    """The credentials in the variables that Lambda sets; they hold as long as the instance lives.

    Outside Lambda a caller brings its own, such as
    ``boto3.Session(profile_name=...).get_credentials().get_frozen_credentials``.
    """

    def credentials() -> AccessKey:
        try:
            return AccessKey(
                environ["AWS_ACCESS_KEY_ID"],
                environ["AWS_SECRET_ACCESS_KEY"],
                environ.get("AWS_SESSION_TOKEN"),
            )
        except KeyError as missing:
            raise NoCredentialsError(f"{missing.args[0]} is not set") from None

    return credentials

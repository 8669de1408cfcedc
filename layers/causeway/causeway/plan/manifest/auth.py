"""How a call proves who it is (DESIGN 4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from causeway.plan.manifest.base import Finding, Manifest
from causeway.plan.manifest.values import (
    Form,
    HeaderName,
    Link,
    PositiveDuration,
    SecretName,
    TextOrSecret,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.records import JSON


class NoAuth(Manifest):
    """Nothing is proved."""

    type: Literal["none"]


class Bearer(Manifest):
    """A token in the Authorization header."""

    type: Literal["bearer"]
    token: SecretName


class Basic(Manifest):
    """A name and a password (RFC 7617)."""

    type: Literal["basic"]
    username: TextOrSecret
    password: SecretName

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """A colon would end the name (RFC 7617, section 2)."""
        if ":" in str(value.get("username")) and not isinstance(value.get("username"), dict):
            yield "username", "may not have a colon in it"


class ApiKey(Manifest):
    """A key in a header or in a query parameter."""

    type: Literal["api_key"]
    key: SecretName
    header: HeaderName | None = None
    query: Annotated[str, Field(min_length=1)] | None = None

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """The key is in exactly one place."""
        if ("header" in value) == ("query" in value):
            yield "", "where the key goes: exactly one of header and query"


class OAuth2(Manifest):
    """A token from an authorization server (RFC 6749)."""

    type: Literal["oauth2"]
    grant: Literal["client_credentials", "refresh_token"]
    token_url: Link
    client_id: TextOrSecret
    client_secret: SecretName | None = None
    """Absent with client_auth basic or body: a public client."""
    key: SecretName | None = None
    """The private key (PEM) of private_key_jwt."""
    key_id: TextOrSecret | None = None
    client_auth: Literal["basic", "body", "private_key_jwt"] = "basic"
    """How the client proves who it is."""
    refresh_token: SecretName | None = None
    """The first one; `causeway authorize` puts it."""
    authorize_url: Link | None = None
    """Where people consent, for `causeway authorize`; absent: found by the server's metadata."""
    scope: str | None = None
    audience: str | None = None
    extra: dict[str, TextOrSecret] = {}
    """Further parameters of the token request."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """What a grant and a client's proof need, and what they have no use for."""
        by_key = value.get("client_auth") == "private_key_jwt"
        if by_key != ("key" in value):
            yield "key", "the private key of client_auth: private_key_jwt, and of no other"
        if by_key and "client_secret" in value:
            yield "client_secret", "private_key_jwt proves it with `key`: leave this key out"
        if "key_id" in value and not by_key:
            yield "key_id", "names the key of client_auth: private_key_jwt"
        refreshes = value.get("grant") == "refresh_token"
        if refreshes != ("refresh_token" in value):
            yield "refresh_token", "the name of the first refresh token, of grant: refresh_token and no other"
        if value.get("grant") == "client_credentials" and not by_key and "client_secret" not in value:
            yield "client_secret", "missing: what the client proves itself with"


class JwtBearer(Manifest):
    """A token for an assertion that we sign (RFC 7523)."""

    type: Literal["jwt_bearer"]
    token_url: Link
    issuer: TextOrSecret
    subject: TextOrSecret | None = None
    audience: TextOrSecret | None = None
    key: SecretName
    key_id: TextOrSecret | None = None
    scope: str | None = None


class Jwt(Manifest):
    """A token that we sign ourselves."""

    type: Literal["jwt"]
    key: SecretName
    key_id: TextOrSecret | None = None
    algorithm: Literal[
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
        "ES256", "ES384", "ES512", "EdDSA",
    ]  # fmt: skip
    claims: dict[str, Any] = {}
    """Literal, or {secret: NAME}; iat and exp are added."""
    lifetime: PositiveDuration = written("5m")
    """How long a token is good; each call makes its own."""


class AwsSigV4(Manifest):
    """AWS Signature Version 4, with the function's role or another."""

    type: Literal["aws_sigv4"]
    service: Annotated[str, Field(min_length=1)]
    """As AWS calls it when it signs: execute-api, lambda, s3."""
    region: str | None = None
    """The stack's own unless it is written."""
    role: Annotated[str, Form(r"arn:[^:]+:iam::\d{12}:role/.+", "the ARN of a role")] | None = None
    """The ARN of a role to take on, which the template's parameter CallingRoles allows."""


def _type(value: Any) -> str:
    return f"<{value.get('type')}>" if isinstance(value, dict) else "<none>"


Auth = Annotated[
    Annotated[NoAuth, Tag("<none>")]
    | Annotated[Bearer, Tag("<bearer>")]
    | Annotated[Basic, Tag("<basic>")]
    | Annotated[ApiKey, Tag("<api_key>")]
    | Annotated[OAuth2, Tag("<oauth2>")]
    | Annotated[JwtBearer, Tag("<jwt_bearer>")]
    | Annotated[Jwt, Tag("<jwt>")]
    | Annotated[AwsSigV4, Tag("<aws_sigv4>")],
    Discriminator(
        _type,
        custom_error_type="causeway",
        custom_error_message="`type` is none, bearer, basic, api_key, oauth2, jwt_bearer, jwt or aws_sigv4",
    ),
]


def _one_or_list(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<one>"


AuthOrList = Annotated[
    Annotated[Auth, Tag("<one>")] | Annotated[list[Auth], Field(min_length=1), Tag("<list>")],
    Discriminator(_one_or_list),
]

"""A signature scheme spelled out in a manifest (DESIGN 4.4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from causeway.plan.manifest.base import Manifest
from causeway.plan.manifest.values import Expression, HeaderName

Algorithm = Literal[
    "hmac-sha1",
    "hmac-sha256",
    "hmac-sha512",
    "sha256",
    "ed25519",
    "ecdsa-p256-sha256",
    "rsa-sha1",
    "rsa-sha256",
    "jwt",
    "token",
    "basic",
]


class Timestamp(Manifest):
    """Where the timestamp is, and in what unit; without a header it is in the signature header's pattern."""

    header: HeaderName | None = None
    unit: Literal["s", "ms", "rfc3339", "http"] = "s"


class Nonce(Manifest):
    """Where a nonce is sent."""

    header: HeaderName


class Scheme(Manifest):
    """How one system signs, as data."""

    algorithm: Algorithm
    header: HeaderName | None = None
    """The header with the signature, or several; of basic Authorization unless it is written."""
    pattern: Annotated[str, Field(min_length=1)] | None = None
    """How signatures (and the timestamp) are written in it: "v1={signature}"."""
    separator: Annotated[str, Field(min_length=1)] | None = None
    """What stands between several signatures in one header."""
    encoding: Literal["hex", "base64", "base64url"] | None = None
    """How the signature is written."""
    signed: Annotated[str, Field(min_length=1)] | None = None
    """What is signed: "{timestamp}.{body}"."""
    key: Literal["utf8", "base64", "hex", "pem"] | None = None
    """What the secret's text is."""
    key_prefix: str | None = None
    """Stripped from the secret's text before it is read."""
    timestamp: Timestamp | None = None
    nonce: Nonce | None = None
    id: Expression | None = None
    """The event's id; sees {headers, body}."""
    type: Expression | None = None
    """The event's type; sees {headers, body}."""
    split: Expression | None = None
    """The list in a body with many events."""


SchemeName = Annotated[str, Field(description="A built-in scheme.", examples=["shopify", "stripe", "github"])]


def _form(value: Any) -> str:
    return "<list>" if isinstance(value, list) else _one(value)


def _one(value: Any) -> str:
    return "<spelled>" if isinstance(value, dict) else "<name>"


OneScheme = Annotated[
    Annotated[SchemeName, Tag("<name>")] | Annotated[Scheme, Tag("<spelled>")], Discriminator(_one)
]
SchemeChoice = Annotated[
    Annotated[SchemeName, Tag("<name>")]
    | Annotated[Scheme, Tag("<spelled>")]
    | Annotated[Annotated[list[OneScheme], Field(min_length=1)], Tag("<list>")],
    Discriminator(_form),
]

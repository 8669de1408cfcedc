"""A signature scheme spelled out in a manifest (DESIGN 4.4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from causeway.plan.manifest.base import Manifest
from causeway.plan.manifest.values import Duration, Expression, Form, HeaderName

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

SignatureHeader = Annotated[
    str,
    Form(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(\{number\})?", "a header's name, or one with {number} at its end"),
]
BodyPath = Annotated[str, Form(r"body\..+", "a value of the body, such as body.sent_at")]


class Timestamp(Manifest):
    """Where the timestamp is, and in what unit; it is in the signature's pattern unless this says."""

    header: HeaderName | None = None
    value: BodyPath | None = None
    """A value of the body instead of a header."""
    unit: Literal["s", "ms", "rfc3339", "http"] = "s"
    past: Duration | None = None
    """How old it may be, unless the system says a tolerance."""
    future: Duration | None = None
    """How far ahead of our clock it may be, unless the system says a tolerance."""


class Nonce(Manifest):
    """Where a nonce is sent."""

    header: HeaderName


class KeyId(Manifest):
    """Which key of a secret that is a JSON object of keys: a header names it, or this does."""

    header: HeaderName | None = None
    value: Annotated[str, Field(min_length=1)] | None = None


class Jwt(Manifest):
    """What a JSON Web Token must say."""

    algorithms: Annotated[list[str], Field(min_length=1)]
    """The algorithms that are accepted, whatever a token says of itself."""
    keys: str | None = None
    """Where public keys come from; absent: the secret is the key."""
    claims: dict[str, Any] | None = None
    """Claims that must have this value, or one of a list."""
    expires: bool | None = None
    """Whether it must expire; when it says, it is held to it in any case."""
    issued: bool | None = None
    """Whether it must say when it was issued, and that must be within the tolerance."""
    body_sha256: str | None = None
    """The claim that holds the SHA-256 of the body, in hexadecimal."""
    url_sha256: str | None = None
    """The claim that holds the SHA-256 of the URL, in hexadecimal."""


class Reply(Manifest):
    """A certain answer that the provider wants for what is accepted."""

    status: Annotated[int, Field(ge=200, le=299)] = 200
    headers: dict[HeaderName, str] = {}
    body: str = ""


class Refusal(Manifest):
    """A certain answer that the provider wants for what is not proven."""

    status: Annotated[int, Field(ge=400, le=499)] = 401
    headers: dict[HeaderName, str] = {}
    body: str = ""


class Scheme(Manifest):
    """How one system signs, as data."""

    algorithm: Algorithm | None = None
    code: str | None = None
    """Instead of an algorithm: what only code can verify, by the name of the built-in that does."""
    header: SignatureHeader | None = None
    """The header with the signature, or several; of basic Authorization unless it is written."""
    signature: Annotated[str, Form(r"(body|query)\..+", "body.NAME or query.NAME")] | None = None
    """Where the signature is, if it is in no header: "body.signature", "query.token"."""
    pattern: Annotated[str, Field(min_length=1)] | None = None
    """How signatures (and the timestamp) are written in it: "v1={signature}"."""
    separator: Annotated[str, Field(min_length=1)] | None = None
    """What stands between several signatures in one header."""
    sets: Annotated[str, Field(min_length=1)] | None = None
    """What stands between whole sets of signatures and timestamp in one header."""
    require: dict[HeaderName, str] | None = None
    """Headers that must have a certain value."""
    encoding: Literal["hex", "base64", "base64url"] | None = None
    """How the signature is written."""
    signed: Annotated[str, Field(min_length=1)] | None = None
    """What is signed: "{timestamp}.{body}"."""
    body_unsigned: bool | None = None
    """Says knowingly that the signature does not cover the body."""
    key: Literal["utf8", "base64", "hex", "pem", "nfkd"] | None = None
    """What the secret's text is."""
    key_prefix: str | None = None
    """Stripped from the secret's text before it is read."""
    signing_key_prefix: str | None = None
    """The same of the private key, where another key signs than verifies."""
    key_id: KeyId | None = None
    timestamp: Timestamp | None = None
    nonce: Nonce | None = None
    jwt: Jwt | None = None
    content_type: str | None = None
    """What the body is, whatever its own header says."""
    ping: bool | None = None
    """Different events have the same body, and no id: none is a duplicate."""
    handshake: str | None = None
    """The first contact that is answered as a built-in scheme's."""
    reply: Reply | None = None
    """The answer to what is accepted, unless the system's own says another."""
    refusal: Refusal | None = None
    """The answer to what is not proven."""
    id: Expression | None = None
    """The event's id; sees {headers, body, claims}."""
    type: Expression | None = None
    """The event's type; sees {headers, body, claims}."""
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

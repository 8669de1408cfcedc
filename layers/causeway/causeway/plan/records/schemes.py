"""How systems sign what they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from causeway.plan.records.values import JSON, Expression, SecretName


class Timestamp(TypedDict):
    """Where a scheme's timestamp is, in what unit, and how far it may be from our clock."""

    header: NotRequired[str]  # absent, as the next: it is in the signature header's pattern
    value: NotRequired[str]  # a path into the body: body.webhookTimestamp
    unit: Literal["s", "ms", "rfc3339", "http"]
    past: NotRequired[float]  # seconds; the provider's own window, where the manifest writes no tolerance
    future: NotRequired[float]


class KeyId(TypedDict):
    """Which key of a secret that is a JSON object: exactly one of the two."""

    header: NotRequired[str]  # a header names it; a secret that is no object is one key, however it is named
    value: NotRequired[str]


class Jwt(TypedDict):
    """What a JSON Web Token must say; the algorithms are pinned, whatever a token says of itself."""

    algorithms: list[str]
    keys: NotRequired[str]  # a name of causeway.webhooks.key_material; absent: the secret's text is the key
    claims: NotRequired[dict[str, JSON]]  # equal, or one of a list; "{url}", "{secret.NAME}" stand for those
    expires: NotRequired[bool]  # `exp` is required; one that is there always holds
    issued: NotRequired[bool]  # `iat` is required, and within the window, as a timestamp
    body_sha256: NotRequired[str]  # the claim with the hex SHA-256 of the body
    url_sha256: NotRequired[str]  # and of the URL


class Scheme(TypedDict):
    """How one system signs, as data (DESIGN 4.4); :mod:`causeway.webhooks.compiled` says what its keys mean.

    Header names are lower case. Exactly one of ``algorithm`` and ``code`` is there.
    """

    algorithm: NotRequired[str]
    code: NotRequired[str]  # a name of causeway.webhooks.special.SPECIAL
    header: NotRequired[str]  # absent: authorization, of basic
    signature: NotRequired[str]  # where it is, if in no header: body.signature.signature, query.token
    pattern: NotRequired[str]
    separator: NotRequired[str]  # between several signatures in one header; absent: the header holds one
    sets: NotRequired[str]  # between whole sets of signature and timestamp in one header
    require: NotRequired[dict[str, str]]  # headers that must have this value
    encoding: NotRequired[Literal["hex", "base64", "base64url"]]
    signed: NotRequired[str]
    body_unsigned: NotRequired[bool]  # says knowingly that the signature does not cover the body
    key: NotRequired[str]
    key_prefix: NotRequired[str]  # stripped from the secret before it is decoded, and required
    signing_key_prefix: NotRequired[str]  # the same of the private key, where another key signs than verifies
    key_id: NotRequired[KeyId]
    timestamp: NotRequired[Timestamp]
    nonce: NotRequired[dict[str, str]]
    jwt: NotRequired[Jwt]
    id: NotRequired[Expression]
    type: NotRequired[Expression]
    split: NotRequired[Expression]
    content_type: NotRequired[str]  # what the body is, whatever its header says: AWS SNS sends JSON as text
    ping: NotRequired[bool]  # different events have the same body, and no id: none is a duplicate
    handshake: NotRequired[str]  # the name of a handshake in causeway.webhooks.handshakes
    reply: NotRequired[Reply]  # what the provider wants to hear of what is accepted, unless the manifest says
    refusal: NotRequired[Reply]  # and of what is not proven
    unconfirmed: NotRequired[bool]  # not read from the provider's own pages; only built-in records say it


class Reply(TypedDict):
    """What the provider gets for an accepted request, where it wants something certain."""

    status: int
    headers: dict[str, str]
    body: str


class Webhooks(TypedDict):
    """How a system signs what it sends."""

    schemes: list[Scheme]  # any of them may match
    secrets: list[SecretName]  # any of them may match
    tolerance: NotRequired[float]  # seconds, both ways; absent: the scheme's own, or 5 minutes
    dedupe_for: float  # seconds
    id: NotRequired[Expression]
    type: NotRequired[Expression]
    split: NotRequired[Expression]
    token: NotRequired[SecretName]  # what the provider shows at first contact
    reply: NotRequired[Reply]
    base_url: NotRequired[str]
    keep_rejected: NotRequired[float]  # seconds
    canary: NotRequired[bool]  # absent: no

"""How systems are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from causeway.plan.records.schemes import Scheme
    from causeway.plan.records.values import JSON, Expression, SecretName, SecretRef, Text


class Auth(TypedDict):
    """How a call proves who it is (DESIGN 4.5)."""

    type: Literal["none", "bearer", "basic", "api_key", "oauth2", "jwt_bearer", "jwt", "aws_sigv4"]
    token: NotRequired[SecretName]
    username: NotRequired[str | SecretRef]
    password: NotRequired[SecretName]
    key: NotRequired[SecretName]
    key_id: NotRequired[str | SecretRef]
    header: NotRequired[str]
    query: NotRequired[str]
    # oauth2, jwt_bearer
    grant: NotRequired[Literal["client_credentials", "refresh_token"]]
    token_url: NotRequired[str]
    authorize_url: NotRequired[str]
    client_id: NotRequired[str | SecretRef]
    client_secret: NotRequired[SecretName]
    client_auth: NotRequired[Literal["basic", "body", "private_key_jwt"]]
    refresh_token: NotRequired[SecretName]
    scope: NotRequired[str]
    audience: NotRequired[str | SecretRef]
    extra: NotRequired[dict[str, str | SecretRef]]
    issuer: NotRequired[str | SecretRef]
    subject: NotRequired[str | SecretRef]
    # jwt
    algorithm: NotRequired[str]
    claims: NotRequired[dict[str, JSON]]
    lifetime: NotRequired[float]  # seconds
    # aws_sigv4
    service: NotRequired[str]
    region: NotRequired[str]
    role: NotRequired[str]


class Mtls(TypedDict):
    """The certificate that a call shows."""

    certificate: SecretName
    key: SecretName


class Signing(TypedDict):
    """How what is sent is signed."""

    schemes: list[Scheme]  # the first for which a secret is a key
    secrets: list[SecretName]  # all of them sign, where the scheme's header takes several signatures


class RateLimit(TypedDict):
    """So many calls per time."""

    requests: int
    per: float  # seconds
    burst: int


class CircuitBreaker(TypedDict):
    """When a system that fails is left alone."""

    failures: float  # the share of calls
    of_at_least: int  # calls
    within: float  # seconds
    open_for: float  # seconds


class Api(TypedDict):
    """How a system is called."""

    base_url: str | SecretRef
    auth: Auth | list[Auth]
    mtls: NotRequired[Mtls]
    signing: NotRequired[Signing]
    rate_limits: NotRequired[list[RateLimit]]  # all of them hold
    concurrency: NotRequired[int]  # calls at once
    circuit_breaker: NotRequired[CircuitBreaker]  # the compiler always writes one
    headers: dict[str, Text | SecretRef]
    allow_private: list[str]  # networks in CIDR notation
    keep_answers: bool


class Call(TypedDict):
    """One HTTP request to a system, its system's defaults applied (DESIGN 4.3)."""

    system: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Text
    query: dict[str, JSON]  # values are texts or lists of texts; a list repeats the parameter
    headers: dict[str, JSON]  # the call's own; the system's are in its Api
    body: NotRequired[JSON]  # a template; absent: no body
    content: Literal["json", "form", "ndjson", "text"]
    when: NotRequired[Expression]
    reads: bool
    timeout: float  # seconds
    success_when: Expression
    retry_on: list[str]  # "connection", "timeout", "429", "500-599", "!503"
    retry_when: NotRequired[Expression]

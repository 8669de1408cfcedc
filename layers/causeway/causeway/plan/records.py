"""What a compiled plan holds: the records that the compiler writes and the functions read.

Plain dictionaries with names and types, so that loading a plan is parsing JSON and nothing else.
They are the manifests with everything decided: durations are seconds, sizes bytes, shares fractions;
defaults are filled in, environments merged, shorthands spelled out, a call's overrides applied to its
system's defaults. Expressions and texts stay as written (:mod:`causeway.events` evaluates them).

Secrets are names. Where the manifest's key itself means a secret (``token``, ``password``, ``key``,
``secrets`` ...) the record holds the bare name; anywhere else a :class:`SecretRef` stands in the value's
place.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

JSON = Any
"""Any JSON value."""

Expression = str
"""A JMESPath expression."""

Text = str
"""A string in which ``${...}`` holds an expression."""

SecretName = str
"""``NAME``, ``sm:NAME``, either with ``#field``."""


class SecretRef(TypedDict):
    """A secret in the place of a literal value."""

    secret: SecretName


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


class System(TypedDict):
    """An external API."""

    name: str
    description: str
    redact: list[str]  # paths such as data.customer.email
    webhooks: NotRequired[Webhooks]
    api: NotRequired[Api]
    polls: NotRequired[dict[str, Poll]]


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


class Cursor(TypedDict):
    """What a run of a poll remembers for the next: ``field``, ``token``, or neither: time itself."""

    field: NotRequired[Expression]  # over a record; its highest value is remembered
    token: NotRequired[Expression]  # over an answer; the server's own
    format: Literal["rfc3339", "date", "epoch", "epoch_ms", "integer", "opaque"]  # "opaque" of a token
    start: NotRequired[JSON]  # "now", a value of the format, or of a token the first request's query
    lookback: float  # seconds
    window: NotRequired[float]  # seconds
    delay: float  # seconds
    asks: bool  # the call holds since: the API leaves out what is older, if not we; of a token: it is no URL


class Paginate(TypedDict):
    """How the next page is found; absent on a poll: there is one."""

    by: Literal["link", "next_url", "cursor", "page", "offset"]
    next: NotRequired[Expression]  # over an answer: of next_url and cursor
    param: NotRequired[str]  # of cursor, page and offset: in the query, or a path into the body
    start: NotRequired[int]  # of page
    limit: NotRequired[int]  # of offset
    stop_when: NotRequired[Expression]  # over an answer; "seen": nothing new on a page


class Diff(TypedDict):
    """Compare with the last run."""

    ignore: list[str]  # paths into a record
    deleted: bool


class Poll(TypedDict):
    """What is fetched on a schedule, and how its records become events."""

    name: str
    system: str
    every: NotRequired[float]  # seconds; exactly one of this and the next
    cron: NotRequired[str]  # five fields, UTC
    call: Call
    records: Expression  # over an answer
    id: Expression  # over a record
    version: NotRequired[Expression]
    event_type: Text  # over a record
    cursor: NotRequired[Cursor]
    paginate: NotRequired[Paginate]
    retention: NotRequired[float]  # seconds
    credentials: list[str]  # parameters that prove who asks: a link that repeats them is kept without
    parse: NotRequired[str]  # "transforms.shop:read"
    batch: int
    diff: NotRequired[Diff]
    reach: NotRequired[float]  # seconds; it reconciles, and reads no further back


class Step(TypedDict):
    """A step before the target: exactly one of ``call`` and ``run``."""

    name: str
    call: NotRequired[Call]
    run: NotRequired[str]  # "transforms.orders:to_entry"
    when: NotRequired[Expression]  # of a run; a call has its own


class QueueTarget(TypedDict):
    """An SQS queue of this account and region."""

    name: str
    body: JSON  # a template


class BusTarget(TypedDict):
    """An EventBridge bus."""

    name: str  # or its ARN
    detail_type: Text
    body: JSON  # a template of an object


class BucketTarget(TypedDict):
    """An S3 bucket."""

    name: str
    key: Text  # of the object; what ends in .gz is packed
    content: Literal["json", "ndjson"]  # an object for each delivery, or lines of several
    body: JSON  # a template


class ReplyTarget(TypedDict):
    """The client who asked; only of a source that is a request."""

    status: int
    headers: dict[str, JSON]
    content: Literal["json", "form", "ndjson", "text"]
    body: JSON  # a template


class Target(TypedDict):
    """Where a delivery goes: exactly one of these, :data:`causeway.delivery.targets.KINDS`."""

    call: NotRequired[Call]
    queue: NotRequired[QueueTarget]
    bus: NotRequired[BusTarget]
    bucket: NotRequired[BucketTarget]
    reply: NotRequired[ReplyTarget]


class RequestSource(TypedDict):
    """What clients ask."""

    wait: float  # seconds; 25 at most
    otherwise: Literal["queue", "refuse"]  # what follows when it is not done by then


class Source(TypedDict):
    """What an integration takes; :mod:`causeway.plan.sources` reads it."""

    system: NotRequired[str]  # whose events; with one of the next two
    events: NotRequired[list[str]]  # globs over event types
    poll: NotRequired[str]  # the name of the system's poll
    bus: NotRequired[dict[str, JSON]]  # an EventBridge event pattern, and nothing else
    request: NotRequired[RequestSource]  # and nothing else


class Retry(TypedDict):
    """The spacing of attempts, in seconds."""

    first: float
    factor: float
    max: float


class Errors(TypedDict):
    """What happens when the target refuses."""

    retry: Retry
    attempts: int | None  # None: unlimited
    give_up_after: float  # seconds
    keep_events: float  # seconds


class Owner(TypedDict):
    """Who hears of it."""

    team: str
    email: str
    runbook: NotRequired[str]


class Frequency(TypedDict):
    """What the owner expects, for the watchdog."""

    expect_every: float | None  # seconds; None: never
    during: str
    deliver_within: float  # seconds


class Integration(TypedDict):
    """A flow from one system to another."""

    name: str
    description: str
    owner: Owner
    source: Source
    constants: dict[str, JSON]
    filter: NotRequired[Expression]
    order_by: NotRequired[Expression]
    buffer: NotRequired[Literal["stream"]]  # absent: the queue
    steps: list[Step]
    target: Target
    frequency: Frequency
    errors: Errors


class PlanRecord(TypedDict):
    """One environment's plan: the content of ``<environment>.json``."""

    format: int
    environment: str
    systems: dict[str, System]
    integrations: dict[str, Integration]

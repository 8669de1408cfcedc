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

from typing import Literal, NotRequired, TypedDict

from causeway.plan.records.calls import Api, Auth, Call, CircuitBreaker, Mtls, RateLimit, Signing
from causeway.plan.records.schemes import Jwt, KeyId, Reply, Scheme, Timestamp, Webhooks
from causeway.plan.records.values import JSON, Expression, SecretName, SecretRef, Text

__all__ = [
    "JSON",
    "Api",
    "Auth",
    "BucketTarget",
    "BusTarget",
    "Call",
    "CircuitBreaker",
    "Cursor",
    "Diff",
    "Errors",
    "Expression",
    "Frequency",
    "Integration",
    "Jwt",
    "KeyId",
    "Mtls",
    "Owner",
    "Paginate",
    "PlanRecord",
    "Poll",
    "QueueTarget",
    "RateLimit",
    "Reply",
    "ReplyTarget",
    "RequestSource",
    "Retry",
    "Scheme",
    "SecretName",
    "SecretRef",
    "Signing",
    "Source",
    "Step",
    "System",
    "Target",
    "Text",
    "Timestamp",
    "Webhooks",
]


class System(TypedDict):
    """An external API."""

    name: str
    description: str
    redact: list[str]  # paths such as data.customer.email
    webhooks: NotRequired[Webhooks]
    api: NotRequired[Api]
    polls: NotRequired[dict[str, Poll]]


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

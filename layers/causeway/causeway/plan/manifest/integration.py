"""An integration: a flow from one system to another, with an owner (DESIGN 4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from causeway.plan.manifest.base import Finding, Manifest
from causeway.plan.manifest.call import Call
from causeway.plan.manifest.values import (
    Duration,
    Email,
    Expression,
    Form,
    HeaderName,
    Identifier,
    Json,
    Link,
    Name,
    PositiveDuration,
    PythonFunction,
    Text,
    Wait,
    keys_choose,
    positive_duration,
    written,
)
from causeway.plan.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.records import JSON


class Owner(Manifest):
    """Who hears of it."""

    team: Annotated[str, Field(min_length=1)]
    """Which team it is."""
    email: Email
    """Where they are reached."""
    runbook: Link | None = None
    """What they do when it fails."""


class WebhookSource(Manifest):
    """What a system's webhooks bring."""

    system: Name
    """Which system sends."""
    events: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    """Types of events; * stands for anything."""


class PollSource(Manifest):
    """What a poll brings."""

    system: Name
    poll: Name


class RequestOptions(Manifest):
    """How long a client waits, and what happens then."""

    wait: Wait = written("20s")
    """How long at most, of 25s."""
    otherwise: Literal["queue", "refuse"] = "queue"
    """What follows: it goes on through the queue, or nothing is queued."""


class RequestSource(Manifest):
    """What clients ask."""

    request: RequestOptions


class BusSource(Manifest):
    """What other programs put on the stack's bus."""

    bus: dict[str, Any]
    """An EventBridge event pattern."""


Source = Annotated[
    Annotated[WebhookSource, Tag("<webhooks>")]
    | Annotated[PollSource, Tag("<poll>")]
    | Annotated[RequestSource, Tag("<request>")]
    | Annotated[BusSource, Tag("<bus>")],
    keys_choose(("poll", "<poll>"), ("request", "<request>"), ("bus", "<bus>"), otherwise="<webhooks>"),
]


class CallStep(Call):
    """A call before the target; its answer is ${steps.NAME...}."""

    name: Identifier


class RunStep(Manifest):
    """Python before the target; its result is ${steps.NAME...}."""

    name: Identifier
    run: PythonFunction
    """Gets what expressions see, returns JSON."""
    when: Expression | None = None
    """Asked first: false means that it is not run."""


Step = Annotated[
    Annotated[RunStep, Tag("<run>")] | Annotated[CallStep, Tag("<call>")],
    keys_choose(("run", "<run>"), otherwise="<call>"),
]


class Flow(Manifest):
    """What happens between source and target."""

    filter: Expression | None = None
    """Over the event: false means that it is not for this integration."""
    order_by: Expression | None = None
    """Strict order per key; absent: parallel."""
    buffer: Literal["queue", "stream"] = "queue"
    """Stream is Kinesis; it goes without order_by."""
    steps: list[Step] = []
    """Before the target, in order."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """A stream has no order per key."""
        if value.get("buffer") == "stream" and value.get("order_by") is not None:
            yield "order_by", "goes only with `buffer: queue`"


class QueueTarget(Manifest):
    """An SQS queue."""

    queue: Annotated[
        str,
        Form(
            r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo",
            "the name of a queue in the stack's account and region",
        ),
    ]
    """Its name; NAME.fifo keeps the order in which messages were sent."""
    body: Json = "${data}"
    """Any JSON with texts."""


class BusTarget(Manifest):
    """An EventBridge bus."""

    bus: Annotated[str, Form(r"[A-Za-z0-9/_.-]{1,256}|arn:[^:]+:events:\S+", "the name of a bus, or its ARN")]
    """Its name or its ARN."""
    detail_type: Text = "${type}"
    """What rules match."""
    body: Json = "${data}"
    """An object with texts, the event's detail."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """A literal that EventBridge would refuse for each event."""
        body = value.get("body", {})
        if not isinstance(body, dict) and not (isinstance(body, str) and "${" in body):
            yield "body", "must be an object, the event's detail"


class BucketTarget(Manifest):
    """An S3 bucket."""

    bucket: Annotated[str, Form(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket")]
    """Its name."""
    key: Text
    """Of the object; what ends in .gz is packed."""
    content: Literal["json", "ndjson"] = "json"
    """json: an object for each delivery; ndjson: lines of those that are delivered together."""
    body: Json = "${data}"
    """Any JSON with texts; a line is an object."""


class ReplyWords(Manifest):
    """The answer to the caller of a request."""

    status: Annotated[int, Field(ge=200, le=599)] = 200
    """Its status."""
    headers: dict[HeaderName, Text] = {}
    """Its headers, besides the content type."""
    content: Literal["json", "form", "ndjson", "text"] = "json"
    """How the body is written."""
    body: Json = "${data}"
    """Any JSON with texts."""


class ReplyTarget(Manifest):
    """The caller of a request."""

    reply: ReplyWords


Target = Annotated[
    Annotated[Call, Tag("<call>")]
    | Annotated[QueueTarget, Tag("<queue>")]
    | Annotated[BusTarget, Tag("<bus>")]
    | Annotated[BucketTarget, Tag("<bucket>")]
    | Annotated[ReplyTarget, Tag("<reply>")],
    keys_choose(
        ("system", "<call>"),
        ("queue", "<queue>"),
        ("bus", "<bus>"),
        ("bucket", "<bucket>"),
        ("reply", "<reply>"),
        otherwise="<call>",
    ),
]


def _or_word(word: str, parse: Any) -> BeforeValidator:
    """A word that means None, or a value."""
    return BeforeValidator(lambda value: None if value == word else parse(value))


def _attempts(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise PydanticCustomError("causeway", "must be unlimited or a number of at least 1")
    return value


_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DURING = rf"always|{_DAY}(-{_DAY})? {_TIME}-({_TIME}|24:00) [A-Za-z_]+(/[A-Za-z0-9_+-]+)*"


def _during(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_DURING, value):
        raise PydanticCustomError(
            "causeway", 'must be always, or days, hours and time zone: "mon-fri 07:00-21:00 Europe/Berlin"'
        )
    if value != "always":
        _check_zone(value.rpartition(" ")[2])
    return value


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError):  # such as Europe, which is a directory
        remedy = did_you_mean(zone, available_timezones())
        raise PydanticCustomError(
            "causeway", "there is no time zone {zone}; {remedy}", {"zone": repr(zone), "remedy": remedy}
        ) from None


class Frequency(Manifest):
    """What the owner expects."""

    expect_every: Annotated[
        float | None,
        _or_word("never", positive_duration),
        WithJsonSchema(
            {"type": "string", "pattern": "^(never|[0-9]{1,9}[smhd])$", "examples": ["6h", "never"]}
        ),
    ]
    """Silence longer than this is told to the owner; never says openly that it is not."""
    during: Annotated[
        str, BeforeValidator(_during), Field(json_schema_extra={"pattern": f"^({_DURING})$"})
    ] = written("always")
    """When silence counts: "mon-fri 07:00-21:00 Europe/Berlin"."""
    deliver_within: PositiveDuration = written("15m")
    """A delivery older than this is told to the owner."""


class Retry(Manifest):
    """The spacing of attempts: first, then each time factor times longer, up to max."""

    first: PositiveDuration = written("5s")
    factor: Annotated[float, Field(ge=1)] = 3
    max: PositiveDuration = written("6h")


class Errors(Manifest):
    """What happens when the target refuses."""

    retry: Retry = Field(default_factory=Retry)
    attempts: Annotated[
        int | None,
        _or_word("unlimited", _attempts),
        WithJsonSchema({"anyOf": [{"const": "unlimited"}, {"type": "integer", "minimum": 1}]}),
    ] = written("unlimited")
    """unlimited or a number; this or give_up_after, whichever comes first."""
    give_up_after: PositiveDuration = written("3d")
    """After this it is a dead letter; a pause stops the clock."""
    keep_events: Duration = written("0s")
    """How long delivered events are kept, so that they can be replayed."""


class Integration(Manifest):
    """A flow from one system to another. Its keys are the questions to answer before one is built."""

    integration: Name
    """Its name, which is also the file's."""
    description: str = ""
    owner: Owner
    """Who hears of it when it does not work."""
    source: Source
    """Where events come from."""
    constants: dict[Identifier, Any] = {}
    """What expressions may look up; environments override it."""
    flow: Flow
    """What happens in between; {} is an answer."""
    target: Target
    """Where they go."""
    frequency: Frequency
    """What is expected, and when silence is a fault."""
    errors: Errors
    """What happens when the target refuses; {} is an answer."""

"""What is fetched on a schedule (DESIGN 4.1, ``polls``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from causeway.plan.manifest.base import Finding, Manifest
from causeway.plan.manifest.call import CallWords
from causeway.plan.manifest.values import (
    DURATION_SCHEMA,
    Duration,
    Expression,
    PositiveDuration,
    PythonFunction,
    Text,
    duration,
    written,
    wrong,
)
from causeway.polling.cursors import SECOND, TIMES, CursorError, parse_cursor, unit_of
from causeway.polling.schedules import LEAST, CronError, parse_cron
from causeway.polling.windows import overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.records import JSON

_TOKENS_OWN = ("format", "lookback", "window", "delay")
"""Keys of a cursor that say how values compare: nothing is known of a server's own token."""


class Cursor(Manifest):
    """What a run remembers for the next: a field's highest value, the server's own token, or time itself."""

    field: Expression | None = None
    """The field of a record whose highest value is remembered."""
    token: Expression | None = None
    """The server's own cursor, in an answer."""
    param: Annotated[str, Field(min_length=1)] | None = None
    """Short for query: {PARAM: "${since?}"}."""
    format: Literal["rfc3339", "date", "epoch", "epoch_ms", "integer", "opaque"] = "rfc3339"
    """How the API writes it."""
    start: Any = None
    """now, a value of the format, or for a token the first request's query; absent: all there is."""
    lookback: Duration = written("0s")
    """Each run reads so much again, for what is committed late."""
    window: PositiveDuration | None = None
    """Read in slices; ${since} and ${until} may stand in any text of the call."""
    delay: Duration = written("0s")
    """Never read later than now minus this."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """What goes together."""
        if "field" in value and "token" in value:
            yield "token", "field is there already: one of field and token, or neither"
        elif "token" in value:
            yield from _of_token(value)
        else:
            yield from _of_values(value)


def _of_token(value: Mapping[str, JSON]) -> Iterator[Finding]:
    for key in _TOKENS_OWN:
        if key in value:
            yield key, "says how values compare; a token is the server's own: leave this key out"
    start = value.get("start")
    if start is not None and not isinstance(start, dict):
        yield "start", "of a token it is the first request's query: {PARAMETER: VALUE}"


def _of_values(value: Mapping[str, JSON]) -> Iterator[Finding]:
    format_ = value.get("format", "rfc3339")
    is_time = format_ in TIMES
    if "field" not in value and ("window" not in value or not is_time):
        yield "", "what is remembered: field, token, or time itself (window, with a format that is a time)"
    for key in ("window", "delay"):
        if key in value and not is_time and "field" in value:
            yield key, f"is a span of time, and {format_} is none: leave this key out"
    if "window" in value and "start" not in value:
        yield "start", "missing: where the first window begins: now, or a time"
    if "start" in value and isinstance(format_, str):
        yield from _start(value["start"], format_)
    window, lookback = _seconds(value.get("window")), _seconds(value.get("lookback", "0s"))
    if window and is_time:
        least = overlap(format_, lookback, field="field" in value) / SECOND
        if window <= least or window < unit_of(format_) / SECOND:
            yield "window", f"must be longer than the {least:g} s by which windows overlap, and whole units"


def _seconds(value: JSON) -> float:
    """The seconds of a duration; 0 where there is none, which the field's own type tells."""
    try:
        return duration(value)
    except ValueError:
        return 0.0


def _start(start: JSON, format_: str) -> Iterator[Finding]:
    if start == "now":
        if format_ not in TIMES:
            yield "start", f"now is a time, and {format_} is none: write a value"
        return
    try:
        parse_cursor(start, format_)
    except CursorError as error:
        yield "start", f"must be now or a value of the format: {error}"
    except KeyError:
        return  # a format that does not exist, which its own type tells


class Links(Manifest):
    """The next page is a link in the header (RFC 8288); the short form is link."""

    link: Literal["next"]
    stop_when: Expression | None = None


class NextUrl(Manifest):
    """The next page's URL is in the answer."""

    next_url: Expression
    stop_when: Expression | None = None


class NextCursor(Manifest):
    """A cursor in the answer is a parameter of the next request."""

    cursor: Expression
    param: Annotated[str, Field(min_length=1)]
    stop_when: Expression | None = None


class Pages(Manifest):
    """Pages are numbered."""

    page: Annotated[str, Field(min_length=1)]
    start: Annotated[int, Field(ge=0)] = 1
    stop_when: Expression | None = None


class Offsets(Manifest):
    """Pages begin at an offset."""

    offset: Annotated[str, Field(min_length=1)]
    limit: Annotated[int, Field(ge=1)]
    stop_when: Expression | None = None


_WAYS = ("link", "next_url", "cursor", "page", "offset")


def _way(value: object) -> str:
    if isinstance(value, dict):
        return next((f"<{key}>" for key in _WAYS if key in value), "<next_url>")
    return "<word>"


Paginate = Annotated[
    Annotated[Literal["link"], Tag("<word>")]
    | Annotated[Links, Tag("<link>")]
    | Annotated[NextUrl, Tag("<next_url>")]
    | Annotated[NextCursor, Tag("<cursor>")]
    | Annotated[Pages, Tag("<page>")]
    | Annotated[Offsets, Tag("<offset>")],
    Discriminator(_way),
]


class Diff(Manifest):
    """Compare with the last run; only changes become events."""

    ignore: list[Annotated[str, Field(min_length=1)]] = []
    """Fields, or paths to them, that do not count."""
    deleted: bool = False
    """What is gone becomes an event, too: {ID: ..., _deleted: true}."""


def _every(value: object) -> float:
    seconds = duration(value)
    if seconds < LEAST:
        raise wrong("must be 1m at least: the scheduler looks once a minute")
    return seconds


def _cron(value: object) -> object:
    try:
        if isinstance(value, str):
            parse_cron(value)
            return value
    except CronError as error:
        raise wrong(str(error)) from None
    raise wrong('must be a cron expression in UTC, such as "0 6 * * mon-fri"')


class Poll(CallWords):
    """A call on a schedule, whose records become events."""

    every: Annotated[float, BeforeValidator(_every), DURATION_SCHEMA] | None = None
    """How often; 1m at least."""
    cron: Annotated[str, BeforeValidator(_cron)] | None = None
    """When, in UTC: minute, hour, day of the month, month, day of the week."""
    records: Expression
    """The list in the answer."""
    id: Expression
    """Over a record."""
    version: Expression | None = None
    """Over a record: with it, an update is a new event."""
    event_type: Text | None = None
    """Over a record; the poll's name unless it is written."""
    cursor: Cursor | None = None
    """Absent: the whole list each time."""
    paginate: Paginate | None = None
    """How the next page is found; absent: there is one."""
    retention: PositiveDuration | None = None
    """What the API still has; a cursor older than that alarms."""
    parse: PythonFunction | None = None
    """For answers that are not JSON: (bytes, headers) -> JSON."""
    batch: Annotated[int, Field(ge=1)] = 1
    """So many records become one event, whose data is the list."""
    diff: Diff | None = None
    """Compare with the last run; only changes become events."""
    reconcile: bool = False
    """It returns what webhooks should have brought."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """When it runs is said once, and what excludes each other."""
        yield from super().findings(value)
        if ("every" in value) == ("cron" in value):
            yield "", "when it runs: exactly one of every and cron"
        if "when" in value:
            yield "when", "asks of an event, and a poll has none: leave this key out"
        if value.get("retention") is not None and value.get("cursor") is None:
            yield "retention", "is of what a cursor remembers, and there is none"
        if value.get("diff") is not None:
            yield from _excluded(value, "diff", _OF_DIFF)
        if value.get("reconcile") is True:
            yield from _excluded(value, "reconcile", _OF_RECONCILE)
        batch = value.get("batch", 1)
        if isinstance(batch, int) and batch > 1 and "${" in str(value.get("event_type")):
            yield "event_type", "a batch has one type: write it without ${...}"


_OF_DIFF = {
    "cursor": "diff compares whole lists",
    "version": "a change is an event of its run",
    "reconcile": "a change has no webhook that it could meet",
}
_OF_RECONCILE = {
    "version": "ids are those of the webhooks",
    "batch": "ids are those of the webhooks",
}


def _excluded(value: Mapping[str, JSON], key: str, reasons: Mapping[str, str]) -> Iterator[Finding]:
    for other, reason in reasons.items():
        if value.get(other) not in (None, False, 1):
            yield other, f"goes not together with {key}: {reason}"

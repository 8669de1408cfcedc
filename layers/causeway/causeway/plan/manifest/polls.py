"""What is fetched on a schedule (DESIGN 4.1, ``polls``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from causeway.plan.manifest.base import Finding, Manifest
from causeway.plan.manifest.call import CallWords
from causeway.plan.manifest.values import (
    Duration,
    Expression,
    PositiveDuration,
    PythonFunction,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.records import JSON


class Cursor(Manifest):
    """What a run remembers for the next: a field's highest value, the server's own token, or time itself."""

    field: str | None = None
    """The field of a record whose highest value is remembered."""
    token: Expression | None = None
    """The server's own cursor, in an answer."""
    param: str | None = None
    """Short for query: {PARAM: "${since}"}."""
    format: Literal["rfc3339", "date", "epoch", "epoch_ms", "integer", "opaque"] = "rfc3339"
    start: Any = None
    """now, a value of the format, or for a token the first request's query."""
    lookback: Duration = written("0s")
    window: PositiveDuration | None = None
    """Read in slices; ${since} and ${until} may stand in any text of the call."""
    delay: Duration = written("0s")
    """Never read later than now minus this."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """At most one of field and token."""
        if "field" in value and "token" in value:
            yield "token", "field is there already: one of field and token, or neither"


class NextUrl(Manifest):
    """The next page's URL is in the answer."""

    next_url: Expression
    stop_when: Expression | None = None


class NextCursor(Manifest):
    """A cursor in the answer is a parameter of the next request."""

    cursor: Expression
    param: str
    stop_when: Expression | None = None


class Pages(Manifest):
    """Pages are numbered."""

    page: str
    start: int = 1
    stop_when: Expression | None = None


class Offsets(Manifest):
    """Pages begin at an offset."""

    offset: str
    limit: Annotated[int, Field(ge=1)]
    stop_when: Expression | None = None


def _link_or_object(value: Any) -> str:
    if not isinstance(value, dict):
        return "<link>"
    return next(
        (f"<{key}>" for key in ("next_url", "cursor", "page", "offset") if key in value), "<next_url>"
    )


Paginate = Annotated[
    Annotated[Literal["link"], Tag("<link>")]
    | Annotated[NextUrl, Tag("<next_url>")]
    | Annotated[NextCursor, Tag("<cursor>")]
    | Annotated[Pages, Tag("<page>")]
    | Annotated[Offsets, Tag("<offset>")],
    Discriminator(_link_or_object),
]


class Diff(Manifest):
    """Compare with the last run; only changes become events."""

    ignore: list[str] = []
    deleted: bool = False


class Poll(CallWords):
    """A call on a schedule, whose records become events."""

    every: PositiveDuration | None = None
    cron: str | None = None
    """In UTC."""
    records: Expression
    """The list in the answer."""
    id: Expression
    """Over a record."""
    version: Expression | None = None
    """Over a record: with it, an update is a new event."""
    event_type: str | None = None
    """The poll's name unless it is written."""
    cursor: Cursor | None = None
    """Absent: the whole list each time."""
    paginate: Paginate | None = None
    retention: PositiveDuration | None = None
    """What the API still has; a cursor older than that alarms."""
    parse: PythonFunction | None = None
    """For answers that are not JSON: (bytes, headers) -> JSON."""
    batch: Annotated[int, Field(ge=1)] = 1
    """So many records become one event, whose data is the list."""
    diff: Diff | None = None
    reconcile: bool = False
    """It returns what webhooks should have brought."""

    @classmethod
    def findings(cls, value: Mapping[str, JSON]) -> Iterator[Finding]:
        """When it runs is said once; diff and cursor exclude each other."""
        yield from super().findings(value)
        if ("every" in value) == ("cron" in value):
            yield "", "when it runs: exactly one of every and cron"
        if value.get("diff") is not None and value.get("cursor") is not None:
            yield "diff", "diff compares whole lists: it goes without cursor"

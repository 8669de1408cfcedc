"""From an answer to events: which records it has, what they are called, and what becomes of them."""

from __future__ import annotations

import hashlib
import json
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.events.envelope import make_event
from causeway.events.expressions import ExpressionError, select, select_each
from causeway.events.texts import render
from causeway.polling.cursors import (
    TIMES,
    Comparable,
    CursorError,
    parse_cursor,
    parse_cursors,
    time_of,
)
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from causeway.calls.outcome import Answer
    from causeway.events.envelope import Event
    from causeway.plan.records import JSON, Expression, Poll

_MAX_ID = 256


class BadRecordsError(Exception):
    """An answer is not what ``records`` says of it; the message holds no value."""


class _OddError(Exception):
    """A record is not fine as it is."""


class Identity(NamedTuple):
    """What a record is called, and where it stands in the order of the cursor."""

    id: str
    key: str  # what is new if it was never seen: the id, or the id in this version
    value: Comparable | None = None
    problem: str = ""  # what the map says of it and it has not, for the log


def records_of(poll: Poll, answer: Answer) -> list[JSON]:
    """The records of an answer.

    Raises:
        BadRecordsError: there is no list where ``records`` says that it is. Null is none: an answer of
            another shape must not look like one without news (``body.orders || `[]` `` says that it may).
        ExpressionError: ``records`` cannot be evaluated on this answer.
    """
    records = select(poll["records"], answer.scope)
    if not isinstance(records, list):
        what = "null" if records is None else "no list"
        raise BadRecordsError(f"records: `{poll['records']}` is {what} in the answer")
    return records


def identified(poll: Poll, records: Sequence[JSON]) -> list[tuple[Identity, JSON]]:
    """Records with what they are called, as :func:`identify` says it of each.

    Where nothing is wrong with any of them, as on nearly every page, they are looked at by columns, which
    takes a fraction of the time.
    """
    try:
        ids, keys, values = _columns(poll, records)
    except (ExpressionError, CursorError, _OddError):
        return [(identify(poll, record), record) for record in records]
    return list(zip(map(Identity, ids, keys, values), records, strict=True))


def identify(poll: Poll, record: JSON) -> Identity:
    """What a record is called.

    A record is never lost for what it lacks: without an id it gets one of its content, without a version it
    has none, and without a value it moves no cursor; ``problem`` says so.
    """
    problems: list[str] = []
    found = _text(_value(poll, "id", record, problems), "id", problems)
    version = None
    if "version" in poll:
        version = _text(_value(poll, "version", record, problems), "version", problems)
    value = None
    cursor = poll.get("cursor")
    if cursor and "field" in cursor:
        try:
            value = parse_cursor(_select(cursor["field"], record), cursor["format"])
        except (CursorError, ExpressionError) as error:
            problems.append(f"cursor.field: {error}")
    id_ = found or _content_id(record)
    return Identity(id_, f"{id_}@{version}" if version else id_, value, "; ".join(problems))


def events_of(
    poll: Poll,
    records: Sequence[tuple[Identity, JSON]],
    *,
    run: str,
    now: float,
) -> list[Event]:
    """The events of records that are to be delivered.

    Args:
        poll: Which; its ``batch`` says how many records become one event.
        records: With what they are called.
        run: Names the run: with ``diff`` a change is an event of its run.
        now: Epoch seconds; the time of events whose records have none.
    """
    ids = _event_ids(poll, [identity for identity, _ in records], run)
    if poll["batch"] > 1:
        return list(_batches(poll, ids, [record for _, record in records], now))
    said = "${" in poll["event_type"]
    timed = poll.get("cursor", {}).get("format") in TIMES
    # What all have in common is said once: there may be very many.
    alike = make_event(id="", type=poll["event_type"], source=poll["system"], time=rfc3339(now))
    return [
        {
            **alike,
            "id": id_,
            "type": _type(poll, record) if said else alike["type"],
            # When it happened, as far as the record says so.
            "time": time_of(identity.value) if timed and isinstance(identity.value, int) else alike["time"],
            "headers": {},
            "data": record,
        }
        for id_, (identity, record) in zip(ids, records, strict=True)
    ]


def _columns(poll: Poll, records: Sequence[JSON]) -> tuple[list[str], list[str], Iterable[Comparable | None]]:
    """Ids, keys and values of very many records; raises where one of them is not fine as it is."""
    ids = keys = _fine(select_each(poll["id"], records))
    if "version" in poll:
        versions = _fine(select_each(poll["version"], records))
        keys = [f"{id_}@{version}" for id_, version in zip(ids, versions, strict=True)]
    cursor = poll.get("cursor", {})
    if "field" not in cursor:
        return ids, keys, repeat(None, len(records))
    return ids, keys, parse_cursors(select_each(cursor["field"], records), cursor["format"])


def _fine(values: Sequence[JSON]) -> list[str]:
    """Texts, or whole numbers, that can stand in keys and headers as they are.

    Raises:
        _OddError: one takes a closer look.
    """
    kinds = set(map(type, values))
    texts: Sequence[Any] = list(map(str, values)) if kinds == {int} else values
    together = "".join(texts) if kinds <= {int} or kinds == {str} else None
    if together is None or not (together.isascii() and together.isprintable()):
        raise _OddError
    if not all(texts) or max(map(len, texts), default=0) > _MAX_ID:
        raise _OddError
    return list(texts)


def _batches(poll: Poll, ids: list[str], records: list[JSON], now: float) -> Iterator[Event]:
    for at in range(0, len(ids), poll["batch"]):
        members = ids[at : at + poll["batch"]]
        yield make_event(
            id=hashlib.sha256("\n".join(members).encode()).hexdigest()[:32],
            type=poll["event_type"],
            source=poll["system"],
            time=rfc3339(now),
            data=records[at : at + poll["batch"]],
        )


def _event_ids(poll: Poll, identities: Sequence[Identity], run: str) -> list[str]:
    if "diff" in poll:
        return [f"{identity.id}@{run}" for identity in identities]
    if "reach" in poll:
        return [identity.id for identity in identities]
    return [identity.key for identity in identities]


def _type(poll: Poll, record: JSON) -> str:
    """The type as the record says it; what cannot be said is the poll's name."""
    try:
        value = render(poll["event_type"], record if isinstance(record, dict) else {})
    except ExpressionError:
        return poll["name"]
    return value if isinstance(value, str) and value else poll["name"]


def _value(poll: Poll, key: str, record: JSON, problems: list[str]) -> JSON:
    try:
        return _select(poll[key], record)  # type: ignore[literal-required] # id or version
    except ExpressionError as error:
        problems.append(f"{key}: {error}")
        return None


def _select(expression: Expression, record: JSON) -> JSON:
    return select(expression, record)


def _text(value: JSON, key: str, problems: list[str]) -> str:
    """A text that can stand in a key and in a header; one that cannot is hashed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        if not problems:
            problems.append(f"{key}: there is no text and no number")
        return ""
    text = str(value)
    if len(text) <= _MAX_ID and text.isascii() and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _content_id(record: JSON) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]

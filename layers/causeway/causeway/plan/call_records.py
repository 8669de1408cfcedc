"""From calls and polls of manifests to the plan's records: their system's defaults applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.plan.manifest.auth import ApiKey
from causeway.plan.manifest.polls import NextCursor, NextUrl, Offsets, Pages
from causeway.plan.names_in import names_in

if TYPE_CHECKING:
    from causeway.plan import records
    from causeway.plan.manifest.base import Manifest
    from causeway.plan.manifest.call import CallWords
    from causeway.plan.manifest.polls import Cursor, Paginate, Poll
    from causeway.plan.manifest.system import Api, System


def given(manifest: Manifest, *names: str) -> Any:
    """Of these keys, which a record has as they are written, those that are."""
    return {name: value for name in names if (value := getattr(manifest, name)) is not None}


def call_record(system: str, api: Api, call: CallWords, *, body: bool) -> records.Call:
    """A call's record.

    Args:
        system: Which is called.
        api: What the call leaves to it.
        call: As written.
        body: Whether the event's data is sent when no body is written.
    """
    record: records.Call = {
        "system": system,
        "method": call.method.upper(),  # type: ignore[typeddict-item] # one of the five
        "path": call.path,
        "query": call.query,
        "headers": dict(call.headers),
        "content": call.content,
        "reads": call.method == "get" if call.reads is None else call.reads,
        "timeout": api.timeout if call.timeout is None else call.timeout,
        "success_when": call.success_when or api.success_when,
        "retry_on": api.retry_on if call.retry_on is None else call.retry_on,
    }
    if "body" in call.model_fields_set:
        record["body"] = call.body
    elif body:
        record["body"] = "${data}"
    record.update(given(call, "when"))
    retry_when = call.retry_when or api.retry_when
    if retry_when is not None:
        record["retry_when"] = retry_when
    return record


def poll_record(system: System, name: str) -> records.Poll:
    """A poll's record.

    Args:
        system: Whose it is; it has an ``api``, which the checks told.
        name: Which of its polls.
    """
    poll, api = system.polls[name], system.api
    assert api
    call = call_record(system.system, api, poll, body=False)
    if poll.reads is None:
        call["reads"] = True  # a POST that is polled is a search
    if poll.cursor and poll.cursor.param:
        call["query"] = {**call["query"], poll.cursor.param: "${since?}"}
    record: records.Poll = {
        "name": name,
        "system": system.system,
        "call": call,
        "records": poll.records,
        "id": poll.id,
        "event_type": name if poll.event_type is None else poll.event_type,
        "credentials": _credentials(api),
        "batch": poll.batch,
    }
    _add_optional(record, poll, system)
    return record


def _add_optional(record: records.Poll, poll: Poll, system: System) -> None:
    record.update(given(poll, "every", "cron", "version", "retention", "parse"))
    if poll.cursor is not None:
        record["cursor"] = _cursor(poll.cursor, record["call"])
    if poll.paginate is not None:
        record["paginate"] = _paginate(poll.paginate)
    if poll.diff is not None:
        record["diff"] = {"ignore": poll.diff.ignore, "deleted": poll.diff.deleted}
    if poll.reconcile and system.webhooks:
        record["reach"] = system.webhooks.dedupe_for


def _cursor(cursor: Cursor, call: records.Call) -> records.Cursor:
    record: records.Cursor = {
        "format": cursor.format,
        "lookback": cursor.lookback,
        "delay": cursor.delay,
        "asks": "since" in names_in([call["path"], call["query"], call["headers"], call.get("body")]),
    }
    record.update(given(cursor, "field", "token", "start", "window"))
    if cursor.token is not None:
        record["format"] = "opaque"
    return record


def _paginate(paginate: Paginate) -> records.Paginate:
    record: records.Paginate
    match paginate:
        case NextUrl():
            record = {"by": "next_url", "next": paginate.next_url}
        case NextCursor():
            record = {"by": "cursor", "next": paginate.cursor, "param": paginate.param}
        case Pages():
            record = {"by": "page", "param": paginate.page, "start": paginate.start}
        case Offsets():
            record = {"by": "offset", "param": paginate.offset, "limit": paginate.limit}
        case _:
            record = {"by": "link"}
    if not isinstance(paginate, str) and paginate.stop_when is not None:
        record["stop_when"] = paginate.stop_when
    return record


def _credentials(api: Api) -> list[str]:
    """Parameters of the query that prove who asks."""
    ways = api.auth if isinstance(api.auth, list) else [api.auth]
    return [way.query for way in ways if isinstance(way, ApiKey) and way.query]

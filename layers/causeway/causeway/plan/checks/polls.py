"""Polls: that what they ask for, what they remember and what they are called fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.plan.finding import find
from causeway.plan.manifest.call import METHODS
from causeway.plan.names_in import names_in
from causeway.polling.cursors import TIMES
from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.environments import Merged
    from causeway.plan.problems import KeyPath, Problem
    from causeway.plan.records import JSON
    from causeway.plan.yaml import Document

_CALL = (*METHODS, "query", "headers", "body")
"""Where a poll's call has texts."""

_REMEDY = "write `webhooks.id` over the body"


def check_polls(merged: Merged) -> Iterator[Problem]:
    """Find polls that would ask for the wrong thing, and those that nobody takes."""
    for name, document in merged.systems.items():
        for path, poll in find(document.value, "polls.*"):
            if isinstance(poll, dict):
                for key, message in (*_call(poll), *_reconciling(poll, document.value)):
                    yield document.problem((*path, *key), message)
                yield from _without_takers(document, path, poll, _takers(merged, name))
        yield from _of_system(document)


def _of_system(document: Document) -> Iterator[Problem]:
    polls = document.value.get("polls")
    if not isinstance(polls, dict) or not polls:
        return
    if document.value.get("api") is None:
        yield document.problem(("polls",), "it cannot be called: its manifest has no `api`")
    for path, text in find(document.value, "api.headers.*"):
        if names_in(text, optional=False):
            yield document.problem(
                path, "a poll has no event: write `${...?}`, which leaves the header out there"
            )


def _call(poll: Mapping[str, JSON]) -> Iterator[tuple[KeyPath, str]]:
    """What the call says of the window, against what there is of one."""
    said = [poll.get(key) for key in _CALL]
    names, needed = names_in(said), names_in(said, optional=False)
    cursor: Any = poll.get("cursor")
    if not isinstance(cursor, dict):
        for name in sorted(names & {"since", "until"}):
            yield (), f"${{{name}}} is of a cursor, and there is none"
        return
    asks = "since" in names or isinstance(cursor.get("param"), str)
    is_time = "token" not in cursor and cursor.get("format", "rfc3339") in TIMES
    if "until" in names and not is_time:
        yield (), "${until} is a time, and this cursor knows none"
    if "since" in needed and (cursor.get("start") is None or "token" in cursor):
        yield (), "the first run has no since: write `${since?}`, which leaves it out there, or a start"
    if "token" in cursor:
        return
    if "window" in cursor and "until" not in names:
        yield ("cursor", "window"), "the call must say ${until}, or each slice would be all there is"
    if "field" not in cursor and not asks:
        yield ("cursor",), "time is read by window: the call must say ${since} and ${until}"


def _reconciling(poll: Mapping[str, JSON], system: Mapping[str, JSON]) -> Iterator[tuple[KeyPath, str]]:
    """What webhooks should have brought is known by their ids, and for as long as those are."""
    if poll.get("reconcile") is not True:
        return
    webhooks: Any = system.get("webhooks")
    if not isinstance(webhooks, dict):
        yield ("reconcile",), "returns what webhooks should have brought: the system has none"
        return
    cursor: Any = poll.get("cursor")
    cursor = cursor if isinstance(cursor, dict) else {}
    if not cursor or "token" in cursor or cursor.get("format", "rfc3339") not in TIMES:
        yield (
            ("reconcile",),
            "reads back as far as deliveries are known, `dedupe_for`: it needs a cursor that is a time",
        )
    id_ = webhooks.get("id") or _id_of(webhooks.get("scheme"))
    if isinstance(id_, str) and "body" not in names_in(f"${{{id_}}}"):
        yield ("reconcile",), f"ids cannot meet: that of a webhook is `{id_}`, which no record has; {_REMEDY}"
    elif id_ is None:
        yield ("reconcile",), f"ids cannot meet: a webhook of this scheme has none of its own; {_REMEDY}"


def _id_of(scheme: JSON) -> JSON:
    """The expression of a scheme for its events' ids; of several the first."""
    scheme = scheme[0] if isinstance(scheme, list) and scheme else scheme
    if isinstance(scheme, str):
        records = SCHEMES.get(scheme)
        return records[0].get("id") if records else ""
    return scheme.get("id") if isinstance(scheme, dict) else ""


def _takers(merged: Merged, system: str) -> list[Mapping[str, JSON]]:
    sources = [document.value.get("source") for document in merged.integrations.values()]
    return [source for source in sources if isinstance(source, dict) and source.get("system") == system]


def _without_takers(
    document: Document, path: KeyPath, poll: Mapping[str, JSON], sources: list[Mapping[str, JSON]]
) -> Iterator[Problem]:
    by_events = poll.get("reconcile") is True and any("events" in source for source in sources)
    if not by_events and not any(source.get("poll") == path[-1] for source in sources):
        yield document.problem(path, "no integration takes this poll: it is not read", "note")

"""A list compared with what it was at the last run: what is new or changed, and what is gone."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from causeway.polling.records import Identity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from causeway.plan.records import JSON, Poll


class Changes(NamedTuple):
    """What is different on one page."""

    records: list[tuple[Identity, JSON]]  # new or changed
    hashes: dict[str, str]  # by id, of all records of the page: what the next run is compared with


def compare(
    poll: Poll,
    previous: Mapping[str, str],
    records: Iterable[tuple[Identity, JSON]],
    *,
    met: Mapping[str, str],
) -> Changes:
    """Compare a page.

    A record that a run meets twice counts as it was met first: if it changed in between, the next run tells.

    Args:
        poll: whose ``diff.ignore`` names what does not count.
        previous: hashes by id, of the last run that was read to its end.
        records: those of the page.
        met: hashes by id, of the pages before this one in the same run.
    """
    ignore = [path.split(".") for path in poll["diff"]["ignore"]]
    changes = Changes([], {})
    for identity, record in records:
        if identity.id in met or identity.id in changes.hashes:
            continue
        changes.hashes[identity.id] = digest = _hash(record, ignore)
        if previous.get(identity.id) != digest:
            changes.records.append((identity, record))
    return changes


def gone(poll: Poll, previous: Iterable[str], met: Collection[str]) -> list[tuple[Identity, JSON]]:
    """The records that are no longer there, once a run has been read to its end: ``_deleted: true``.

    Of what is gone only the id is known; it stands under the name that ``id`` reads, or ``id``.
    """
    if not poll["diff"]["deleted"]:
        return []
    name = poll["id"] if poll["id"].isidentifier() else "id"
    return [(Identity(id_, id_), {name: id_, "_deleted": True}) for id_ in previous if id_ not in met]


def _hash(record: JSON, ignore: Sequence[Sequence[str]]) -> str:
    for path in ignore:
        record = _without(record, path)
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _without(value: JSON, path: Sequence[str]) -> JSON:
    """The value without what stands at the path; in lists, of each element."""
    if isinstance(value, list):
        return [_without(each, path) for each in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    name, *rest = path
    if not rest:
        return {key: each for key, each in value.items() if key != name}
    return {**value, name: _without(value[name], rest)}

"""What a poll knows from run to run, and the run that is under way: one item of the state, written whole.

The item is ``poll#<system>/<poll>``, its part ``state`` (``backfill#<id>`` of a backfill). What does not fit
into an item lies in the bucket, and the item points there. A write holds only if nobody has written since the
read before it, and nobody else can begin a run with the same number: so of two that believe to be at work,
one finds out.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, NotRequired, TypedDict

from causeway.aws.table import ConditionFailed

if TYPE_CHECKING:
    from causeway.aws.table import Table
    from causeway.plan.records import JSON
    from causeway.polling.cursors import Comparable
    from causeway.polling.fetching import Validators
    from causeway.polling.paging import PageRequest
    from causeway.polling.shelf import Shelf
    from causeway.polling.windows import Stored, Window

FORMAT = 1
"""Format number of the item; the poller reads its own and the one before."""

REGULAR = "state"
"""The range key of a poll's regular runs."""

LARGEST = 200_000
"""Bytes of state that an item holds; DynamoDB allows 400 KB for all of it."""


class Run(TypedDict):
    """A run that is under way."""

    number: int
    slot: float  # for which it was begun
    began: float
    window: Window
    request: PageRequest | None  # the page that comes next; None: all are read, and it has not been ended
    records: int
    queued: int
    highest: NotRequired[Comparable]
    token: NotRequired[JSON]
    call_at: NotRequired[float]  # when its page may be asked for: reserved for it
    failures: NotRequired[int]  # of this page, in a row
    give_up_at: NotRequired[float]  # when the next slot is due: then it has failed
    failed: NotRequired[int]  # so many slots in a row
    moved: NotRequired[bool]  # records changed their places while its pages were read
    surely: NotRequired[Comparable]  # up to here none can have been skipped by that
    again: NotRequired[int]  # so many times its window was read anew, because they did
    stopped: NotRequired[bool]  # before the list's end: all that came was known
    pending: NotRequired[str]  # where what is being queued of a page is kept


class Failure(TypedDict):
    """Why there is no news."""

    at: float
    reason: str


class Finished(TypedDict):
    """The last run that was read to its end."""

    number: int
    at: float
    records: int
    queued: int


class State(TypedDict):
    """All that is known."""

    run: int  # the number of the last one that was begun
    slot: float  # what was due up to here is covered
    stored: Stored
    open: NotRequired[Run]
    finished: NotRequired[Finished]
    failure: NotRequired[Failure]
    full: NotRequired[int]  # the last run that met the whole list
    snapshot: NotRequired[Snapshot]
    validators: NotRequired[Validators]  # of the last answer, for a conditional request


class Snapshot(TypedDict):
    """What ``diff`` compares with: objects in the bucket."""

    run: int
    parts: int


class Superseded(Exception):  # noqa: N818 - it is an answer, not an error
    """Somebody else has written since: what this one is doing is no longer its own."""


def covered(table: Table, system: str, poll: str) -> float:
    """Up to when all that was due of a poll has been read; 0 when it never ran, or a run is unfinished."""
    item = table.get(f"poll#{system}/{poll}", REGULAR)
    return float(item["slot"]) if item and not item.get("unfinished") else 0.0


class States:
    """One poll's state. Every method raises ``AwsError`` as AWS does.

    Args:
        table: The state's.
        shelf: Where a state lies that no item can hold.
        name: The poll, ``<system>/<poll>``.
        part: Of which runs.
    """

    def __init__(self, table: Table, shelf: Shelf, name: str, part: str = REGULAR) -> None:
        self._table = table
        self._shelf = shelf
        self._key = f"poll#{name}", part
        self._version = 0
        self._elsewhere: str | None = None

    def load(self) -> State | None:
        """The state as it is now; None: there never was a run."""
        item = self._table.get(*self._key)
        if item is None:
            return None
        self._version = item["version"]
        self._elsewhere = item.get("state_at")
        state: State = self._shelf.get(self._elsewhere) if self._elsewhere else json.loads(item["state"])
        return state

    def save(self, state: State, *, expires_at: float | None = None) -> None:
        """Write the state over the one that was read or written last.

        Args:
            state: The new one.
            expires_at: When it may be forgotten.

        Raises:
            Superseded: somebody else has written since.
        """
        text = json.dumps(state, separators=(",", ":"))
        before, elsewhere = self._elsewhere, None
        if len(text) > LARGEST:
            elsewhere = self._shelf.put(f"state/{uuid.uuid4().hex}", state)
        claim = uuid.uuid4().hex
        values: dict[str, JSON] = {
            "format": FORMAT,
            "version": self._version + 1,
            "claim": claim,
            "run": state["run"],
            "slot": state["slot"],
            "unfinished": "open" in state,
            "read_until": state["stored"]["until"],
            **({"state_at": elsewhere} if elsewhere else {"state": text}),
            **({"expires_at": int(expires_at)} if expires_at else {}),
        }
        try:
            self._table.update(
                *self._key,
                values=values,
                remove=("state",) if elsewhere else ("state_at",),
                condition="attribute_not_exists(#version) OR #version = :seen",
                given={"seen": self._version},
            )
        except ConditionFailed as failed:
            # Our own write, whose answer was lost?
            if (failed.item or {}).get("claim") != claim:
                raise Superseded(f"{self._key[0]} was written by somebody else") from None
        self._version += 1
        self._elsewhere = elsewhere
        if before and before != elsewhere:
            self._shelf.drop(before)

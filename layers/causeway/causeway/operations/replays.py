"""Replays: dead deliveries start afresh, one of them or all that a filter means.

A replay of many is a record in the state: who wanted it, when, of what, at what rate; how far it got; whether
it is done or was cancelled. It is worked off in steps, each a bounded batch, by whoever calls :meth:`step`:
the command line or, where it was handed over, the scheduler (:mod:`causeway.operations.working_off`). Cut off
anywhere, the next step goes on where the last one was noted, and what was sent twice runs once, by its ticket.
The delivery keeps its id, and with it its ``Idempotency-Key``; its schedule begins anew.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.aws.table import ConditionFailed
from causeway.delivery.beside import PART as EVENT
from causeway.delivery.beside import holds_event
from causeway.delivery.journal import PART, message_of
from causeway.delivery.listing import BEGINNING, walk
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

RATE = 20.0
"""Deliveries per second, unless it is said otherwise."""

RUNNING = "replay#running"
"""The hash key of what is handed over to the scheduler; the range key is the replay."""

KEPT_FOR = 400 * 86400.0
"""Seconds that the record of a replay is kept."""

_OUR_OWN = frozenset({"id", "part", "position", "not_before", "version", "expires_at"})
_TIMES = ("at", "since", "until")

_MOST = 100
_COUNTED_AT_ONCE = 1000


class NotThereError(Exception):
    """There is no such delivery, or no such replay."""


class NotPossibleError(Exception):
    """It cannot be replayed; says why."""


@dataclass(frozen=True)
class Selection:
    """Which of the dead deliveries."""

    integrations: Sequence[str]
    error: str | None = None  # the reason's class
    since: float | None = None  # accepted then or later
    until: float | None = None  # accepted then or earlier


class Replays:
    """Replays of one stack. Every method raises ``AwsError`` and ``NotQueued`` as AWS does.

    Args:
        journal: The journal's table.
        state: The state's table.
        queue: Where deliveries go.
        clock: The time.
    """

    def __init__(self, *, journal: Table, state: Table, queue: Queue, clock: Clock) -> None:
        self._journal = journal
        self._state = state
        self._queue = queue
        self._clock = clock

    def one(self, delivery: str, *, by: str) -> Item:
        """Replay one delivery, dead or delivered, whose event is kept; return the record of it.

        Raises:
            NotThereError: there is no such delivery.
            NotPossibleError: it is under way, or its event is no longer kept.
        """
        item = self._journal.get(delivery, PART)
        now = self._clock.now()
        if item is None or item.get("expires_at", now) < now:
            raise NotThereError(f"there is no delivery {delivery}")
        if item["status"] not in ("dead", "delivered"):
            raise NotPossibleError(f"delivery {delivery} is {item['status']}: there is nothing to replay")
        if not self._is_kept(item):
            raise NotPossibleError(f"the event of delivery {delivery} is no longer kept")
        self._send([item])
        made = self._record(by, delivery=delivery, state="done", matched=1, replayed=1)
        self._state.put(made)
        return made

    def start(
        self,
        selection: Selection,
        *,
        by: str,
        rate: float = RATE,
        dry_run: bool = False,
        hand_over: bool = False,
    ) -> Item:
        """Make the record of a replay of many; :meth:`step` works it off.

        Args:
            selection: Which deliveries.
            by: Who wants it.
            rate: So many a second at most.
            dry_run: Count them only.
            hand_over: The scheduler is to make the steps.
        """
        until = selection.until if selection.until is not None else self._clock.now()
        made = self._record(
            by,
            integrations=list(selection.integrations),
            error=selection.error,
            since=selection.since,
            until=until,
            rate=rate,
            dry_run=dry_run,
            state="running",
            position=BEGINNING,
            not_before=self._clock.now(),
        )
        if hand_over:  # first: cut off in between, the scheduler finds that there is no such replay
            self._state.put({"id": RUNNING, "part": made["part"], "at": made["at"]})
        self._state.put(made)
        return made

    def step(self, replay: str) -> Item:
        """Work off the next batch, if it is time for it; return the record as it is then.

        ``not_before`` in it says when the next step may be made, ``state`` whether there is one.

        Raises:
            NotThereError: there is no such replay.
        """
        record = self.find(replay)
        if record["state"] != "running" or record["not_before"] > self._clock.now():
            return record
        dry, rate = record["dry_run"], record["rate"]
        limit = _COUNTED_AT_ONCE if dry else max(1, min(_MOST, math.floor(rate)))
        items, position = walk(
            self._journal,
            record["integrations"],
            "dead",
            position=record["position"],
            limit=limit,
            since=record["since"],
            until=record["until"],
        )
        wanted = [item for item in items if record["error"] in (None, item["error"])]
        kept = [] if dry else [item for item in wanted if self._is_kept(item)]
        self._send(kept)
        return self._note(
            record,
            {
                "matched": record["matched"] + len(wanted),
                "replayed": record["replayed"] + len(kept),
                "skipped": record["skipped"] + (0 if dry else len(wanted) - len(kept)),
                "position": position,
                "state": "running" if position is not None else "done",
                "not_before": self._clock.now() + (0 if dry else len(kept) / rate),
            },
        )

    def cancel(self, replay: str, *, by: str) -> Item:
        """Make no further step; what was replayed stays so. One that is done stays done.

        Raises:
            NotThereError: there is no such replay.
        """
        while (record := self.find(replay))["state"] == "running":
            self._note(record, {"state": "cancelled", "cancelled_by": by})
        return record

    def find(self, replay: str) -> Item:
        """The record of a replay.

        Raises:
            NotThereError: there is none.
        """
        record = self._state.get(_month(replay), replay)
        if record is None:
            raise NotThereError(f"there is no replay {replay}")
        return record

    def in_month(self, month: str) -> list[Item]:
        """The records of a month such as ``2026-11``, the oldest first."""
        return list(self._state.parts(f"replay#{month}"))

    def _record(self, by: str, **more: JSON) -> Item:
        now = self._clock.now()
        replay = f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime(now))}-{os.urandom(4).hex()}"
        return {
            "id": _month(replay),
            "part": replay,
            "by": by,
            "at": round(now, 3),
            "matched": 0,
            "replayed": 0,
            "skipped": 0,
            "version": 1,
            "expires_at": int(now + KEPT_FOR),
            **more,
        }

    def _note(self, record: Item, values: dict[str, JSON]) -> Item:
        """Note what a step came to, unless somebody else has: then that is what counts."""
        values |= {"version": record["version"] + 1}
        try:
            self._state.update(
                record["id"],
                record["part"],
                values=values,
                condition="#version = :seen",
                given={"seen": record["version"]},
            )
        except ConditionFailed:
            return self.find(record["part"])
        return record | values

    def _send(self, items: list[Item]) -> None:
        self._queue.send([message_of(item, str(Ticket.parse(item["ticket"]).replayed())) for item in items])

    def _is_kept(self, item: Item) -> bool:
        beside = self._journal.get(item["id"], EVENT)
        if beside is None or beside["acceptance"] != item["acceptance"]:
            return False
        return holds_event(beside)


def shown(record: Item) -> dict[str, JSON]:
    """A replay as people and programs read it."""
    told = {name: value for name, value in record.items() if name not in _OUR_OWN}
    times = {name: rfc3339(record[name]) for name in _TIMES if record.get(name) is not None}
    return {"replay": record["part"], **told, **times}


def _month(replay: str) -> str:
    """The hash key of a replay: all of a month together, so that they can be listed."""
    return f"replay#{replay[:7]}"

"""Replays: deliveries start afresh, one of them or all that a filter means.

A replay is a record in the state, for good: who wanted it, when, of what, at what rate; how far it got, and
how it ended. One of many is worked off in steps, each a bounded batch, by the scheduler minute after minute
(:meth:`Replays.run`): cut off anywhere, the next step goes on where the last one was noted, and what was
sent twice runs once, by its ticket. The delivery keeps its id, and its ``Idempotency-Key`` unless a new one
is asked for; its schedule begins anew. Steps that have changed something are not carried out again.
"""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.aws.table import ConditionFailed
from causeway.delivery.going_on import message_of
from causeway.delivery.journal import PART
from causeway.operations.deliveries import FARTHEST, LOOK_BACK, BadQueryError, check_span
from causeway.operations.selecting import BEGINNING, Selection, batch, with_events
from causeway.queueing.tickets import Ticket
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Item, Table
    from causeway.plan.records import JSON
    from causeway.queueing.queue import Queue
    from causeway.settings.clock import Clock

RATE = 20.0
"""Deliveries per second, unless it is said otherwise."""

KEPT_FOR = 400 * 86400.0
"""Seconds that the record of a replay is kept."""

RUNNING = "replay#running"
"""The hash key of what points to replays that are under way; the range key is the replay."""

_OUR_OWN = frozenset({"id", "part", "position", "steps", "not_before", "expires_at"})
_TIMES = ("at", "since", "until", "began_at", "ended_at")

_MOST = 100
_COUNTED_AT_ONCE = 1000
_ORPHANED_AFTER = 3600.0


class NotThereError(Exception):
    """There is no such delivery, or no such replay."""


class NotPossibleError(Exception):
    """It cannot be replayed; says why."""


class StuckError(Exception):
    """Some of what is under way could not go on; says which, and why the first of them could not."""


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

    def one(self, delivery: str, *, by: str, new_key: bool = False) -> Item:
        """Replay one delivery, dead or delivered, whose event is kept; return the record of it.

        Args:
            delivery: Its id.
            by: Who wants it.
            new_key: With an ``Idempotency-Key`` that its target has not seen.

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
        if not with_events(self._journal, [item]):
            raise NotPossibleError(f"the event of delivery {delivery} is no longer kept")
        self._send([item], new_key=new_key)
        counts = {"matched": 1, "replayed": 1}
        return self.note(by, delivery=delivery, new_key=new_key, state="done", ended_at=now, **counts)

    def start(
        self,
        selection: Selection,
        *,
        by: str,
        rate: float = RATE,
        dry_run: bool = False,
        new_key: bool = False,
    ) -> Item:
        """Make the record of a replay of many, which the scheduler works off.

        Args:
            selection: Which deliveries; of delivered ones those of the day before ``until`` unless it says.
            by: Who wants it.
            rate: So many a second at most.
            dry_run: Count them only.
            new_key: With ``Idempotency-Key``s that their target has not seen.

        Raises:
            BadQueryError: no delivery can be both, or the time that is meant ends before it begins.
        """
        check_span(selection.since, selection.until)
        if selection.status == "delivered" and selection.error is not None:
            raise BadQueryError(
                "what was delivered has no class of errors: leave out status or error", "error"
            )
        now = self._clock.now()
        until = selection.until if selection.until is not None else now
        since = selection.since
        if selection.status == "delivered":  # hour by hour, so no further than there can be any
            until = min(until, now)
            since = max(until - LOOK_BACK if since is None else since, now - FARTHEST)
        record = self._record(
            by,
            integrations=list(selection.integrations),
            status=selection.status,
            error=selection.error,
            since=since,
            until=until,
            rate=rate,
            dry_run=dry_run,
            new_key=new_key,
            state="running",
            position=BEGINNING,
            steps=0,
            not_before=now,
        )
        # First what the scheduler looks for: cut off in between, there is no replay rather than one for ever.
        self._state.put({"id": RUNNING, "part": record["part"], "at": record["at"]})
        self._state.put(record)
        return record

    def run(self, *, until: float) -> int:
        """Work off what is under way until a time, or until it is done; return how many were replayed.

        Raises:
            StuckError: some could not go on, which keeps no other from it; the next run tries them again.
        """
        replayed, stuck = 0, dict[str, Exception]()
        while (now := self._clock.now()) < until:
            running = [record for record in self._running() if record["part"] not in stuck]
            due = [record for record in running if record["not_before"] <= now]
            for record in due:
                try:
                    replayed += self.step(record["part"])["replayed"] - record["replayed"]
                except Exception as error:  # noqa: BLE001 - whatever it is, it is about this one alone
                    stuck[record["part"]] = error
            if not due:
                later = min((record["not_before"] for record in running), default=until)
                if later >= until:
                    break
                self._clock.sleep(later - now)
        if stuck:
            first = next(iter(stuck.values()))
            raise StuckError(f"{', '.join(stuck)}: {type(first).__name__}: {first}") from first
        return replayed

    def step(self, replay: str) -> Item:
        """Work off the next batch, if it is time for it; return the record as it is then.

        ``not_before`` in it says when the next step may be made, ``state`` whether there is one.

        Raises:
            NotThereError: there is no such replay.
        """
        record = self.find(replay)
        if record["state"] != "running" or record["not_before"] > self._clock.now():
            return record
        if "began_at" not in record:
            began = {"began_at": self._clock.now()}
            record = self._change(record, began, condition="attribute_not_exists(#began_at)")
        if record["position"] is not None:
            record = self._advance(record)
        return self._end(record, "done") if record["position"] is None else record

    def cancel(self, replay: str, *, by: str) -> Item:
        """Make no further step; what was replayed stays so. One that is done stays done.

        Raises:
            NotThereError: there is no such replay.
        """
        return self._end(self.find(replay), "cancelled", cancelled_by=by)

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
        return list(self._state.parts(_month(month)))

    def note(self, by: str, **what: JSON) -> Item:
        """Put a record of something that was replayed otherwise."""
        record = self._record(by, **what)
        self._state.put(record)
        return record

    def _running(self) -> Iterator[Item]:
        for pointer in list(self._state.parts(RUNNING)):
            record = self._state.get(_month(pointer["part"]), pointer["part"])
            if record is not None and record["state"] == "running":
                yield record
            elif record is not None or pointer["at"] < self._clock.now() - _ORPHANED_AFTER:
                self._state.delete(RUNNING, pointer["part"])

    def _advance(self, record: Item) -> Item:
        """Work off one batch, and note how far it got."""
        dry, rate = record["dry_run"], record["rate"]
        chosen = {name: record[name] for name in ("integrations", "status", "error", "since", "until")}
        limit = _COUNTED_AT_ONCE if dry else max(1, min(_MOST, math.floor(rate)))
        wanted, position = batch(
            self._journal,
            Selection(**chosen),
            began_at=record["began_at"],
            position=record["position"],
            limit=limit,
        )
        kept = with_events(self._journal, wanted)
        if not dry:
            self._send(kept, new_key=record["new_key"])
        values = {
            "matched": record["matched"] + len(wanted),
            "replayed": record["replayed"] + (0 if dry else len(kept)),
            "skipped": record["skipped"] + len(wanted) - len(kept),
            "position": position,
            "steps": record["steps"] + 1,
            "not_before": self._clock.now() + (0 if dry else len(kept) / rate),
        }
        # A replay that was cancelled meanwhile has sent these all the same.
        return self._change(record, values, condition="#steps = :seen", given={"seen": record["steps"]})

    def _end(self, record: Item, state: str, **how: JSON) -> Item:
        """End a replay that is under way, and let the scheduler look for it no longer."""
        values = {"state": state, "ended_at": round(self._clock.now(), 3), **how}
        record = self._change(record, values, condition="#state = :running", given={"running": "running"})
        self._state.delete(RUNNING, record["part"])
        return record

    def _change(self, record: Item, values: dict[str, JSON], **condition: JSON) -> Item:
        """Change the record unless somebody else has: then that is what counts. Return it as it is."""
        with suppress(ConditionFailed):
            self._state.update(record["id"], record["part"], values=values, **condition)
        return self.find(record["part"])

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
            "expires_at": int(now + KEPT_FOR),
            **more,
        }

    def _send(self, items: list[Item], *, new_key: bool) -> None:
        tickets = [Ticket.parse(item["ticket"]).replayed(new_key=new_key) for item in items]
        self._queue.send([message_of(item, str(ticket)) for item, ticket in zip(items, tickets, strict=True)])


def shown(record: Item) -> dict[str, JSON]:
    """A replay as people and programs read it."""
    told = {name: value for name, value in record.items() if name not in _OUR_OWN}
    times = {name: rfc3339(record[name]) for name in _TIMES if record.get(name) is not None}
    return {"replay": record["part"], **told, **times}


def _month(replay: str) -> str:
    """The hash key of a replay: all of a month together, so that they can be listed."""
    return f"replay#{replay[:7]}"

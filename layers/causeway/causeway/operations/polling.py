"""A poll that is wanted now, or over a time of its own: by a message, as the scheduler's are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from causeway.polling.cursors import CursorError
from causeway.polling.shelf import Shelf
from causeway.polling.states import REGULAR, States
from causeway.polling.taking import is_taken
from causeway.polling.ticks import make_tick
from causeway.polling.windows import backfill, bound
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.aws.table import Table
    from causeway.plan.plan import Plan
    from causeway.plan.records import Poll
    from causeway.polling.ticks import Backfill, PollQueue, Tick
    from causeway.settings.clock import Clock


class NoSuchPollError(Exception):
    """The map has no such poll, or nobody takes it; the message says which there are."""


@dataclass(frozen=True)
class Progress:
    """How far it is."""

    state: Literal["waiting", "running", "done", "failed"]
    records: int = 0
    queued: int = 0
    reason: str | None = None  # of a failure
    read_until: str | None = None  # RFC 3339: everything up to here has been read


class Polls:
    """The polls of a stack.

    Args:
        plan: The stack's.
        state: The table.
        ticks: The queue of polls.
        aws: For states that lie in the bucket.
        bucket: Which.
        clock: The time.
    """

    def __init__(
        self, plan: Plan, *, state: Table, ticks: PollQueue, aws: Aws, bucket: str, clock: Clock
    ) -> None:
        self._plan = plan
        self._state = state
        self._ticks = ticks
        self._aws = aws
        self._bucket = bucket
        self._clock = clock

    def find(self, system: str, poll: str) -> Poll:
        """A poll of the plan.

        Raises:
            NoSuchPollError: there is none.
        """
        known = [found for each in self._plan.systems.values() for found in each.get("polls", {}).values()]
        for found in known:
            if (found["system"], found["name"]) == (system, poll):
                if not is_taken(self._plan, found):
                    raise NoSuchPollError(f"no integration takes the poll {system} {poll}: it is not read")
                return found
        names = ", ".join(f"{found['system']} {found['name']}" for found in known) or "none"
        raise NoSuchPollError(f"the map has no poll {system} {poll}; it has: {names}")

    def start(self, poll: Poll, *, since: str | None = None, until: str | None = None) -> Tick:
        """Let a poll run: the next regular run now, or a backfill beside the regular ones.

        Args:
            poll: Which.
            since: Of a backfill: RFC 3339, or a value of the cursor's format.
            until: Likewise; as far as there is something unless it is given.

        Raises:
            CursorError: the poll cannot be read by these.
            AwsError: the message could not be sent.
        """
        now = self._clock.now()
        wanted: Backfill | None = None
        if since is not None:
            backfill(poll, since, now)  # raises what the poller would
            wanted = {"id": f"{int(now)}-{os.urandom(3).hex()}", "since": since}
            if until is not None:
                first, last = bound(poll["cursor"], since), bound(poll["cursor"], until)
                if first > last:  # type: ignore[operator] # of one kind
                    raise CursorError("since is after until: there is nothing in between")
                wanted["until"] = until
        tick = make_tick(poll["system"], poll["name"], now, wanted)
        self._ticks.send(tick)
        return tick

    def progress(self, tick: Tick) -> Progress:
        """How far it is with what a tick asked for.

        Raises:
            AwsError: the state could not be read.
        """
        name = f"{tick['system']}/{tick['poll']}"
        part = f"backfill#{tick['backfill']['id']}" if "backfill" in tick else REGULAR
        state = States(self._state, Shelf(self._aws, self._bucket, name), name, part).load()
        if state is None:
            return Progress("waiting")
        failure = state.get("failure")
        if failure and failure["at"] >= tick["slot"]:
            return Progress("failed", reason=failure["reason"])
        run = state.get("open")
        if run:
            return Progress("running", run["records"], run["queued"])
        if state["slot"] < tick["slot"]:
            return Progress("waiting")
        done = state.get("finished")
        read_until = rfc3339(state["stored"]["until"])
        if done is None or done["at"] < tick["slot"]:
            return Progress("done", read_until=read_until)
        return Progress("done", done["records"], done["queued"], read_until=read_until)

"""A poll that is due: its runs, page by page, until what is due has been read or the time is over.

The order is always: what a page comes to is queued; then its keys are remembered; then the state says how far
the run is. Being cut off anywhere costs that one page a second time, whose events have the ids that they had;
where they might not have (``batch``, ``diff``) the page's turn is kept before all of that, and carried out
again instead.
"""

from __future__ import annotations

import math
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from causeway.aws.errors import AwsError
from causeway.calls.outcome import Refused
from causeway.delivery.transforms import TransformFailed, TransformMissing
from causeway.events.expressions import ExpressionError
from causeway.limiting.turns import PATIENCE, Held
from causeway.limiting.turns import Turn as InTurn
from causeway.polling.carrying import Carrying
from causeway.polling.cursors import CursorError
from causeway.polling.fetching import fetch
from causeway.polling.paging import PagingError
from causeway.polling.records import BadRecordsError
from causeway.polling.runs import begin
from causeway.polling.schedules import last_slot, next_slot
from causeway.polling.shelf import Shelf
from causeway.polling.states import REGULAR, States, Superseded
from causeway.polling.turning import turn_of
from causeway.polling.windows import backfill, first, missing
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import rfc3339
from causeway.settings.secrets import SecretMissing, SecretsUnavailable
from causeway.telemetry.tracing import subsegment, trace_header, traceparent

if TYPE_CHECKING:
    from causeway.plan.records import Poll
    from causeway.polling.fetching import Page
    from causeway.polling.states import Run, State
    from causeway.polling.ticks import Tick
    from causeway.polling.turning import Turn
    from causeway.polling.work import Invocation, Tools

LONGEST_WAIT = 60.0
"""Seconds between two tries of a page, unless the system asks for more."""

FAILED_SLOTS = 3
"""A run whose page fails for so many slots in a row is given up, and the next one begins anew."""

KEPT_FOR = 7 * 86400.0
"""Seconds for which it is known what a backfill came to."""

_PATIENT = 4.0  # so long is waited in the function; for longer the message waits
_LONGEST_INVISIBLE = 42_000.0  # what SQS allows, less an invocation
_OF_A_BACKFILL = 3600.0  # after this long a failing backfill is given up, which has no next slot
_CIRCUIT = 30.0
_MOMENT = 0.5
_LOST = 60.0

_OURS = (AwsError, NotQueued, SecretMissing, SecretsUnavailable)
_THEIRS = (
    Refused,
    ExpressionError,
    BadRecordsError,
    PagingError,
    CursorError,
    TransformFailed,
    TransformMissing,
)


class Polling:
    """What one tick asks for.

    Args:
        tools: What all polls share.
        invocation: Which one it is in.
        poll: Which.
        tick: The message.
    """

    def __init__(self, tools: Tools, invocation: Invocation, poll: Poll, tick: Tick) -> None:
        self._tools = tools
        self._invocation = invocation
        self._poll = poll
        self._tick = tick
        self._name = f"{poll['system']}/{poll['name']}"
        self._backfill = tick.get("backfill")
        shelf = Shelf(tools.aws, tools.bucket, self._name)
        part = f"backfill#{self._backfill['id']}" if self._backfill else REGULAR
        self._shelf = shelf
        self._states = States(tools.state, shelf, self._name, part)
        self._carrying = Carrying(tools, poll, shelf, regular=self._backfill is None)
        self._about: dict[str, Any] = {"system": poll["system"], "poll": poll["name"]}
        self._state: State

    def carry_out(self) -> float | None:
        """Read what is due.

        Returns:
            None when the message is done with, else in how many seconds it is to come back.

        Raises:
            AwsError: the state could not be read or written. Whatever was done will be found there.
        """
        known = self._states.load()
        try:
            self._state = known or self._new()
            return self._read_on()
        except Superseded as lost:
            self._tools.logger.warning("not its own any more", **self._about, reason=str(lost))
            return _LOST
        except CursorError as error:  # of the map or of who asks: no run was begun
            self._state = known or {"run": 0, "slot": self._tick["slot"], "stored": {"until": self._now}}
            self._tell(error, retry=True)
            return None
        finally:
            if not self._backfill:
                self._tools.metrics.add("PollLag", max(0.0, self._now - self._state["stored"]["until"]))

    @property
    def _now(self) -> float:
        return self._tools.clock.now()

    def _new(self) -> State:
        """The state of what has never run."""
        if self._backfill:
            return {"run": 0, "slot": 0.0, "stored": backfill(self._poll, self._backfill["since"], self._now)}
        return {"run": 0, "slot": 0.0, "stored": first(self._poll, self._now)}

    def _read_on(self) -> float | None:
        """An unfinished run first, then what is due."""
        while self._is_due():
            if not self._invocation.has_time_for(self._poll["call"]["timeout"], self._now):
                self._tools.ticks.send(self._tick, again=True)
                return None
            wait = self._try()
            if wait is None:
                return None
            if wait > _PATIENT or not self._invocation.has_time_for(wait, self._now):
                return min(wait, _LONGEST_INVISIBLE)
            self._tools.clock.sleep(wait)
        return None

    def _is_due(self) -> bool:
        """Whether there is a run to go on with; one that is due is begun."""
        if "open" not in self._state and self._tick["slot"] > self._state["slot"]:
            self._begin()
        return "open" in self._state

    def _try(self) -> float | None:
        """One page; after how many seconds to go on, or None when the run has failed."""
        try:
            self._turn()
        except Held as held:
            return self._held(held)
        except Superseded:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the page is read again
            return self._failed(error)
        return 0.0

    def _held(self, held: Held) -> float:
        """In how many seconds the system may be called, which is no failure."""
        self._tools.logger.info("waits for its system", **self._about, reason=str(held))
        wait = _CIRCUIT if held.at is None else held.at - self._now
        if held.at is not None and held.slot:  # which is void for whoever comes late
            wait = math.floor(wait - PATIENCE)
            self._save({**self._state, "open": {**self._state["open"], "call_at": held.at}})
        return max(wait, _MOMENT)

    def _begin(self) -> None:
        now = self._now
        slot, until = self._tick["slot"], None
        if self._backfill:
            until = self._backfill.get("until")
        else:
            slot = max(slot, last_slot(self._poll, now))
            self._watch_retention(now)
        self._save(begin(self._poll, self._state, slot=slot, now=now, until=until))

    def _watch_retention(self, now: float) -> None:
        """What the API no longer has cannot be read: that is told, whatever else happens."""
        gap = missing(self._poll, self._state["stored"], now)
        if gap:
            self._tools.metrics.add("PollGaps")
            self._tools.logger.error(
                "records may be lost: the API keeps them for less time than it was not read",
                **self._about,
                read_until=rfc3339(self._state["stored"]["until"]),
                seconds=gap,
            )

    def _turn(self) -> None:
        """One page: fetch it, carry out what it comes to, write down how far the run is."""
        run = self._state["open"]
        turn: Turn = self._shelf.get(run["pending"]) if "pending" in run else self._make_turn(run)
        self._carrying.carry(turn)
        before = self._state
        self._save(turn["after"])
        self._carrying.done(turn, before)
        finished = turn["after"].get("finished")
        if finished and finished["number"] == run["number"]:
            self._tools.logger.info(
                "polled",
                **self._about,
                run=run["number"],
                pages=turn["page"],
                records=finished["records"],
                queued=finished["queued"],
                seconds=round(finished["at"] - run["began"], 3),
            )

    def _make_turn(self, run: Run) -> Turn:
        page = self._fetch(run)
        turn, problems = turn_of(
            self._poll,
            self._state,
            page,
            self._carrying.known(self._state),
            now=self._now,
            until=self._backfill.get("until") if self._backfill else None,
        )
        for problem in problems:
            self._tools.logger.error("a record is not as the map says", **self._about, reason=problem)
        if turn["events"] and self._carrying.keeps_turns:
            pending = self._shelf.put(f"turn/{turn['run']}/{turn['page']}", turn)
            self._save({**self._state, "open": {**run, "pending": pending}})
        return turn

    def _fetch(self, run: Run) -> Page:
        assert run["request"] is not None, "a run that has read all its pages is no longer open"
        system = self._poll["system"]
        # A poll is in no line of deliveries, and behind all of them it would never be called.
        turn = InTurn(run.get("call_at"), let_go=True)
        with self._invocation.admissions.calling(system, turn) as call, subsegment(system, system=system):
            try:
                page = fetch(
                    self._tools.caller,
                    self._poll,
                    run["request"],
                    run["window"],
                    validators=None if self._backfill else self._state.get("validators"),
                    headers={"traceparent": traceparent(trace_header())},
                    deadline=self._invocation.last_call_ends,
                    admitted=call.request,
                )
            except Refused as refused:
                call.refused(refused)
                raise
            call.answered(page.answer)
            return page

    def _failed(self, error: Exception) -> float | None:
        """In how many seconds the page is tried again; None: the run has failed, and that is told."""
        run, now = self._state["open"], self._now
        failures = run.get("failures", 0)
        give_up_at = run.get("give_up_at") or (
            now + _OF_A_BACKFILL if self._backfill else next_slot(self._poll, now)
        )
        floor = error.retry_after if isinstance(error, Refused) else None
        wait = max(min(2.0**failures, LONGEST_WAIT), floor or 0.0)
        if now + wait >= give_up_at:
            self._tell(error, retry=not isinstance(error, _THEIRS) or _is_retried(error))
            return None
        self._tools.logger.warning(
            "a page could not be read, again", **self._about, reason=_words(error), wait=wait
        )
        self._save({**self._state, "open": {**run, "failures": failures + 1, "give_up_at": give_up_at}})
        return wait

    def _tell(self, error: Exception, *, retry: bool) -> None:
        """The run has failed. The next slot goes on with it, or begins anew where that has no point."""
        after: Any = {**self._state, "failure": {"at": self._now, "reason": _words(error)}}
        if "open" in after:
            gone = ("failures", "give_up_at")
            run: Any = {name: value for name, value in after.pop("open").items() if name not in gone}
            run["failed"] = run.get("failed", 0) + 1
            if not self._backfill and ("pending" in run or (retry and run["failed"] < FAILED_SLOTS)):
                after["open"] = run
        self._save(after)
        self._tools.logger.error(
            "poll failed",
            **self._about,
            reason=_words(error),
            read_until=rfc3339(self._state["stored"]["until"]),
        )

    def _save(self, state: State) -> None:
        expires_at = self._now + KEPT_FOR if self._backfill else None
        self._states.save(state, expires_at=expires_at)
        self._state = state


def _is_retried(error: Exception) -> bool:
    return isinstance(error, Refused) and error.retry


def _words(error: Exception) -> str:
    """An error, for people; of what nobody expected only type and place: its text may quote anything."""
    if isinstance(error, TransformFailed):
        return f"parse failed: {type(error.__cause__ or error).__name__}"
    if isinstance(error, (*_OURS, *_THEIRS)):
        return str(error)
    place = extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"

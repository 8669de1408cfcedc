"""Carrying out what a page comes to: queue it, remember it; and what earlier pages and runs remember."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from causeway.acceptance.acceptor import Acceptor
from causeway.polling.seen import Seen
from causeway.polling.taking import Missed, not_brought, takers_of

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Poll
    from causeway.polling.shelf import Shelf
    from causeway.polling.states import State
    from causeway.polling.turning import Known, Turn
    from causeway.polling.work import Tools


class Carrying:
    """One poll's. Every method raises ``AwsError`` as AWS does.

    Args:
        tools: What all polls share.
        poll: Which.
        shelf: Its objects.
        regular: Whether what was seen is no news; a backfill reads again on purpose.
    """

    def __init__(self, tools: Tools, poll: Poll, shelf: Shelf, *, regular: bool) -> None:
        self._tools = tools
        self._poll = poll
        self._shelf = shelf
        self._regular = regular
        self._previous: dict[str, str] | None = None
        self._met: tuple[int, dict[str, str]] = 0, {}

    @property
    def keeps_turns(self) -> bool:
        """Whether a page that is read twice could name its events otherwise."""
        return self._poll["batch"] > 1 or "diff" in self._poll

    def known(self, state: State) -> Known:
        """What is no news to the run under way."""
        is_diff = "diff" in self._poll
        return {
            "seen": set[str]() if is_diff or not self._regular else self._seen,
            "previous": self._last_list(state) if is_diff else {},
            "met": self._met_by(state) if is_diff else {},
        }

    def carry(self, turn: Turn) -> None:
        """Queue the events, then remember what was read.

        Raises:
            NotQueued: not all of them are queued; some may be.
        """
        if turn["events"]:
            self._queue(turn)
        self._tools.metrics.add("PollRecords", turn["records"])
        if "hashes" in turn:
            self._shelf.put(_part(turn["run"], turn["page"]), turn["hashes"])
        elif self._regular:
            self._remember(turn)

    def done(self, turn: Turn, before: State) -> None:
        """The state after the turn is written: take away what nobody needs any more."""
        after = turn["after"]
        if self._met[0] == turn["run"]:
            self._met[1].update(turn.get("hashes", {}))
        if pending := before.get("open", {}).get("pending"):
            self._shelf.drop(pending)
        old = before.get("snapshot")
        if old and old != after.get("snapshot"):
            self._previous = None
            for page in range(1, old["parts"] + 1):
                self._shelf.drop(self._shelf.pointer(_part(old["run"], page)))

    def _queue(self, turn: Turn) -> None:
        tools, poll = self._tools, self._poll
        now = tools.clock.now()
        events, takers, store = turn["events"], takers_of(tools.plan, poll), tools.store
        if "reach" in poll:
            events, takers = not_brought(tools.journal, events, takers, now=now)
            store = Missed(store)
        if events:
            said: dict[str, JSON] = {"poll": poll["name"], "run": turn["run"], "page": turn["page"]}
            acceptor = Acceptor(store, tools.metrics, tools.sightings)
            acceptor.accept(events, takers, system=poll["system"], now=now, **said)

    def _remember(self, turn: Turn) -> None:
        if turn["keys"]:
            self._seen.add(turn["keys"], turn["value"])
        if "forget" in turn:
            self._seen.forget(turn["forget"])
        if "most" in turn:
            self._seen.keep(turn["most"])

    @cached_property
    def _seen(self) -> Seen:
        return Seen(self._tools.state, f"{self._poll['system']}/{self._poll['name']}")

    def _last_list(self, state: State) -> dict[str, str]:
        """What the last run that was read to its end has met, by id."""
        if self._previous is None:
            snapshot = state.get("snapshot", {"run": 0, "parts": 0})
            self._previous = self._parts(snapshot["run"], snapshot["parts"])
        return self._previous

    def _met_by(self, state: State) -> dict[str, str]:
        """The same of the pages before this one of the run under way."""
        run = state["open"]
        if self._met[0] != run["number"]:
            pages = run["request"]["number"] - 1 if run["request"] else 0
            self._met = run["number"], self._parts(run["number"], pages)
        return self._met[1]

    def _parts(self, run: int, parts: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for page in range(1, parts + 1):
            found.update(self._shelf.get(self._shelf.pointer(_part(run, page))))
        return found


def _part(run: int, page: int) -> str:
    return f"list/{run}/{page}"

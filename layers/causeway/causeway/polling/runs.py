"""A run from its beginning to its end, as a state that becomes another; nothing here has an effect.

A run reads one window, page by page. What it read moves the cursor only at its end, so that a run that is
given up has moved nothing, and the next one reads the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.polling.cursors import SECOND, TIMES, CursorError, parse_cursor
from causeway.polling.paging import first_request
from causeway.polling.windows import advanced, window_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.plan.records import JSON, Poll
    from causeway.polling.cursors import Comparable
    from causeway.polling.fetching import Page
    from causeway.polling.paging import PageRequest
    from causeway.polling.records import Identity
    from causeway.polling.states import Run, State
    from causeway.polling.windows import Stored

AGAIN = 3
"""So many times a window is read anew when its records changed places while pages were read."""

_OF_A_PAGE = ("failures", "give_up_at", "failed", "call_at", "pending")
_CLOCKS_DIFFER = 5 * SECOND


def begin(poll: Poll, state: State, *, slot: float, now: float, until: str | None = None) -> State:
    """The state with a run under way; without one when there is nothing to read yet.

    Args:
        poll: Which.
        state: What is known.
        slot: Up to where it covers what was due.
        now: Epoch seconds.
        until: Of a backfill, up to where.

    Raises:
        CursorError: ``until`` is no value of the cursor, or what is remembered is none any more.
    """
    _check(poll, state)
    after: State = {**state, "slot": slot}
    window = window_of(poll, state["stored"], now, upto=until)
    if window is None:
        return after
    # A number that no other run has, also if the state was lost: events of `diff` are named by it.
    number = max(state["run"] + 1, int(now))
    run: Run = {
        "number": number,
        "slot": slot,
        "began": now,
        "window": window,
        "request": first_request(poll, window),
        "records": 0,
        "queued": 0,
    }
    return {**after, "run": number, "open": run}


def turned(
    run: Run, page: Page, *, highest: Comparable | None, token: JSON, following: PageRequest | None
) -> Run:
    """The run after a page: what comes next, and what is known so far.

    Args:
        run: Before it.
        page: What came.
        highest: The highest value of those that are the window's.
        token: The server's own cursor, if the answer had one.
        following: The next page; None: there is none.
    """
    after: Run = _without(run, *_OF_A_PAGE)
    after["request"] = following
    after["records"] = run["records"] + len(page.records)
    known = run.get("highest")
    if highest is not None:
        after["highest"] = highest if known is None else max(known, highest)
        if run["request"] and run["request"]["number"] == 1:
            after["surely"] = highest
    if token is not None:
        after["token"] = token
    return after


def given_in(run: Run) -> Run:
    """A run that was read anew often enough, and whose list changed its order each time.

    What was skipped comes after the first page, where the list is in the cursor's order; in any other order
    nothing is skipped by a change. So the cursor moves on as far as that page went, and no further.
    """
    after: Run = _without(run, "highest", "moved")
    if "surely" in run:
        after["highest"] = run["surely"]
    after["window"] = {**run["window"], "last": True}
    return after


def must_give_in(run: Run) -> bool:
    """Whether there is no point in reading the list anew once more."""
    return run["request"] is None and run.get("moved", False) and run.get("again", 0) >= AGAIN


def is_numbered(poll: Poll) -> bool:
    """Whether pages are numbers or offsets: what moves in the list then changes what a page is."""
    return "paginate" in poll and poll["paginate"]["by"] in ("page", "offset")


def moves(poll: Poll, run: Run, identities: Iterable[Identity]) -> bool:
    """Whether a record was changed since the run began, so that all that came after it changed places.

    Of a list by numbers or offsets what then comes first on the next page is skipped. It shows: what was
    changed lately stands in the list with a value from after the beginning.
    """
    request = run["request"]
    if not is_numbered(poll) or request is None or request["number"] == 1:
        return False  # what was changed before the first page came has kept nothing from coming
    if "cursor" not in poll or poll["cursor"]["format"] not in TIMES:
        return False
    since = int(run["began"]) * SECOND - _CLOCKS_DIFFER
    return any(isinstance(each.value, int) and each.value >= since for each in identities)


def ended(poll: Poll, state: State, page: Page, *, now: float, until: str | None = None) -> State:
    """The state after a run's last page: the cursor moved on, and the next window's run if there is one.

    Args:
        poll: Which.
        state: With the run, all of whose pages are read.
        page: The last one.
        now: Epoch seconds.
        until: Of a backfill, up to where.
    """
    run = state["open"]
    if run.get("moved"):
        return {**state, "open": _anew(poll, run, now)}
    counts: Any = {"records": run["records"], "queued": run["queued"]}
    after: State = _without(state, "open", "failure", "validators")
    after["stored"] = _stored(poll, state)
    after["finished"] = counts | {"number": run["number"], "at": now}
    if page.validators:
        after["validators"] = page.validators
    if page.modified and not run.get("stopped"):
        after["full"] = run["number"]
    if run["window"]["last"]:
        return after
    after = begin(poll, after, slot=run["slot"], now=now, until=until)
    if "open" in after:  # the slices of one slot are counted together
        after["open"] |= counts
    return after


def reaches_back_to(poll: Poll, state: State, now: float) -> Comparable | None:
    """Where the next window will begin at the earliest, by what the run has read so far.

    None: that cannot be said, since nothing orders the records.
    """
    cursor = poll.get("cursor")
    if cursor is None or "token" in cursor:
        return None
    window = window_of(poll, _stored(poll, state), now)
    if window is None or window["since"] is None:
        return None
    return parse_cursor(window["since"], cursor["format"])


def _check(poll: Poll, state: State) -> None:
    value, cursor = state["stored"].get("value"), poll.get("cursor")
    if cursor and value is not None and isinstance(value, str) != (cursor["format"] == "opaque"):
        raise CursorError(
            f"what is remembered is no value of the format {cursor['format']}: "
            "put the cursor's format back, or give the poll another name, under which it begins at start"
        )


def _stored(poll: Poll, state: State) -> Stored:
    run = state["open"]
    return advanced(poll, state["stored"], run["window"], highest=run.get("highest"), token=run.get("token"))


def _anew(poll: Poll, run: Run, now: float) -> Run:
    after: Run = _without(run, "moved")
    after["request"] = first_request(poll, run["window"])
    after["began"] = now
    after["again"] = run.get("again", 0) + 1
    return after


def _without(record: Any, *names: str) -> Any:
    """A record short of what it need not have."""
    return {name: value for name, value in record.items() if name not in names}

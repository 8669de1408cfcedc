"""What one page comes to: the events to queue, the keys to remember, and the state after it.

A turn is JSON. Where its events are named by what came together (``batch``) or by the run (``diff``), a page
that is read twice could name them otherwise; so there the turn itself is kept before anything is queued, and
whoever goes on carries out that one, and does not read the page again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

from causeway.polling.comparing import compare, gone
from causeway.polling.cursors import SECOND, parse_cursor
from causeway.polling.paging import SEEN, next_request, token_of
from causeway.polling.records import events_of, identified
from causeway.polling.runs import ended, given_in, is_numbered, moves, must_give_in, reaches_back_to, turned
from causeway.polling.seen import MOST
from causeway.polling.windows import is_older, is_within

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from causeway.events.envelope import Event
    from causeway.plan.records import JSON, Poll
    from causeway.polling.cursors import Comparable
    from causeway.polling.fetching import Page
    from causeway.polling.records import Identity
    from causeway.polling.states import Run, State
    from causeway.polling.windows import Window

    Named = tuple[Identity, JSON]
    """A record and what it is called."""


class Turn(TypedDict):
    """What a page comes to."""

    run: int
    page: int
    records: int
    events: list[Event]
    keys: list[str]  # to be remembered, until no window reaches back to the value
    value: Comparable
    forget: NotRequired[Comparable]  # what has a lower value need not be remembered any more
    most: NotRequired[int]  # and of what nothing orders so many are enough
    hashes: NotRequired[dict[str, str]]  # of diff, by id
    after: State


class Known(TypedDict):
    """What earlier pages and runs have left."""

    seen: Container[str]
    previous: Mapping[str, str]  # of diff, by id: what it was at the last run
    met: Mapping[str, str]  # and on this run's pages before this one


def turn_of(
    poll: Poll, state: State, page: Page, known: Known, *, now: float, until: str | None = None
) -> tuple[Turn, list[str]]:
    """What a page comes to, and what of its records is not as the map says.

    Args:
        poll: Which.
        state: With the run under way, whose next page this is.
        page: What came.
        known: What is no news.
        now: Epoch seconds.
        until: Of a backfill, up to where.

    Raises:
        PagingError: the page after it cannot be asked for.
        ExpressionError: an expression over the answer fails.
    """
    run = state["open"]
    named = identified(poll, page.records)
    within = _within(run["window"], named)
    fresh, hashes = _fresh(poll, within, known)
    highest = max(_values(within), default=None)
    following = _after(poll, run, page, named, known, highest=highest)
    if "diff" in poll and following["request"] is None and page.modified:
        fresh += gone(poll, known["previous"], {**known["met"], **hashes})
    following["queued"] += len(fresh)
    # With a version, what was changed shows as news; without one, anything that is so young may have moved.
    if moves(poll, run, (identity for identity, _ in (fresh if "version" in poll else named))):
        following["moved"] = True
    if gives_in := must_give_in(following):
        following = given_in(following)
    mid: State = {**state, "open": following}
    after = mid if following["request"] else ended(poll, mid, page, now=now, until=until)
    is_over = after.get("open", {}).get("number") != run["number"]
    turn: Turn = {
        "run": run["number"],
        "page": run["request"]["number"] if run["request"] else 0,
        "records": len(page.records),
        "events": events_of(poll, fresh, run=str(run["number"]), now=now),
        "keys": [],
        "value": run["number"],
        "after": after,
    }
    if "diff" in poll:
        turn["hashes"] = hashes
        if is_over and page.modified:
            after["snapshot"] = {"run": turn["run"], "parts": turn["page"]}
    else:
        _remember(poll, turn, mid, within=within, fresh=fresh, is_over=is_over, now=now)
    problems = {*_problems(poll, run, named)}
    if gives_in:
        problems.add(
            "paginate: the list changes faster than its numbered pages are read, so the cursor moves slowly: "
            "page by link or cursor, if the API can"
        )
    return turn, sorted(problems)


def _problems(poll: Poll, run: Run, named: Sequence[Named]) -> Iterator[str]:
    """What is not as the map says; all of it is delivered nevertheless."""
    yield from [identity.problem for identity, _ in named if identity.problem]
    since, cursor = run["window"]["since"], poll.get("cursor", {})
    if since is None or "field" not in cursor or not cursor["asks"]:
        return
    bound = parse_cursor(since, cursor["format"])
    if min(_values(named), default=bound) < bound:  # type: ignore[operator] # of one kind
        yield (
            "cursor: the API gives records from before ${since}: it does not know the parameter, "
            "or means another field, or another time zone"
        )


def _fresh(poll: Poll, within: Sequence[Named], known: Known) -> tuple[list[Named], dict[str, str]]:
    """The records that are news; of diff also the hashes of all."""
    if "diff" in poll:
        changes = compare(poll, known["previous"], within, met=known["met"])
        return changes.records, changes.hashes
    found: dict[str, Named] = {}
    seen = known["seen"]
    for each in within:
        key = each[0].key
        if key not in seen:
            found.setdefault(key, each)
    return list(found.values()), {}


def _within(window: Window, named: list[Named]) -> list[Named]:
    if "least" not in window and "most" not in window:  # nearly always: what was asked for is what came
        return named
    return [each for each in named if is_within(window, each[0].value)]


def _values(named: Sequence[Named]) -> list[Comparable]:
    return [identity.value for identity, _ in named if identity.value is not None]


def _after(
    poll: Poll, run: Run, page: Page, named: Sequence[Named], known: Known, *, highest: Comparable | None
) -> Run:
    """The run after the page."""
    assert run["request"] is not None, "a page was asked for"
    stops_early = "paginate" in poll and poll["paginate"].get("stop_when") == SEEN
    seen_all = stops_early and all(
        each.key in known["seen"] or is_older(run["window"], each.value) for each, _ in named
    )
    following, token = None, None
    if page.modified:
        following = next_request(poll, run["request"], page.answer, page.records, seen_all=seen_all)
        token = token_of(poll, page.answer)
    after = turned(run, page, highest=highest, token=token, following=following)
    if following is None and seen_all and page.records:
        after["stopped"] = True
    return after


def _is_known_to_the_end(poll: Poll, run: Run) -> bool:
    """Whether all that a run has read is remembered until it ends, and not only what the next one may meet.

    A list by numbers may be read anew within the run, but for that the journal knows repeats, too. Members of
    a batch it does not know one by one.
    """
    if poll["batch"] > 1:
        return True
    return is_numbered(poll) and run["records"] <= MOST


def _remember(
    poll: Poll,
    turn: Turn,
    state: State,
    *,
    within: Sequence[Named],
    fresh: Sequence[Named],
    is_over: bool,
    now: float,
) -> None:
    """Which keys are remembered for how long, and which need not be any more.

    A key has the value of its record's cursor; where time itself is the cursor, that of its window's end;
    where nothing orders the records, its run's number, and is remembered anew by each run that meets it.
    """
    cursor = poll.get("cursor")
    if cursor is None or "token" in cursor:
        turn["keys"] = [identity.key for identity, _ in within]
        if is_over and not state["open"].get("stopped") and "full" in state:
            turn["forget"] = state["full"]
        if is_over and state["open"].get("stopped"):
            turn["most"] = MOST
        return
    back = reaches_back_to(poll, state, now)
    bound = back if is_over or not _is_known_to_the_end(poll, state["open"]) else None
    if "field" not in cursor:
        turn["keys"] = [identity.key for identity, _ in fresh]
        turn["value"] = int(state["open"]["window"]["end"]) * SECOND
    else:
        # A record without a value may come with any window; it is remembered as long as the newest.
        kept = {
            identity.key: state["open"].get("highest") if identity.value is None else identity.value
            for identity, _ in fresh
            if identity.value is None or bound is None or identity.value >= bound  # type: ignore[operator]
        }
        turn["keys"] = list(kept)
        turn["value"] = max((value for value in kept.values() if value is not None), default=0)
    if bound is not None:
        turn["forget"] = bound

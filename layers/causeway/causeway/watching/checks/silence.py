"""Silence: an integration's source has sent nothing for longer than its owner expects.

What counts is what the source sends: events that were accepted, and those that a filter left out, but none
that was refused. The clock of silence runs only within ``frequency.during``, and not through a pause. What is
known of the last event stands in the state, and the journal is asked only when by that there is silence: once
in ``expect_every`` while all is well, and each minute while nothing comes. What the journal does not know may
have been accepted and wait to be begun, so of what looks silent the lines of acceptance are asked, too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from causeway.acceptance.sightings import FILTERED, KNOWN, heard_of
from causeway.bus.announcements import SILENT
from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed, of_both
from causeway.delivery.pages import delivered_on, page_of
from causeway.delivery.pauses import Pause
from causeway.settings.clock import rfc3339
from causeway.watching.acceptances import WRITTEN_LATE, accepted_since
from causeway.watching.checks.sources import UNREAD, why
from causeway.watching.finding import Finding
from causeway.watching.spans import span
from causeway.watching.windows import elapsed, reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Item
    from causeway.plan.records import Integration
    from causeway.watching.world import World

UNREAD_FOR = 900.0
"""Seconds of silence for which it is not told because the lines of acceptance are not read to their end."""

_HOUR = 3600.0
_MARGIN = 5.0  # seconds before the end of looking, after which no more is asked
_DELIVERED_LATE = 2 * _HOUR  # pages of an hour that was looked at are looked at again for so long
_LOOKS_BACK = 31 * 24  # hours
_PAGES = 100
_AT_ONCE = 16


@dataclass(frozen=True)
class Heard:
    """What is known of an integration's last event."""

    since: float  # since when it is watched
    looked: float  # until when the journal was looked through
    last: float | None = None  # None: nothing came since then
    asked: float = 0.0  # until when lines of acceptance were read

    @property
    def quiet_since(self) -> float:
        """From when on silence counts."""
        return self.since if self.last is None else self.last


def silence(world: World, now: float) -> Iterator[Finding]:
    """Nothing has come for longer than is expected, counted within the window."""
    known = {item["part"]: _heard(item) for item in world.means.state.parts(KNOWN)}
    watched = [
        each for each in world.plan.integrations.values() if each["frequency"]["expect_every"] is not None
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heard = list(pool.map(lambda each: _listen(world, each, known.get(each["name"]), now), watched))
    for name in known.keys() - {each["name"] for each in watched}:
        world.means.state.delete(KNOWN, name)
    heard, unread = _with_accepted(world, watched, heard, now)
    for integration, each in zip(watched, heard, strict=True):
        beyond = _beyond(world, integration, each, now)
        name = integration["name"]
        held = _pause(world, name).paused or (name in unread and beyond <= UNREAD_FOR)
        world.means.metrics.add("SilentFor", 0 if held else beyond, integration=name)
        if beyond > 0:
            finding = _finding(world, integration, each, now, unread=name in unread)
            yield replace(finding, held=held)


def _listen(world: World, integration: Integration, known: Heard | None, now: float) -> Heard:
    """What is known by now. One that is new has until its first silence from now on."""
    heard = known or Heard(since=now, looked=now)
    if known is None or (_beyond(world, integration, heard, now) > 0 and _has_time(world)):
        last = last_event(world, integration["name"], heard, now)
        heard = replace(
            heard,
            looked=now,
            last=max((each for each in (heard.last, last) if each is not None), default=None),
        )
        if known is None or heard.last != known.last or now - known.looked >= _HOUR:
            _remember(world, integration["name"], heard)
    return heard


def _has_time(world: World) -> bool:
    """Whether one more can be looked at: when all are silent at once, there may not be for all."""
    return world.means.clock.now() < world.until - _MARGIN


def _with_accepted(
    world: World, watched: list[Integration], heard: list[Heard], now: float
) -> tuple[list[Heard], set[str]]:
    """The same, with what was accepted and is not begun; and of whom that could not be read to its end."""
    quiet = {
        integration["name"]: max(each.asked, each.quiet_since)
        for integration, each in zip(watched, heard, strict=True)
        if _beyond(world, integration, each, now) > 0 and not _pause(world, integration["name"]).paused
    }
    if not quiet:
        return heard, set()
    hurried = not _has_time(world)
    accepted = accepted_since(world, min(quiet.values()), now)
    by_name = {integration["name"]: each for integration, each in zip(watched, heard, strict=True)}
    for name, asked in quiet.items():
        before, at = by_name[name], accepted.last.get(name, 0.0)
        after = replace(before, asked=max(asked, accepted.until - WRITTEN_LATE))
        by_name[name] = replace(after, last=at) if at > before.quiet_since else after
        _remember(world, name, by_name[name])
    return list(by_name.values()), set(quiet) if hurried or accepted.until < now else set()


def _remember(world: World, integration: str, heard: Heard) -> None:
    item: Item = {"since": heard.since, "looked": heard.looked, "asked": heard.asked}
    item |= {} if heard.last is None else {"last": heard.last}
    world.means.state.put({"id": KNOWN, "part": integration, **item})


def _beyond(world: World, integration: Integration, heard: Heard, now: float) -> float:
    frequency = integration["frequency"]
    expected = frequency["expect_every"]
    assert expected is not None, "others are not watched"
    since = _quiet_since(world, integration, heard)
    return max(0.0, elapsed(frequency["during"], since, now) - expected)


def _quiet_since(world: World, integration: Integration, heard: Heard) -> float:
    """From when on silence counts: nobody expects anything of a source whose integration was paused."""
    past = _pause(world, integration["name"]).past
    return max(heard.quiet_since, past[-1][1] if past else 0.0)


def _pause(world: World, integration: str) -> Pause:
    return world.pauses.get(integration) or Pause(integration)


def last_event(world: World, integration: str, heard: Heard, now: float) -> float | None:
    """When the last event after the one that is known came; None: none did. By bounded reads.

    Of an hour's delivered ones the hundred last pages are read, so what comes out may be too early, but never
    by more than the hour.
    """
    after = heard.quiet_since
    times = [at for at in (*_waiting_or_dead(world, integration, after), _filtered(world, integration)) if at]
    delivered = _delivered(world, integration, max(after, heard.looked - _DELIVERED_LATE), now)
    times += [] if delivered is None else [delivered]
    last = max(times, default=after)
    return last if last > after else None


def _waiting_or_dead(world: World, integration: str, after: float) -> Iterator[float]:
    """One query in each shard, where nothing is open; else of what waits, which comes first, and is dead.

    None at all while everything that is open has been read at once.
    """
    everything = world.open
    if everything is not None:
        yield from (item["accepted_at"] for item in everything.get(integration, ()))
        return
    journal = world.means.journal
    for shard in SHARDS:
        for newest in islice(of_both(journal, integration, shard, page=1), 1):
            yield newest["accepted_at"]
            if newest["open_at"].startswith("waiting"):
                dead = listed(journal, integration, shard, "dead", since=after, newest_first=True, page=1)
                yield from (item["accepted_at"] for item in islice(dead, 1))


def _filtered(world: World, integration: str) -> float | None:
    at: float | None = (world.means.state.get(heard_of(integration), FILTERED) or {}).get("at")
    return at


def _delivered(world: World, integration: str, after: float, now: float) -> float | None:
    """Of the last hour in which anything was accepted that is delivered by now."""
    hour = now // _HOUR * _HOUR
    for back in range(_LOOKS_BACK):
        begin = hour - back * _HOUR
        if begin + _HOUR <= after:
            return None
        pages = world.means.journal.between(
            ("id", page_of(integration, begin)), ("part", " ", "~"), newest_first=True, page=_PAGES
        )
        if times := [at for page in islice(pages, _PAGES) for at in _accepted(page, begin)]:
            return max(times)
    return None


def _accepted(page: Item, hour: float) -> Iterator[float]:
    """When what a page lists was accepted; of repeats it is only known that it was in this hour."""
    yield from (entry.accepted_at for entry in delivered_on(page))
    if page.get("duplicates"):
        yield min(int(page["part"][:13]) / 1000, hour + _HOUR - 1)


def _finding(world: World, integration: Integration, heard: Heard, now: float, *, unread: bool) -> Finding:
    name, frequency = integration["name"], integration["frequency"]
    expected = frequency["expect_every"]
    assert expected is not None, "as above"
    cause, next_step = UNREAD if unread else why(world, integration, now)
    beyond, since = _beyond(world, integration, heard, now), _quiet_since(world, integration, heard)
    quiet = span(elapsed(frequency["during"], since, now))
    within = "" if frequency["during"] == "always" else f" within {frequency['during']}"
    return Finding(
        check="silence",
        subject=name,
        level="critical" if beyond > expected else "warning",
        what=f"{name} is silent: no event for {quiet}{within}, expected every {span(expected)}",
        cause=cause,
        next_step=next_step,
        since=reached(frequency["during"], since, expected),
        value=beyond,
        unit="s",
        integrations=(name,),
        event=SILENT,
        detail={
            "last_event": None if heard.last is None else rfc3339(heard.last),
            "expect_every": expected,
            "during": frequency["during"],
        },
    )


def _heard(item: Item) -> Heard:
    return Heard(item["since"], item["looked"], item.get("last"), item.get("asked", 0.0))

"""How each integration is: its state, its last event, what waits, is dead, was delivered of late.

What it asks of the journal is bounded for each integration, whatever lies there: where there is more than is
counted, the count is a lower bound, and says so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from causeway.acceptance.sightings import KNOWN
from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed, of_both
from causeway.delivery.pages import delivered_on, page_of
from causeway.delivery.pauses import RELEASES
from causeway.delivery.resuming import DONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from causeway.aws.table import Item, Table
    from causeway.delivery.pauses import Pause, Pauses
    from causeway.settings.clock import Clock

COUNTED = 100
"""So many open deliveries of each status are counted in each of an integration's sixteen shards."""

COUNTED_PAGES = 500
"""So many pages of delivered ones are counted in each hour, the last ones: up to ten deliveries on each."""

SPAN = 300.0
"""Seconds of each part of what happened of late."""

_STATUSES = ("waiting", "dead")
_HOUR = 3600.0
_HOURS = 24
_AT_ONCE = 16


class Span(NamedTuple):
    """What became of what was accepted in five minutes."""

    since: float
    delivered: int
    retried: int  # of these: those that had failed before
    latency: float | None  # seconds from acceptance to delivery, the median
    open: int  # it waits, or is dead


@dataclass(frozen=True)
class Integration:
    """One integration as it is now."""

    name: str
    state: str  # active, paused or resuming
    pause: Pause
    last_event: float | None  # None: none within a day, none open, and the watchdog knows of none
    oldest: float | None  # of what waits
    oldest_dead: float | None
    waiting: int
    dead: int
    delivered: int  # accepted in this clock hour or the one before
    at_least: tuple[str, ...]  # those of the counts that are lower bounds
    recent: tuple[Span, ...]  # this clock hour and the one before, in parts


class _Known(NamedTuple):
    """What the state says of an integration."""

    pause: Pause
    resuming: bool
    heard: float | None  # its last event, where the watchdog knows of one


class _Open(NamedTuple):
    """Open deliveries of one status: when they were accepted, the last first, and whether there are more."""

    times: list[float]
    more: bool
    oldest: float | None


class _Done(NamedTuple):
    """A delivered one."""

    accepted_at: float
    at: float
    retried: bool


class _Delivered(NamedTuple):
    """Delivered ones of an hour."""

    all: list[_Done]
    more: bool


class Overview:
    """What the journal and the state say of integrations. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, *, journal: Table, state: Table, pauses: Pauses, clock: Clock) -> None:
        self._journal = journal
        self._state = state
        self._pauses = pauses
        self._clock = clock
        self._earlier: dict[tuple[str, float], list[float]] = {}

    def integrations(self, names: Sequence[str]) -> list[Integration]:
        """Each of them."""
        heard = {each["part"]: each["last"] for each in self._state.parts(KNOWN) if "last" in each}
        resuming = {each["part"] for each in self._state.parts(RELEASES) if each["pass"] != DONE}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            shards = pool.map(lambda place: self._shard(*place), [(n, s) for n in names for s in SHARDS])
            rest = pool.map(lambda name: (self._pauses.now(name), self._recent(name)), names)
            return [
                self._one(
                    name,
                    _Known(pause, name in resuming, heard.get(name)),
                    recent,
                    list(islice(shards, len(SHARDS))),
                )
                for name, (pause, recent) in zip(names, rest, strict=True)
            ]

    def _one(
        self,
        name: str,
        known: _Known,
        recent: _Delivered,
        shards: list[dict[str, _Open]],
    ) -> Integration:
        waiting, dead = _sum(each["waiting"] for each in shards), _sum(each["dead"] for each in shards)
        open_ = [*waiting.times, *dead.times]
        times = [*open_, *(each.accepted_at for each in recent.all), known.heard]
        counts: dict[str, _Open | _Delivered] = {"waiting": waiting, "dead": dead, "delivered": recent}
        return Integration(
            name,
            "paused" if known.pause.paused else "resuming" if known.resuming else "active",
            known.pause,
            last_event=self._last(name, _last(times)),
            oldest=waiting.oldest,
            oldest_dead=dead.oldest,
            waiting=len(waiting.times),
            dead=len(dead.times),
            delivered=len(recent.all),
            at_least=tuple(of for of, each in counts.items() if each.more),
            recent=tuple(self._spans(recent.all, open_)),
        )

    def _shard(self, name: str, shard: str) -> dict[str, _Open]:
        """What is open in one shard: one query, unless there is more than is counted."""
        now = self._clock.now()
        items = list(islice(of_both(self._journal, name, shard, page=COUNTED), COUNTED + 1))
        if len(items) <= COUNTED:
            of = {
                status: [each for each in items if each["open_at"].startswith(status)] for status in _STATUSES
            }
            return {status: _open(each, now) for status, each in of.items()}
        return {status: self._status(name, shard, status) for status in _STATUSES}

    def _status(self, name: str, shard: str, status: str) -> _Open:
        place = (self._journal, name, shard, status)
        items = list(islice(listed(*place, newest_first=True, page=COUNTED), COUNTED + 1))
        found = _open(items[:COUNTED], self._clock.now())
        if len(items) <= COUNTED:
            return found
        oldest = next(iter(listed(*place, page=1)), items[-1])
        return found._replace(more=True, oldest=oldest["accepted_at"])

    def _recent(self, name: str) -> _Delivered:
        hour = self._hour
        hours = [self._delivered(name, each, COUNTED_PAGES) for each in (hour, hour - _HOUR)]
        return _Delivered([one for each in hours for one in each.all], any(each.more for each in hours))

    def _delivered(self, name: str, hour: float, most: int) -> _Delivered:
        """The last that were delivered of an hour's; a redelivered message lists its delivery again."""
        parts = self._journal.between(
            ("id", page_of(name, hour)), ("part", " ", "~"), newest_first=True, page=most
        )
        pages = list(islice(parts, most + 1))
        found = {
            (entry.delivery, entry.accepted_at): entry.at
            for page in reversed(pages[:most])
            for entry in delivered_on(page)
        }
        retried = {delivery for page in pages[:most] for (delivery,) in page.get("retried", [])}
        done = [_Done(accepted_at, at, delivery in retried) for (delivery, accepted_at), at in found.items()]
        return _Delivered(done, more=len(pages) > most)

    def _last(self, name: str, known: float | None) -> float | None:
        """The last event, where this one is known: later hours are asked once an hour, back for a day."""
        hour = self._hour
        if known is not None and known >= hour - _HOUR:
            return known
        if (name, hour) not in self._earlier:
            self._earlier = {key: times for key, times in self._earlier.items() if key[1] == hour}
            times: list[float] = []
            for back in range(2, _HOURS):
                begin = hour - back * _HOUR
                if times or (known is not None and begin + _HOUR <= known):
                    break
                times = [each.accepted_at for each in self._delivered(name, begin, 1).all]
            self._earlier[name, hour] = times
        return _last([*self._earlier[name, hour], known])

    def _spans(self, delivered: list[_Done], open_: list[float]) -> Iterator[Span]:
        begin = self._hour - _HOUR
        while begin <= self._clock.now():
            done = [each for each in delivered if begin <= each.accepted_at < begin + SPAN]
            seconds = [each.at - each.accepted_at for each in done]
            failing = sum(begin <= accepted < begin + SPAN for accepted in open_)
            retried = sum(each.retried for each in done)
            yield Span(begin, len(done), retried, median(seconds) if seconds else None, failing)
            begin += SPAN

    @property
    def _hour(self) -> float:
        """The beginning of this clock hour."""
        return self._clock.now() // _HOUR * _HOUR


def _last(times: Iterable[float | None]) -> float | None:
    """The last of those that are known."""
    return max((time for time in times if time is not None), default=None)


def _open(items: list[Item], now: float) -> _Open:
    """These items, but for those that have expired, which are deleted late."""
    times = [item["accepted_at"] for item in items if item.get("expires_at", now) >= now]
    return _Open(times, more=False, oldest=min(times, default=None))


def _sum(shards: Iterable[_Open]) -> _Open:
    all_ = list(shards)
    return _Open(
        [time for shard in all_ for time in shard.times],
        any(shard.more for shard in all_),
        min((shard.oldest for shard in all_ if shard.oldest is not None), default=None),
    )

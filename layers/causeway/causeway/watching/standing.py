"""How things stand, and what of it is told: state changes, and nothing but state changes.

One item of the state for each thing that is not well, and none while all is well: ``watch#all``, and the
finding's key. What is told is told first and written down after: once, and after a crash at worst twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from causeway.watching.finding import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.aws.table import Item, Table
    from causeway.watching.finding import Finding, Level

STANDING = "watch#all"
"""The hash key of all that is not well; the range key is the finding's."""

RUN = ("watch#run", "run")
"""The item that says how far the checks are, and when the watchdog last ran."""

WORDED_FOR = 300.0
"""Seconds after which changed words are taken over, though nothing is told: who looks sees how many there
are by now, and what lasts is not written down each minute."""

AGAIN = 3600.0
"""Seconds after a message in which what happens once more is not told."""

Kind = Literal["began", "worse", "again", "still", "recovered", "ended"]


@dataclass(frozen=True)
class Standing:
    """What is remembered of something that is not well. Its level only rises until it is well again."""

    key: str
    check: str
    subject: str
    level: Level
    what: str
    since: float
    told_at: float
    integrations: list[str] = field(default_factory=list)
    well_since: float | None = None  # it was not found any more, but not for long
    cause: str = ""
    next_step: str = ""
    value: float | None = None
    unit: str = ""
    at_least: bool = False
    worded_at: float | None = None  # when the words were taken: `what` and the five above

    @classmethod
    def of(cls, item: Item) -> Standing:
        """The one that an item holds."""
        return cls(key=item["part"], **{name: item[name] for name in _FIELDS if name in item})


@dataclass(frozen=True)
class Change:
    """Something to tell."""

    kind: Kind
    standing: Standing  # as it is from now on; of what has recovered, as it was
    finding: Finding | None  # None: recovered, or ended: the map does not have it any more


@dataclass(frozen=True)
class Run:
    """What the watchdog's last run says of itself."""

    at: float | None = None  # when it began; None: there was none
    left_out: int = 0  # looks that there was no time for; the next run makes them first
    failed: tuple[str, ...] = ()  # checks that could not tell, of one thing at least


_FIELDS = frozenset(Standing.__dataclass_fields__) - {"key"}
_WORDS = ("what", "cause", "next_step", "value", "unit", "at_least")


def step(
    known: Standing | None, found: Finding | None, now: float, *, settles: float, remind: float
) -> tuple[Standing | None, Change | None]:
    """What stands from now on, and what of it is to be told.

    Args:
        known: What stood until now; None: all was well.
        found: What a check finds now; None: nothing.
        now: The time.
        settles: Seconds that something must have been well until that is told.
        remind: Seconds after which what still is not well is told again.
    """
    if found is not None and found.held:
        return known and replace(known, well_since=None), None
    if found is not None and found.level != "ok":
        return _bad(known, found, now, remind)
    if known is None:
        return None, None
    well_since = now if known.well_since is None else known.well_since
    if now - well_since < settles:
        return replace(known, well_since=well_since), None
    return None, Change("recovered", known, None)


def _bad(known: Standing | None, found: Finding, now: float, remind: float) -> tuple[Standing, Change | None]:
    if known is None:
        began = Standing(
            key=found.key,
            check=found.check,
            subject=found.subject,
            level=found.level,
            what=found.what,
            since=now if found.since is None else found.since,
            told_at=now,
            integrations=list(found.integrations),
        )
        began = _worded(began, found, now)
        return began, Change("began", began, found)
    kind = _kind(known, found, now, remind)
    after = replace(
        known,
        level=max(known.level, found.level, key=LEVELS.index),
        integrations=sorted({*known.integrations, *found.integrations}),
        well_since=None,
    )
    if kind is None:
        return _kept_fresh(after, found, now), None
    after = replace(_worded(after, found, now), told_at=now)
    return after, Change(kind, after, found)


def _kept_fresh(known: Standing, found: Finding, now: float) -> Standing:
    """The same, with the words of now when those that it has are old and no longer right."""
    old = known.worded_at is None or now - known.worded_at >= WORDED_FOR
    changed = any(getattr(known, name) != getattr(found, name) for name in _WORDS)
    return _worded(known, found, now) if old and changed else known


def _worded(standing: Standing, found: Finding, now: float) -> Standing:
    return replace(standing, worded_at=now, **{name: getattr(found, name) for name in _WORDS})


def _kind(known: Standing, found: Finding, now: float, remind: float) -> Kind | None:
    if LEVELS.index(found.level) > LEVELS.index(known.level):
        return "worse"
    if found.anew_at is not None and found.anew_at > known.told_at and now - known.told_at >= AGAIN:
        return "again"
    return "still" if now - known.told_at >= remind else None


class Standings:
    """The items. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, state: Table) -> None:
        self._state = state

    def all(self) -> Mapping[str, Standing]:
        """All that is not well, by key."""
        return {standing.key: standing for standing in self.each()}

    def each(self) -> Iterator[Standing]:
        """The same one after the other; no more is read than is asked for."""
        return map(Standing.of, self._state.parts(STANDING))

    def last_run(self) -> Run:
        """The watchdog's last run."""
        item = self._state.get(*RUN) or {}
        checks = [each for each in item.values() if isinstance(each, dict)]
        left_out = sum(len(each["left"]) for each in checks)
        return Run(item.get("at"), left_out, tuple(item.get("failed", ())))

    def write(self, key: str, standing: Standing | None) -> None:
        """What stands from now on."""
        if standing is None:
            self._state.delete(STANDING, key)
            return
        values = asdict(standing)
        del values["key"]
        self._state.put({"id": STANDING, "part": key, **values})

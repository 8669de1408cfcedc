"""How things stand, and what of it is told: state changes, and nothing but state changes.

One item of the state for each thing that is not well, and none while all is well: ``watch#all``, and the
finding's key. What is told is told first and written down after: once, and after a crash at worst twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from causeway.watching.finding import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.table import Item, Table
    from causeway.watching.finding import Finding, Level

STANDING = "watch#all"
"""The hash key of all that is not well; the range key is the finding's."""

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


_FIELDS = frozenset(Standing.__dataclass_fields__) - {"key"}


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
        return began, Change("began", began, found)
    kind = _kind(known, found, now, remind)
    after = replace(
        known,
        level=max(known.level, found.level, key=LEVELS.index),
        integrations=sorted({*known.integrations, *found.integrations}),
        well_since=None,
    )
    if kind is None:
        return after, None
    after = replace(after, what=found.what, told_at=now)
    return after, Change(kind, after, found)


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
        return {item["part"]: Standing.of(item) for item in self._state.parts(STANDING)}

    def write(self, key: str, standing: Standing | None) -> None:
        """What stands from now on."""
        if standing is None:
            self._state.delete(STANDING, key)
            return
        values = asdict(standing)
        del values["key"]
        self._state.put({"id": STANDING, "part": key, **values})

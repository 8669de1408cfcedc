"""Tokens as instances share them: one item of the state for each grant, its tokens sealed.

Who refreshes holds a lease, which ends by itself. What was granted is stored on one condition only: that
nothing was stored that the server granted later. So an instance whose lease has passed while the server was
slow still saves what it got, and of two that refreshed at once the later grant stays, which is the one that a
server that rotates refresh tokens still takes.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.table import ConditionFailed
from causeway.settings.sealing import CannotOpen

if TYPE_CHECKING:
    from causeway.aws.table import Item, Table
    from causeway.calls.oauth import Token
    from causeway.plan.records import JSON, Auth
    from causeway.settings.clock import Clock
    from causeway.settings.sealing import Sealer

_FORGET_AFTER = 86_400.0
"""Seconds after its end for which a token without a refresh token is kept."""

_LONGEST = 366 * 86_400.0

_ENDS = ("refresh_until", "refresh_lasts")
"""Of a grant, what is told of it outside the seal, for the watchdog."""

_SAME_END = 60.0
"""Seconds by which an end may move that is told in whole seconds, and be the same."""

_CLAIMABLE = (
    "(attribute_not_exists(#lease) OR #lease < :now) AND (attribute_not_exists(#version) OR #version = :seen)"
)
_LATEST = "attribute_not_exists(#granted_at) OR #granted_at < :granted_at OR #version = :seen"

_OF_THE_CLIENT = ("type", "grant", "token_url", "client_id", "refresh_token", "issuer", "subject", "key")
"""What makes a grant the same, whatever else is asked with: a refresh token outlives a change of scope."""


class GrantKey(NamedTuple):
    """Whose grant it is."""

    system: str
    part: str

    @classmethod
    def of(cls, system: str, auth: Auth) -> GrantKey:
        """The key of the grant that an ``auth`` of a system uses."""
        return cls(system, _hash({name: auth[name] for name in _OF_THE_CLIENT if name in auth}))  # type: ignore[literal-required]

    @property
    def id(self) -> str:
        """The item's hash key."""
        return f"token#{self.system}"

    def __str__(self) -> str:
        return f"{self.id}/{self.part}"


@dataclass(frozen=True)
class Grant:
    """What a server granted last. Its ``repr`` tells no token."""

    access: str = field(repr=False)
    good_until: float  # epoch seconds
    asked: str  # with what: another scope or audience is another token
    granted_at: float
    refresh: str | None = field(default=None, repr=False)
    began_with: str = field(
        default="", repr=False
    )  # hash of the operator's refresh token that this descends from
    began_at: float = 0.0  # since when that was the operator's
    refresh_until: float | None = None  # when the refresh token ends, where the server says so
    refresh_lasts: float = 0.0  # seconds from when that end was first told until then


class Stored(NamedTuple):
    """An item, or that there is none."""

    grant: Grant | None = None
    version: int = 0
    refused_at: float = 0.0  # when the server refused this very refresh token


class Grants:
    """The items. Every method raises ``AwsError`` as AWS does, and what the sealing key's reading raises."""

    def __init__(self, table: Table, sealer: Sealer, clock: Clock) -> None:
        self._table = table
        self._sealer = sealer
        self._clock = clock

    def read(self, key: GrantKey) -> Stored:
        """What is stored. What cannot be opened (the sealing key was lost) counts as nothing."""
        item = self._table.get(key.id, key.part) or {}
        return Stored(self._opened(key, item), item.get("version", 0), item.get("refused_at", 0.0))

    def lease(self, key: GrantKey, seen: Stored, *, seconds: float) -> bool:
        """Take the right to refresh for so long, unless somebody has it, or has refreshed since."""
        self._sealer.make_ready()  # before anything is granted that could not be stored
        now = self._clock.now()
        by = uuid.uuid4().hex
        try:
            self._table.update(
                key.id,
                key.part,
                values={"lease": now + seconds, "leased_by": by},
                condition=_CLAIMABLE,
                given={"now": now, "seen": seen.version},
            )
        except ConditionFailed as failed:
            return (failed.item or {}).get("leased_by") == by  # our own write, whose answer was lost
        return True

    def store(self, key: GrantKey, seen: Stored, grant: Grant) -> bool:
        """Store what was granted, and give the lease back; False: something granted later is there."""
        expiry = {} if grant.refresh else {"expires_at": int(grant.good_until + _FORGET_AFTER)}
        ends = {name: getattr(grant, name) for name in _ENDS if grant.refresh_until is not None}
        gone = {"expires_at", *_ENDS} - expiry.keys() - ends.keys()
        by = uuid.uuid4().hex
        try:
            self._table.update(
                key.id,
                key.part,
                values={
                    "sealed": self._sealer.seal(json.dumps(asdict(grant)), about=str(key)),
                    "version": seen.version + 1,
                    "granted_at": grant.granted_at,
                    "good_until": grant.good_until,
                    "stored_by": by,
                    **expiry,
                    **ends,
                },
                remove=("lease", "leased_by", "refused_at", *sorted(gone)),
                condition=_LATEST,
                given={"seen": seen.version},
            )
        except ConditionFailed as failed:
            return (failed.item or {}).get("stored_by") == by
        return True

    def give_up(self, key: GrantKey, seen: Stored, *, refused: bool) -> None:
        """Give the lease back without a grant; ``refused``: the server does not take this one any more."""
        values: dict[str, JSON] = {"lease": 0}
        if refused:
            values["refused_at"] = self._clock.now()
        try:
            self._table.update(
                key.id,
                key.part,
                values=values,
                condition="attribute_not_exists(#version) OR #version = :seen",
                given={"seen": seen.version},
            )
        except ConditionFailed:
            return  # somebody has stored one since

    def _opened(self, key: GrantKey, item: Item) -> Grant | None:
        if "sealed" not in item:
            return None
        try:
            return Grant(**json.loads(self._sealer.open(item["sealed"], about=str(key))))
        except CannotOpen:
            return None


def asked_with(auth: Auth) -> str:
    """A hash of all that a token is asked with."""
    return _hash(auth)


def idle_after(grant: Grant | None, most: float) -> float:
    """Seconds after which a refresh token counts as unused: half of its life, where that is less."""
    return min(most, grant.refresh_lasts / 2) if grant and grant.refresh_lasts else most


def refresh_end(
    before: Grant | None, *, used: str | None, token: Token, now: float
) -> tuple[float | None, float]:
    """When a refresh token ends, and how long it lasts in all.

    Some servers prolong it whenever it is used, with others the end stays. A server that says nothing of a
    token whose end it has told has not changed it.

    Args:
        before: what was granted before.
        used: the refresh token with which it was asked; None: the grant needs none.
        token: what is granted now.
        now: epoch seconds.
    """
    known = before is not None and before.refresh == used and before.refresh_until is not None
    ends = token.refresh_until
    if ends is None:
        kept = known and token.refresh in (None, used)
        return (before.refresh_until, before.refresh_lasts) if before and kept else (None, 0.0)
    if before and known and abs(ends - (before.refresh_until or 0.0)) < _SAME_END:
        return ends, before.refresh_lasts
    return ends, ends - now


def fingerprint(token: str) -> str:
    """A hash by which a refresh token is known again."""
    return hashlib.sha256(token.encode()).hexdigest()


def bounded(good_until: float, now: float) -> float:
    """The end of a token's life, within reason: servers write what they like."""
    return min(good_until, now + _LONGEST)


def _hash(value: JSON) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

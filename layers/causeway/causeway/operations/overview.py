"""How each integration is: its state, its last event, what waits, is dead, was delivered of late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from causeway.delivery.journal import SHARDS
from causeway.delivery.listing import listed
from causeway.delivery.pauses import RELEASES
from causeway.delivery.resuming import DONE
from causeway.operations.deliveries import delivered_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.aws.table import Table
    from causeway.delivery.pauses import Pause, Pauses
    from causeway.settings.clock import Clock

_HOUR = 3600.0
_LOOKS_BACK = 24
_AT_ONCE = 8


class Integration(NamedTuple):
    """One integration as it is now."""

    name: str
    state: str  # active, paused or resuming
    pause: Pause
    last_event: float | None  # accepted; None: none within a day, and none open
    oldest: float | None  # of what waits
    waiting: int
    dead: int
    delivered: int  # accepted in this clock hour or the one before


class _Open(NamedTuple):
    so_many: int
    oldest: float | None
    newest: float | None


class Overview:
    """What the journal and the state say of integrations. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, *, journal: Table, state: Table, pauses: Pauses, clock: Clock) -> None:
        self._journal = journal
        self._state = state
        self._pauses = pauses
        self._clock = clock

    def integrations(self, names: Sequence[str]) -> list[Integration]:
        """Each of them."""
        resuming = {each["part"] for each in self._state.parts(RELEASES) if each["pass"] != DONE}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda name: self._one(name, name in resuming), names))

    def _one(self, name: str, resuming: bool) -> Integration:  # noqa: FBT001 - one of two states
        pause = self._pauses.now(name)
        waiting, dead = self._open(name, "waiting"), self._open(name, "dead")
        hour = self._clock.now() // _HOUR * _HOUR
        recent = [*delivered_in(self._journal, name, hour), *delivered_in(self._journal, name, hour - _HOUR)]
        times = [accepted_at for _, accepted_at in recent]
        times += [each.newest for each in (waiting, dead) if each.newest is not None]
        for back in range(2, _LOOKS_BACK):
            if times:
                break
            times = [accepted_at for _, accepted_at in delivered_in(self._journal, name, hour - back * _HOUR)]
        return Integration(
            name,
            "paused" if pause.paused else "resuming" if resuming else "active",
            pause,
            last_event=max(times, default=None),
            oldest=waiting.oldest,
            waiting=waiting.so_many,
            dead=dead.so_many,
            delivered=len(recent),
        )

    def _open(self, name: str, status: str) -> _Open:
        times = [
            item["accepted_at"]
            for shard in SHARDS
            for item in listed(self._journal, name, shard, status, page=1000)
        ]
        return _Open(len(times), min(times, default=None), max(times, default=None))

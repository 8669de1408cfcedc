"""How many calls to a system are under way at once, over all instances: leased per invocation.

One item per system, ``limit#<system>`` with the part ``concurrency``, says which invocation has how many
and until when: an invocation that was cut off keeps nothing for longer than it could have lived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.table import ConditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.aws.table import Item, Table
    from causeway.settings.clock import Clock

    Leases = dict[str, list[float]]
    """By invocation: how many, and until when."""

PART = "concurrency"

_TRIES = 30
_REMEMBERED = 86400.0


class Concurrency:
    """The leases in the state. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def lease(self, system: str, limit: int, wanted: int, *, holder: str, until: float) -> int:
        """Lease the right to so many calls at once; return how many were free, at most ``wanted``.

        Args:
            system: To which.
            limit: So many may be under way in all.
            wanted: So many would be of use.
            holder: Who asks: an invocation.
            until: When the lease ends by itself.
        """

        def take(leases: Leases) -> int:
            got = max(0, min(wanted, limit - int(sum(count for count, _ in leases.values()))))
            if got:
                leases[holder] = [got, until]
            return got

        return self._change(system, take)

    def give_back(self, system: str, *, holder: str) -> None:
        """Give back what an invocation had."""
        self._change(system, lambda leases: 1 if leases.pop(holder, None) else 0)

    def _change(self, system: str, change: Callable[[Leases], int]) -> int:
        """Carry out a change of the leases that are alive; 0 is none."""
        found: Item = self._table.get(f"limit#{system}", PART) or {}
        for _ in range(_TRIES):
            now = self._clock.now()
            leases = {who: lease for who, lease in found.get("leases", {}).items() if lease[1] > now}
            changed = change(leases)
            if not changed:
                return 0
            version = found.get("version", 0)
            try:
                self._table.update(
                    f"limit#{system}",
                    PART,
                    values={
                        "leases": leases,
                        "version": version + 1,
                        "expires_at": int(now + _REMEMBERED),
                    },
                    condition="attribute_not_exists(#version) OR #version = :seen",
                    given={"seen": version},
                )
            except ConditionFailed as failed:
                found = failed.item or self._table.get(f"limit#{system}", PART) or {}
            else:
                return changed
        return 0

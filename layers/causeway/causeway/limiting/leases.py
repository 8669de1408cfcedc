"""How many calls to a system are under way at once, over all instances: leased per invocation.

One item per system, ``limit#<system>`` with the part ``concurrency``, says which invocation has how many
and until when: an invocation that was cut off keeps nothing for longer than it could have lived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
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
        """Lease the right to so many calls at once, or to more than before.

        Args:
            system: To which.
            limit: So many may be under way in all.
            wanted: So many would be of use to this holder.
            holder: Who asks: an invocation.
            until: When the lease ends by itself.

        Returns:
            How many the holder has now, at most ``wanted``.
        """

        def take(leases: Leases) -> bool:
            others = sum(int(count) for who, (count, _) in leases.items() if who != holder)
            has = int(leases.get(holder, (0, 0))[0])
            may = max(has, min(wanted, limit - others))
            if may > has:
                leases[holder] = [may, until]
            return may > has

        leases = self._change(system, take)
        return int(leases.get(holder, (0, 0))[0])

    def give_back(self, system: str, *, holder: str) -> None:
        """Give back what an invocation had."""
        self._change(system, lambda leases: leases.pop(holder, None) is not None)

    def _change(self, system: str, change: Callable[[Leases], bool]) -> Leases:
        """Carry out a change of the leases that are alive, if there is one; return them."""
        found: Item = self._table.get(f"limit#{system}", PART) or {}
        for _ in range(_TRIES):
            now = self._clock.now()
            leases = {who: lease for who, lease in found.get("leases", {}).items() if lease[1] > now}
            if not change(leases):
                return leases
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
                return leases
        raise AwsError("Contended", f"the leases of {system} are written by too many at once", 409)

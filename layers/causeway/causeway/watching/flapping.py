"""What comes and goes: each time that something is well again and then is not, the next end is told later.

So what flaps is soon one message that it began, and one when it is over, however fast it does. One item for
each end of the last hours, ``watch#past`` and the finding's key; there is none of what did not end of late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.aws.table import Table

PAST = "watch#past"
"""The hash key of what was well again; the range key is the finding's."""

REMEMBERED_FOR = 6 * 3600.0
"""Seconds for which an end counts."""

LONGEST = 3600.0
"""Seconds that something must have been well at the most until that is told."""

_FIRST = 60.0


class Flapping:
    """The items. Every method raises ``AwsError`` as AWS does."""

    def __init__(self, state: Table) -> None:
        self._state = state
        self._times: dict[str, int] = {}

    def settles(self, now: float) -> Callable[[str, float], float]:
        """How long a finding must have been well until that is told: by its key, and at the least."""
        past = [item for item in self._state.parts(PAST) if now - item["at"] < REMEMBERED_FOR]
        self._times = times = {item["part"]: int(item["times"]) for item in past}

        def seconds(key: str, least: float) -> float:
            if key not in times:
                return least
            return float(min(max(least, _FIRST) * 2.0 ** times[key], LONGEST))

        return seconds

    def recovered(self, key: str, now: float) -> None:
        """It has been told that something is well again."""
        times = min(self._times.get(key, 0) + 1, 10)
        expires_at = int(now + REMEMBERED_FOR)
        self._state.put({"id": PAST, "part": key, "times": times, "at": now, "expires_at": expires_at})

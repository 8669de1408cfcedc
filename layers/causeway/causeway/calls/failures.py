"""Tokens that could not be had just now: for a while whoever wants one is told so, and no server asked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from causeway.calls.asking import NotAuthorized
from causeway.calls.outcome import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.calls.grants import GrantKey
    from causeway.settings.clock import Clock

REFUSED_FOR = 30.0
"""Seconds for which a refusal for good stands, before it is asked whether an operator has mended it."""

_FAILED_FOR = 1.0
_LONGEST_FAILED = 60.0


class _Failure(NamedTuple):
    until: float
    make: Callable[[], Exception]  # anew for each: one exception would gather the traces of all threads


class Failures:
    """What asking came to, by grant, as this instance knows it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: dict[GrantKey, _Failure] = {}

    def note(self, key: GrantKey, error: Exception) -> None:
        """Learn that there is no token; what is our own fault stands for nobody else."""
        match error:
            case Refused(reason=reason, kind=kind, retry_after=after):
                seconds = min(after, _LONGEST_FAILED) if after else _FAILED_FOR
                make = partial(Refused, reason, kind=kind, retry=True, retry_after=after)
                self._failed[key] = _Failure(self._clock.now() + seconds, make)
            case NotAuthorized():
                until = self._clock.now() + REFUSED_FOR
                self._failed[key] = _Failure(until, partial(NotAuthorized, str(error)))

    def forget(self, key: GrantKey) -> None:
        """There is a token."""
        self._failed.pop(key, None)

    def of(self, key: GrantKey) -> Exception | None:
        """What to raise instead of asking; None: ask."""
        failure = self._failed.get(key)
        return failure.make() if failure and self._clock.now() < failure.until else None

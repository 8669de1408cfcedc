"""When the next attempt is: pure functions of what the manifest says and of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Errors, Retry

JITTER = 0.1
"""The largest share of a wait that is added to it: what failed together does not come back together."""


class NoMoreAttempts(Exception):  # noqa: N818 - it is an answer, not an error
    """Attempts or time are up; says which."""


def base_wait(retry: Retry, attempt: int) -> float:
    """Seconds between this attempt and the next: ``first``, growing by ``factor``, at most ``max``."""
    longest = retry["max"]
    wait = min(retry["first"], longest)
    if retry["factor"] <= 1:
        return wait
    for _ in range(attempt - 1):  # not a power: unlimited attempts would overflow it
        if wait >= longest:
            break
        wait = min(wait * retry["factor"], longest)
    return wait


def next_attempt(
    errors: Errors, *, attempt: int, since: float, now: float, jitter: float, retry_after: float | None = None
) -> float:
    """When to try again after a refusal that is worth it.

    The last attempt is at the deadline, however the schedule falls, so that the time that the manifest gives
    is used. A ``Retry-After`` is a floor: of one beyond the deadline there is nothing to hope for.

    Args:
        errors: What the manifest says.
        attempt: The number of the attempt that was refused, from 1.
        since: When this chain of attempts began.
        now: The time of the refusal.
        jitter: A random number from 0 to 1.
        retry_after: Seconds for which the target asked.

    Raises:
        NoMoreAttempts: attempts or time are up.
    """
    if errors["attempts"] is not None and attempt >= errors["attempts"]:
        raise NoMoreAttempts(f"after attempt {attempt} of {errors['attempts']}")
    deadline = since + errors["give_up_after"]
    if now >= deadline:
        raise NoMoreAttempts(f"after attempt {attempt}, time is up ({errors['give_up_after']:g} s)")
    floor = now + (retry_after or 0)
    if floor > deadline:
        raise NoMoreAttempts(
            f"the target asked to wait {retry_after:g} s, beyond the {errors['give_up_after']:g} s given"
        )
    due = now + base_wait(errors["retry"], attempt) * (1 + JITTER * jitter)
    return min(max(due, floor), deadline)


def waits(errors: Errors, limit: int = 100) -> list[float]:
    """The schedule as people read it: the waits between attempts, without jitter, until it gives up.

    Args:
        errors: What the manifest says.
        limit: So many waits at most.
    """
    found: list[float] = []
    elapsed = 0.0
    while len(found) < limit:
        try:
            due = next_attempt(errors, attempt=len(found) + 1, since=0, now=elapsed, jitter=0)
        except NoMoreAttempts:
            break
        found.append(due - elapsed)
        elapsed = due
    return found

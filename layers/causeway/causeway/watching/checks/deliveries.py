"""Checks of one integration: are its deliveries late, dead, about to be forgotten, paused?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from causeway.bus.announcements import PAUSED
from causeway.delivery.parking import BY_TARGET
from causeway.settings.clock import rfc3339
from causeway.watching.finding import Finding
from causeway.watching.spans import count, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causeway.aws.table import Item
    from causeway.delivery.pauses import Pause
    from causeway.watching.facts import Facts

FAR_TOO_LATE = 4.0
"""So many times ``deliver_within`` is no warning any more."""

WARNED_BEFORE = 7 * 86400.0
"""Seconds before its end in which the owner is warned that a dead letter is going to be deleted."""

_CAUSES = {
    "connection": "the target cannot be reached",
    "timeout": "the target is too slow to answer in time",
    "dns": "the target's name cannot be resolved",
    "tls": "no safe connection to the target: its certificate, or ours",
    "address": "the target's address is none that may be called",
    "http": "the target refuses",
    "mapping": "the map does not fit the event",
    "limit": "we hold deliveries back: the system wants no more calls, or its rate limit allows none",
    "circuit": "the system fails, and its circuit is open",
    "order": "deliveries wait behind an earlier one of their order key",
    "crashed": "the function was cut off while it carried them out",
    "removed": "the plan does not know the integration any more",
    "time": "the time to deliver them was up",
    "fault": "something of ours: a missing secret, a throttled table",
}
"""The probable cause, by the class of a delivery's last failure."""

_STEPS = {
    "mapping": "correct the map, deploy, then `causeway replay`",
    "limit": "wait; if the system throttles us, see its quota; raise `rate_limit` if its owner allows more",
    "circuit": "see the system's status page; deliveries go on by themselves when it answers again",
    "http": "look at the target's answer: `causeway deliveries show ID`",
    "removed": "deploy the integration again, or delete what is left of it",
    "fault": "look for the reason in the processor's log: `causeway tail`",
}
_STEP = "see whether the target is up; deliveries go on by themselves when it is"


def overdue(facts: Facts, now: float) -> Iterator[Finding]:
    """The oldest delivery that waits is older than ``deliver_within``; the time of a pause does not count."""
    within = facts.integration["frequency"]["deliver_within"]
    pause = facts.pause
    waiting = [(_due(item, within, pause, now), item) for item in facts.waiting.items]
    late = [(due, item) for due, item in waiting if now > due or pause.paused]
    if not late:
        return
    since = min(due for due, _ in late)
    cause, next_step = _why([item for _, item in late])
    yield Finding(
        check="overdue",
        subject=facts.name,
        level="critical" if now - since > (FAR_TOO_LATE - 1) * within else "warning",
        what=f"deliveries are late: not done within {span(within)}",
        cause=cause,
        next_step=next_step,
        since=since,
        value=len(late),
        unit="delivery",
        at_least=facts.waiting.more,
        integrations=(facts.name,),
        held=pause.paused,
    )


def _due(item: Item, within: float, pause: Pause, now: float) -> float:
    accepted_at: float = item["accepted_at"]
    return accepted_at + within + pause.stopped(accepted_at, now)


def dead(facts: Facts, now: float) -> Iterator[Finding]:  # noqa: ARG001 - all that is dead counts
    """There are dead letters. New ones are told again, at most once an hour."""
    letters = facts.dead.items
    if not letters:
        return
    cause, _ = _why(letters)
    yield Finding(
        check="dead",
        subject=facts.name,
        level="critical",
        what=f"{count(len(letters), 'delivery', at_least=facts.dead.more)} given up",
        cause=cause,
        next_step=(
            f"remove the cause, then `causeway replay --integration {facts.name}`; "
            "nothing is lost, the events are kept"
        ),
        since=min(item["updated_at"] for item in letters),
        value=len(letters),
        unit="delivery",
        at_least=facts.dead.more,
        integrations=(facts.name,),
        anew_at=max(item["updated_at"] for item in letters),
    )


def forgotten(facts: Facts, now: float) -> Iterator[Finding]:
    """Dead letters are about to be deleted, for they have been kept as long as the stack keeps them."""
    keeps = facts.world.means.settings.keep_dead
    before = min(WARNED_BEFORE, keeps / 4)
    ending = [item for item in facts.dead.items if item.get("expires_at", now + keeps) - now <= before]
    if not ending:
        return
    first = min(item["expires_at"] for item in ending)
    letters = count(len(ending), "dead letter", at_least=facts.dead.more)
    yield Finding(
        check="forgotten",
        subject=facts.name,
        level="warning",
        what=f"{letters} will be deleted from {rfc3339(first)} on",
        cause=f"nobody has replayed them, and the stack keeps dead letters for {span(keeps)}",
        next_step=f"`causeway replay --integration {facts.name}` now: after that they cannot be replayed",
        since=first - before,
        value=len(ending),
        unit="dead letter",
        at_least=facts.dead.more,
        integrations=(facts.name,),
    )


def paused(facts: Facts, now: float) -> Iterator[Finding]:  # noqa: ARG001 - it is, or is not
    """The integration is paused, by somebody, or because its target wants no more deliveries."""
    pause = facts.pause
    if not pause.paused:
        return
    by_target = pause.by == BY_TARGET
    yield Finding(
        check="paused",
        subject=facts.name,
        level="critical" if by_target else "warning",
        what="paused: its target wants no more deliveries" if by_target else f"paused by {pause.by}",
        cause=pause.reason,
        next_step=f"deliveries wait and lose no time; `causeway resume {facts.name}` when they may go on",
        since=pause.since,
        value=len(facts.waiting.items),
        unit="delivery",
        at_least=facts.waiting.more,
        integrations=(facts.name,),
        event=None if by_target else PAUSED,  # the delivery that heard it has said so
        detail={"by": pause.by, "reason": pause.reason},
    )


def _why(items: Sequence[Item]) -> tuple[str, str]:
    """The probable cause of what most of them have in common, and what to do."""
    ((error, number),) = Counter(item.get("error", "") for item in items).most_common(1)
    if not error:
        return "they have not been tried again yet", _STEP
    reason = next(item.get("reason", "") for item in items if item.get("error") == error)
    of = "" if number == len(items) else f" ({number} of {len(items)})"
    return f"{_CAUSES.get(error, error)}{of}: {reason[:200]}", _STEPS.get(error, _STEP)

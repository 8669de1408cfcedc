"""Deliveries whose system is not to be called now: they wait, which is no attempt.

What is to be called again within fifteen minutes leaves as a message that comes back two seconds before its
slot. Everything else waits in the journal (:mod:`causeway.delivery.waiting`). What steps have answered by
then is kept, also of those that only read: nothing was called since that could have changed it, and who may
call once a minute would otherwise read once a minute.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.delivery.journal import GRACE
from causeway.delivery.received import Fate
from causeway.delivery.waiting import Waiting
from causeway.limiting.turns import PATIENCE, Turn, Wanted
from causeway.queueing.queue import LONGEST_DELAY
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from causeway.delivery.attempt import Attempt
    from causeway.delivery.targets import Place
    from causeway.delivery.work import Tools
    from causeway.limiting.admission import Call
    from causeway.limiting.turns import Held
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.queueing.messages import Message


def wanted(plan: Plan, messages: Iterable[Message]) -> dict[str, Wanted]:
    """What these deliveries may want of systems: a slot for each call that has none, a place for each."""
    slots: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for message in messages:
        integration = plan.integrations.get(message["integration"])
        if integration is not None:
            parts = [*integration["steps"], integration["target"]]
            calls = Counter(part["call"]["system"] for part in parts if "call" in part)
            slots.update(calls)
            slots.subtract(message.get("slots", {}).keys() & calls.keys())
            places.update(calls.keys())
    return {system: Wanted(slots[system], places[system]) for system in places}


def calling(attempt: Attempt, place: Place) -> AbstractContextManager[Call | None]:
    """A call of the delivery, to be begun when it may. What is no system, such as a bus, has no limits."""
    if "system" not in place.words:
        return nullcontext()
    system = place.words["system"]
    slot = attempt.slots.pop(system, None)
    if slot is not None:
        attempt.its_turn.add(system)
    turn = Turn(slot, let_go=system in attempt.its_turn, deferrals=attempt.deferrals)
    return attempt.invocation.admissions.calling(system, turn)


def hold(attempt: Attempt, held: Held, following: Message, reason: str) -> Fate:
    """Let the delivery, whose event is kept, wait for its system.

    Args:
        attempt: Whose.
        held: Until when.
        following: The message with which it goes on.
        reason: Why, for people.
    """
    tools = attempt.tools
    if held.kind == "limit":
        tools.metrics.add("RateLimitDeferred")
    until = "it is let go" if held.at is None else rfc3339(held.at)
    tools.logger.info("waits for its system", **attempt.about, reason=reason, until=until)
    if held.at is None:
        return _in_journal(attempt, held, reason)
    return _on_queue(attempt, held, held.at, following, reason)


def follow(tools: Tools, done: Mapping[str, int]) -> None:
    """Let deliveries that wait in the journal follow calls that have ended.

    Args:
        tools: With which.
        done: How many calls have ended, by system.
    """
    waiting = Waiting(tools.journal, tools.queue, tools.clock)
    try:
        waiting.follow(tools.limits.healths, tools.plan.systems, done)
    except (AwsError, NotQueued) as error:  # the scheduler lets them go
        tools.logger.warning("what waits could not be let go", reason=str(error))


def _in_journal(attempt: Attempt, held: Held, reason: str) -> Fate:
    """It waits until it is let go; what keeps an order with its order key."""
    tools, claim = attempt.tools, attempt.claimed
    # First that it is looked for, then what is to be found.
    tools.limits.healths.wait(held.system, full=held.full)
    if attempt.ordered:
        tools.journal.waiting(claim, ticket=claim.ticket, due_at=None, reason=reason, error=held.kind)
        return Fate(f"held by {held.kind}", LONGEST_DELAY, held.system)
    tools.journal.hold(claim, system=held.system, reason=reason, error=held.kind)
    return Fate(f"held by {held.kind}")


def _on_queue(attempt: Attempt, held: Held, at: float, following: Message, reason: str) -> Fate:
    """It comes back by itself; what keeps an order with the message that it has."""
    tools, claim = attempt.tools, attempt.claimed
    # For a slot the delivery is there early; for anything else there is nothing to be early for.
    delay = at - tools.clock.now()
    delay = max(0, math.floor(delay - PATIENCE) if held.slot else math.ceil(delay))
    brings: dict[str, JSON]
    brings = {"slots": {held.system: at}} if held.slot else {"deferrals": attempt.deferrals + 1}
    fate = Fate(f"held by {held.kind}", delay if attempt.ordered else None)
    if attempt.ordered:
        due_at, along = None, brings
    else:
        tools.queue.send([{**following, **brings}], delay=delay)  # type: ignore[typeddict-item]
        due_at, along = at + GRACE, {}
    tools.journal.waiting(claim, ticket=claim.ticket, due_at=due_at, reason=reason, error=held.kind, **along)
    return fate

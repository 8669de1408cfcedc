"""Deliveries whose system is not to be called now: they wait, which is no attempt.

What is to be called again within fifteen minutes leaves as a message that comes back two seconds before its
slot. Everything else waits in the journal, where the index of what is due has sixteen shards for each
system with what waits for it, in order of acceptance (of a replay: since its beginning), until the
scheduler lets it go (:mod:`causeway.delivery.freeing`).
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING

from causeway.delivery.journal import GRACE
from causeway.delivery.work import Fate
from causeway.limiting.admission import PATIENCE
from causeway.queueing.queue import LONGEST_DELAY
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from causeway.delivery.attempt import Attempt
    from causeway.delivery.targets import Place
    from causeway.limiting.admission import Held, Told
    from causeway.plan.plan import Plan
    from causeway.queueing.messages import Message


def expected(plan: Plan, messages: Iterable[Message]) -> Counter[str]:
    """For how many calls these deliveries may want a slot that they do not have, by system."""
    found: Counter[str] = Counter()
    for message in messages:
        integration = plan.integrations.get(message["integration"])
        if integration is not None:
            places = [*integration["steps"], integration["target"]]
            found.update(place["call"]["system"] for place in places if "call" in place)
            found.subtract(message.get("slots", {}).keys())
    return found


def admitted(attempt: Attempt, place: Place) -> AbstractContextManager[Told | None]:
    """Wait until a call may begin. What is no system, such as a bus, has no limits.

    Raises:
        Held: it may not begin soon.
    """
    if "system" not in place.words:
        return nullcontext()
    message = attempt.message
    return attempt.invocation.admissions.admitted(
        place.words["system"],
        slot=attempt.slots.pop(place.words["system"], None),
        deferrals=message.get("deferrals", 0),
    )


def hold(attempt: Attempt, held: Held, following: Message, reason: str) -> Fate:
    """Let the delivery, whose event is kept, wait for its system.

    Args:
        attempt: Whose.
        held: Until when.
        following: The message with which it goes on.
        reason: Why, for people.
    """
    tools, claim = attempt.tools, attempt.claimed
    now = tools.clock.now()
    if held.kind == "limit":
        tools.metrics.add("RateLimitDeferred")
    # Of a slot the delivery is there early; of anything else there is nothing to be early for.
    delay = 0 if held.at is None else held.at - now
    delay = math.floor(delay - PATIENCE) if held.slot else math.ceil(delay)
    if held.at is None or delay > LONGEST_DELAY:
        # First that the scheduler looks, then what it is to find.
        tools.limits.healths.wait(held.system, full=held.full)
        tools.journal.hold(claim, system=held.system, reason=reason, error=held.kind)
        until = "the scheduler lets it go"
    else:
        if held.slot:
            following["slots"] = {held.system: held.at}
        else:
            following["deferrals"] = attempt.message.get("deferrals", 0) + 1
        tools.queue.send([following], delay=max(0, delay))
        tools.journal.waiting(
            claim, ticket=claim.ticket, due_at=held.at + GRACE, reason=reason, error=held.kind
        )
        until = rfc3339(held.at)
    tools.logger.info("waits for its system", **attempt.about, reason=reason, until=until)
    return Fate(f"held by {held.kind}")

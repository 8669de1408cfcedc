"""Deliveries that keep an order: those of one integration and one order key, strictly one after the other.

They come from the FIFO queue, where each key is a group. SQS hands out a group's messages in the order in
which they were sent, and none while one of them is in flight. So whoever has a message of a group has the
group: nothing below competes, and all that can happen between two steps is that the process ends.

Three places say how things stand, and each only what it alone can say:

* the delivery's item in the journal: its ticket, and before when it is not to be tried again;
* the queue: what is next, and that nobody else works on it;
* the key's item (:mod:`~causeway.delivery.order_keys`), if there is one: that the key is *parked*, until when
  or until which system takes calls again.

::

                 delivered, dead: the next one
                         ┌──┐
              message    │  ▼     waits a minute at most: invisible, and its group with it
    (open) ───────────▶ attempt ◀─────┐
       ▲                   │ └────────┘
       │                   │ waits longer
       │ nobody            ▼
       │ waits         (parked) ◀── message: joins those who wait
       │                   │  ▲
       │      due, free,   │  │ waits longer; or its time is up, and another such message goes on
       │      resumed      ▼  │
       └────────────── message to the key: an attempt at each that waits, in order

**Attempts.** A FIFO queue has no delays, and a new message would go behind others. So a delivery has one
message for all its attempts: the item's ticket is raised as for any other delivery, and the message stands
for whatever ticket the item is at, not before the item's time
(:func:`~causeway.delivery.carrying.goes_on`). Being cut off before the item is written costs one attempt
more; after it, the message is there and reads the rest from the item.

**Parking.** First the key's item, then the message at its place, then the deletion of the message. Cut off
after the first, the message comes again, finds the key parked, and joins. From then on each message joins:
first its item says that it waits, then it has its place. A place is named for the message's sequence number,
so joining twice is joining once.

**Going on.** The scheduler finds the key's item when it is due, its system is free, or its integration was
resumed, and sends a message to the key. This goes behind what is on the queue, which joins those who wait;
and what comes later stays behind it. It works for a bounded time: attempts, then the pages that list them,
then the places are given up, so that whatever ends in between is met as done. Then another message to the key
goes on. When nobody waits the key's item is deleted: the group is held, so nobody can have joined meanwhile.
A message to a key that is not parked does nothing, so one too many does no harm; and while the key is parked
the scheduler sends another one each hour, lest there be none.

So a key that fails holds itself alone: nothing of it is in flight while it waits, however much waits.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.delivery.carrying import Carrier, goes_on
from causeway.delivery.going_on import KEY
from causeway.delivery.journal import NotClaimed
from causeway.delivery.pages import Pages
from causeway.delivery.received import ALONE, Fate, about_message
from causeway.queueing.messages import new_acceptance
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.delivery.order_keys import Place
    from causeway.delivery.received import Received
    from causeway.queueing.messages import Message

SHORT = 60.0
"""Seconds that a message waits on the queue; what waits longer is parked."""

RECEIVES = 500
"""So often a message comes from the queue before its key is parked even for a short wait: SQS gives up at
1,000."""

SLICE = 5.0
"""Seconds for which one invocation works off a key: other keys are in its batch."""

_AT_ONCE = 25

_BEHIND = "others of its order key are before it"


class Group:
    """What one invocation has of one group.

    Args:
        carrier: Carries out messages.
        members: The group's messages, in order.
    """

    def __init__(self, carrier: Carrier, members: Sequence[Received]) -> None:
        self._carrier = carrier
        self._tools = carrier.tools
        self._keys = carrier.tools.order_keys
        self._members = members
        self._group = members[0].message["order"]
        self._parked: bool | None = None  # not known yet

    def carry_out(self, *, alone: bool = False) -> dict[str, Fate]:
        """What became of each message, by its record's id: after one that goes back, all go back.

        Args:
            alone: Nothing else runs beside it.
        """
        fates: dict[str, Fate] = {}
        wait: float | None = None
        for each in self._members:
            if wait is None:
                fate = self._guarded(each, alone=alone)
                alone, wait = False, fate.back
            else:
                fate = Fate("behind", wait)
            fates[each.record_id] = fate
            if fate == ALONE:
                break  # the rest is for then
        return fates

    def _guarded(self, received: Received, *, alone: bool) -> Fate:
        try:
            if self._parked is None:
                self._parked = self._keys.is_parked(self._group)
            if received.message["delivery"].startswith(KEY):
                return self._work_off(received, alone=alone)
            if self._parked:
                return self._join(received)
            fate = self._carrier.carry_out(received, alone=alone)
            return self._wait(received, fate, received)
        except (AwsError, NotQueued) as error:
            fault = self._carrier.fault(received, error)
            return fault._replace(back=min(SHORT, fault.back or 0.0))

    def _wait(self, received: Received, fate: Fate, head: Received) -> Fate:
        """Park the key if its head waits for long.

        Args:
            received: The message that came from the queue.
            fate: What became of the head.
            head: Whose turn it is: this message, or one that waited.
        """
        if fate.back is None:
            return fate
        if fate.system is None and fate.back <= SHORT and received.receives < RECEIVES:
            return fate
        until = self._tools.clock.now() + fate.back
        self._keys.park(head, until=until, system=fate.system)
        if head is received:
            self._keys.join(received)
        self._parked = True
        self._tools.logger.info(
            "its order key waits",
            **about_message(head.message),
            until=f"{fate.system} takes calls again" if fate.system else rfc3339(until),
        )
        return Fate("parked")

    def _join(self, received: Received) -> Fate:
        """Let a message wait behind the others of its key."""
        message, tools = received.message, self._tools
        event = message.get("event")
        try:
            tools.journal.line_up(message, event, sent_at=received.sent_at, reason=_BEHIND)
        except NotClaimed as refused:
            if goes_on(received, refused.item, tools.clock.now()) is None:
                return self._carrier.met(received, refused.item)
        tools.beside.keep_for_longer(message)
        self._keys.join(received)
        return Fate("joined")

    def _work_off(self, received: Received, *, alone: bool) -> Fate:
        """Attempt what waits, in order, until somebody has to wait or the time is up."""
        if not self._parked:
            return Fate("stale")
        until = self._tools.clock.now() + SLICE
        places, by = self._keys.waiting(self._group, _AT_ONCE), received
        while batch := list(islice(places, _AT_ONCE)):
            carrier = self._listing(batch[0])
            done, fate, head = self._attempt(carrier, batch, by, until=until, alone=alone)
            if carrier.invocation.pages.write():
                return Fate("unlisted", SHORT)  # comes again, and finds them done
            for place in batch[:done]:
                self._keys.leave(self._group, place)
            if fate.outcome == "no time":
                self._tools.queue.send([_another(received.message)])
                return Fate("goes on")
            if fate.back is not None:
                return self._wait(received, fate, head)
            by, alone = _without_slots(by), False
        self._keys.unpark(self._group)
        self._parked = False
        return Fate("worked off")

    def _attempt(
        self, carrier: Carrier, batch: Sequence[Place], by: Received, *, until: float, alone: bool
    ) -> tuple[int, Fate, Received]:
        """Attempt these in order; how many are done, what became of the last one attempted, and it."""
        fate, head = Fate("no time", 0), by
        for done, place in enumerate(batch):
            if done and self._tools.clock.now() >= until:
                return done, Fate("no time", 0), head
            head = place.received(by)
            fate = carrier.carry_out(head, alone=alone)
            if fate.back is not None:
                return done, fate, head
            by, alone = _without_slots(by), False
        over = self._tools.clock.now() >= until
        return len(batch), Fate("no time", 0) if over else fate, head

    def _listing(self, first: Place) -> Carrier:
        """A carrier whose pages are written before the places are given up."""
        invocation = self._carrier.invocation
        name = f"{invocation.context.aws_request_id}.{self._group[:8]}.{first.part.lstrip('0')}"
        pages = Pages(self._tools.table, invocation=name, started=self._tools.clock.now())
        return Carrier(self._tools, replace(invocation, pages=pages))


def _without_slots(received: Received) -> Received:
    """What was reserved is for whoever is first."""
    message = received.message.copy()
    message.pop("slots", None)
    return received._replace(message=message)


def _another(message: Message) -> Message:
    """Another message to the same key: it goes behind what is on the queue by now."""
    another: Message = {**message, "acceptance": new_acceptance()}
    another.pop("slots", None)
    return another

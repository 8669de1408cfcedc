"""The checks: a table. A check is a small pure function over facts; a new one is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.watching.checks import books, canary, deliveries, silence, strays, systems
from causeway.watching.finding import MINUTE, Check, StackCheck

if TYPE_CHECKING:
    from causeway.watching.finding import AnyCheck

CHECKS: tuple[AnyCheck, ...] = (
    Check("overdue", deliveries.overdue),
    Check("dead", deliveries.dead),
    Check("forgotten", deliveries.forgotten),
    Check("paused", deliveries.paused, settles=0),
    StackCheck("circuit", systems.circuits, settles=MINUTE),
    StackCheck("poll", systems.polls),
    StackCheck("token", systems.tokens),
    StackCheck("certificate", systems.certificates),
    StackCheck("strays", strays.strays),
    StackCheck("silence", silence.silence, settles=0),
    StackCheck("canary", canary.canaries, every=canary.EVERY, settles=0),
    StackCheck("books", books.books, settles=0),
)

"""The checks: a table. A check is a small pure function over facts; a new one is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.watching.checks import books, canary, deliveries, removed, silence, strays, systems, unheard
from causeway.watching.finding import MINUTE, Check, StackCheck

if TYPE_CHECKING:
    from causeway.watching.finding import AnyCheck

CHECKS: tuple[AnyCheck, ...] = (
    Check("overdue", deliveries.overdue),
    Check("dead", deliveries.dead),
    Check("forgotten", deliveries.forgotten),
    Check("paused", deliveries.paused, settles=0),
    StackCheck("circuit", systems.circuits, settles=MINUTE, of="system"),
    StackCheck("poll", systems.polls, of="poll"),
    StackCheck("token", systems.tokens, of="system"),
    StackCheck("certificate", systems.certificates, of="system"),
    StackCheck("removed", removed.removed),
    StackCheck("strays", strays.strays),
    StackCheck("unheard", unheard.unheard, every=unheard.EVERY, settles=0),
    StackCheck("silence", silence.silence, settles=0, of="integration"),
    StackCheck("canary", canary.canaries, every=canary.EVERY, settles=0, of="system"),
    StackCheck("books", books.books, settles=0),
)

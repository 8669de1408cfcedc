"""What a check finds, and what a check is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from causeway.plan.records import JSON
    from causeway.watching.facts import Facts
    from causeway.watching.world import World

Level = Literal["ok", "warning", "critical"]

Subject = Literal["integration", "system", "poll", "stack"]
"""What a check's findings are about: what the map does not have any more is not looked at."""

LEVELS: tuple[Level, ...] = ("ok", "warning", "critical")
"""From good to bad."""

MINUTE = 60.0

EACH_RUN = 0.0
"""As ``every``: whenever the watchdog runs, which is each minute."""


@dataclass(frozen=True)
class Finding:
    """That something is not as it should be, in words for whoever is woken by it.

    What a check does not find any more is well again, so it need not say so; ``ok`` says it all the same.
    """

    check: str
    subject: str  # an integration, a system, `system/poll`, or a resource of the stack
    level: Level
    what: str  # one sentence without a full stop; it becomes the message's subject
    cause: str = ""  # the probable one
    next_step: str = ""  # what to do about it
    since: float | None = None
    value: float | None = None  # how many, or how long in seconds: what is behind the threshold
    unit: str = ""  # of the value, for people: "deliveries", "s"
    at_least: bool = False  # the value is a lower bound
    integrations: tuple[str, ...] = ()  # those it concerns, whose owners are told; none: the operator
    anew_at: float | None = None  # when it last happened once more: that is told again, at most once an hour
    event: str | None = None  # the type of the announcement on the bus when it begins
    detail: Mapping[str, JSON] = field(default_factory=dict)  # what that says besides
    held: bool = False  # nothing new is told of it for now, nor that it is well: its integration is paused

    @property
    def key(self) -> str:
        """By what it is known again."""
        return f"{self.check}#{self.subject}"


class CannotTellError(Exception):
    """A check cannot tell for now, and that is no failure: whatever stands of it goes on standing."""


class Check(NamedTuple):
    """A check of each integration: a pure function over what is known of one.

    ``every`` and ``offset`` are seconds: it is made once in each slot of this length, which begin so long
    after the full hour. Whatever a run has no time for is looked at first in the next one.
    """

    name: str
    look: Callable[[Facts, float], Iterable[Finding]]
    every: float = EACH_RUN
    offset: float = 0.0
    settles: float = 2 * MINUTE  # so long it must have been well until that is told
    of: Subject = "integration"


class StackCheck(NamedTuple):
    """A check of the whole stack: of its systems, polls and queues. The rest is as in :class:`Check`."""

    name: str
    look: Callable[[World, float], Iterable[Finding]]
    every: float = EACH_RUN
    offset: float = 0.0
    settles: float = 2 * MINUTE
    of: Subject = "stack"


AnyCheck = Check | StackCheck

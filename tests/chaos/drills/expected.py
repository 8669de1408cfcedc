"""What a drill is: what it breaks, and who must hear of it by what, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.chaos.drills.stand import Stand


class Told(NamedTuple):
    """A message of the watchdog to the owner."""

    check: str
    says: str  # words that stand in it
    within: float  # seconds since it broke


class Counted(NamedTuple):
    """A metric that must go above a value."""

    name: str
    above: float
    within: float  # seconds since it broke
    namespace: str = "Causeway"


class Rung(NamedTuple):
    """An alarm of the template that tells somebody."""

    name: str
    within: float  # seconds since it broke
    lingers: bool = False  # it ends so long after all is well that nobody waits for it here


@dataclass(frozen=True)
class Drill:
    """One thing that breaks, on an integration of its own that is named as the drill is.

    What is None must not come: a drill that expects no message holds only if its owner gets none.
    """

    name: str
    what: str  # breaks, in words
    broken: Callable[[Stand], None]
    mended: Callable[[Stand], None]
    told: Told | None = None
    counted: Counted | None = None
    rung: Rung | None = None
    also: frozenset[str] = frozenset()  # checks and alarms that may come with it
    source: Mapping[str, Any] | None = None  # keys of the source's manifest; None: it sends webhooks
    target: Mapping[str, Any] | None = None  # more keys of the target's `api`
    integration: Mapping[str, Any] | None = None  # more keys of the integration's manifest
    sends_every: float = 3.0  # seconds

    @property
    def alarms(self) -> frozenset[str]:
        """Those that must ring, and that may."""
        return self.also | ({self.rung.name} if self.rung else frozenset())

    @property
    def owner(self) -> str:
        """Whom its messages are for."""
        return f"{self.name}@example.com"

    @property
    def sender(self) -> str:
        """The system that its events come from."""
        return f"{self.name}-source"

    @property
    def receiver(self) -> str:
        """The system that they are delivered to."""
        return f"{self.name}-target"

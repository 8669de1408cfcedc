"""Where a delivery can go: a table from the kind, which is a key of the plan's record, to a module.

A module is all that Causeway knows of a kind, behind the small contract :class:`Kind`. Processor, attempt,
settling and ``causeway try`` know no kinds. A step that calls is a place of the kind ``call``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from causeway.delivery.targets import bucket, bus, call, queue, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.targets.sending import About, Means, Shown
    from causeway.plan.records import JSON, Step, System, Target


class Kind(Protocol):
    """What a module knows of its kind. ``words`` are the record below the kind's key."""

    def receiver(self, words: Any) -> str:
        """Who gets it, in a word or two: ``ledger``, ``bucket lake``; of a call the system's name."""

    def described(self, words: Any) -> str:
        """The same with what it gets, for a table."""

    def timeout(self, words: Any) -> float:
        """Seconds that sending may take."""

    def show(
        self, words: Any, scope: Mapping[str, JSON], about: About, systems: Mapping[str, System]
    ) -> Shown:
        """What would be sent, with secrets' names in their stead; raises as filling in does."""

    def send(self, words: Any, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:
        """Send it; returns when the receiver has it.

        Raises:
            Refused: the receiver refused, or could not be reached.
            ExpressionError: it cannot be filled in with this event.
        """


KINDS: dict[str, Kind] = {"call": call, "queue": queue, "bus": bus, "bucket": bucket, "reply": reply}
"""By the key of the record."""


class Place(NamedTuple):
    """Where something is sent: a target, or a step that calls."""

    kind: Kind
    words: Any

    @property
    def receiver(self) -> str:
        """Who gets it."""
        return self.kind.receiver(self.words)

    @property
    def timeout(self) -> float:
        """Seconds that sending may take."""
        return self.kind.timeout(self.words)

    @property
    def when(self) -> str | None:
        """The question that is asked first, if there is one."""
        question: str | None = self.words.get("when")
        return question


def place_of(record: Target | Step) -> Place:
    """The place that a target's or a step's record names."""
    kind = next(name for name in KINDS if name in record)
    return Place(KINDS[kind], record[kind])  # type: ignore[literal-required] # one of its keys

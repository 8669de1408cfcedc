"""Claims: the right to one attempt, with the history of those before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from causeway.queueing.tickets import Ticket

HISTORY = 10
"""So many attempts are kept, the last ones."""


class Entry(TypedDict):
    """One attempt in a delivery's history."""

    at: float
    ticket: str
    outcome: Literal["delivered", "filtered", "skipped", "refused", "crashed", "fault", "dead"]
    seconds: NotRequired[float]
    status: NotRequired[int]  # of the answer
    headers: NotRequired[dict[str, str]]  # of an answer that was refused, redacted
    step: NotRequired[str]  # the one that was refused; absent: the target
    reason: NotRequired[str]
    error: NotRequired[str]  # the reason's class
    answer: NotRequired[str]  # its beginning, where the system's manifest keeps it


@dataclass(frozen=True)
class Claim:
    """The right to carry out one attempt until its lease ends, and what the journal knew before."""

    id: str
    token: str
    ticket: Ticket
    integration: str
    accepted_at: float
    since: float  # when this chain of attempts began
    attempts: list[Entry]
    resumes: bool  # there was an item: event and answers may be beside it
    cut_off: bool  # the attempt before ended without a word
    held: bool = False  # it waited for a system, and nothing was called since
    ordered: bool = False  # its order key is looked at, not it
    slots: dict[str, float] = field(default_factory=dict)  # by system: reserved when it waited in order
    deferrals: int = 0

    @property
    def crashes(self) -> int:
        """How often this very attempt was cut off."""
        own = str(self.ticket)
        return sum(entry["outcome"] == "crashed" and entry["ticket"] == own for entry in self.attempts)

    def with_entry(self, entry: Entry) -> Claim:
        """The same with one attempt more in its history; of our own faults in a row the last one stays."""
        before = self.attempts
        if before and before[-1]["outcome"] == entry["outcome"] == "fault":
            before = before[:-1]
        return replace(self, attempts=[*before, entry][-HISTORY:])

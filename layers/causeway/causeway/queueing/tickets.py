"""The ticket: which try of a delivery a message stands for.

Every message carries one and every journal item the one it is at. Tickets of a delivery are ordered, and
their texts compare as they do, so the journal's conditions can compare them. A replay starts a new chain: its
tickets are above all of the chain before.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TEXT = re.compile(r"([0-9]{4})\.([0-9]{6})")


class Ticket(NamedTuple):
    """The number of the replay (0: none), and of the attempt within it (from 1)."""

    replay: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.replay:04d}.{self.attempt:06d}"

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Read a ticket's text.

        Raises:
            ValueError: it is none.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a ticket")
        return cls(int(match[1]), int(match[2]))

    @property
    def chain(self) -> str:
        """A text below every ticket of this replay and above every ticket of those before."""
        return f"{self.replay:04d}."

    def next(self) -> Ticket:
        """The ticket of the attempt after this one."""
        return Ticket(self.replay, self.attempt + 1)

    def replayed(self) -> Ticket:
        """The ticket with which this delivery starts afresh."""
        return Ticket(self.replay + 1, 1)


FIRST = Ticket(0, 1)
"""The ticket of every delivery when it is accepted."""

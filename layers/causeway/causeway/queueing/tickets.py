"""The ticket: which try of a delivery a message stands for.

Every message carries one and every journal item the one it is at. Tickets of a delivery are ordered, and
their texts compare as they do, so the journal's conditions can compare them. A replay starts a new chain: its
tickets are above all of the chain before. A replay may ask for an ``Idempotency-Key`` of its own; which one
did so last is the ticket's third number, so that all that comes after it says the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# A text, which `re` compiles when it is first used: who receives reads no tickets.
_TEXT = r"([0-9]{4})\.([0-9]{6})(?:\.([0-9]{4}))?"


class Ticket(NamedTuple):
    """The number of the replay (0: none), and of the attempt within it (from 1)."""

    replay: int
    attempt: int
    keyed: int = 0  # the last replay that asked for a key of its own; 0: none did

    def __str__(self) -> str:
        keyed = f".{self.keyed:04d}" if self.keyed else ""
        return f"{self.replay:04d}.{self.attempt:06d}{keyed}"

    @classmethod
    def parse(cls, text: str) -> Ticket:
        """Read a ticket's text.

        Raises:
            ValueError: it is none.
        """
        match = re.fullmatch(_TEXT, text)
        if match is None:
            raise ValueError(f"{text!r} is not a ticket")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    @property
    def chain(self) -> str:
        """A text below every ticket of this replay and above every ticket of those before."""
        return f"{self.replay:04d}."

    def next(self) -> Ticket:
        """The ticket of the attempt after this one."""
        return self._replace(attempt=self.attempt + 1)

    def replayed(self, *, new_key: bool = False) -> Ticket:
        """The ticket with which this delivery starts afresh, with the key that it has, or with a new one."""
        replay = self.replay + 1
        return Ticket(replay, 1, replay if new_key else self.keyed)

    def key(self, delivery: str) -> str:
        """The ``Idempotency-Key`` of a delivery: its id, unless a replay asked for another one."""
        return f"{delivery}-{self.keyed}" if self.keyed else delivery


FIRST = Ticket(0, 1)
"""The ticket of every delivery when it is accepted."""

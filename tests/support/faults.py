"""What a target does instead of answering 200, and how often: data, which dice draw from."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from tests.support.target import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 1.0
"""Seconds for which the maps of these tests wait for an answer."""


class Fault(NamedTuple):
    """One thing that a target does instead of answering 200."""

    name: str
    status: int = 0  # 0: no answer
    retry_after: int = 0  # seconds
    delay: float = 0.0
    commits: bool = False  # it has done what it was asked all the same

    @property
    def reply(self) -> Reply:
        """As the target is told."""
        if not self.status:
            drop = None if self.delay else ("unanswered" if self.commits else "unread")
            return Reply(delay=self.delay, drop=drop)  # type: ignore[arg-type] # one of them
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return Reply(self.status, {"refused": self.name}, headers, delay=self.delay)


OK = Fault("200", 200, commits=True)
BUSY = Fault("500", 500)
REFUSED = Fault("400", 400)
GONE = Fault("410", 410)
RESET = Fault("reset")
LATE = Fault("late", delay=1.5 * TIMEOUT)
LOST = Fault("answer lost", commits=True)
LOST_LATE = Fault("answer late", delay=1.5 * TIMEOUT, commits=True)
ENOUGH = Fault("429", 429)


def soon(status: int, seconds: int) -> Fault:
    """An answer that says when to come again."""
    return Fault(f"{status} in {seconds} s", status, retry_after=seconds)


class Weather(NamedTuple):
    """How bad it is at one place: how likely each request meets a fault, and which."""

    share: float
    faults: Sequence[Fault]
    most: int = 3  # so many in a row

    def met(self, seed: str) -> list[Fault]:
        """What comes before 200, by dice of this seed."""
        dice = random.Random(seed)
        found: list[Fault] = []
        while len(found) < self.most and dice.random() < self.share:
            found.append(dice.choice(self.faults))
        return found

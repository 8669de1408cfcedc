"""How a delivery stands that a client asks for again: pure."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.aws.table import Item


class Standing(Enum):
    """What is true of a delivery at this moment."""

    NEW = auto()  # there is none
    RUNNING = auto()  # another request waits for it
    QUEUED = auto()  # it goes on without its client, who was told so
    DONE = auto()
    LEFT = auto()  # withdrawn, or cut off: it goes on if its client wants that


def standing_of(item: Item | None, *, now: float) -> Standing:
    """How a delivery stands.

    A delivery that its client was told of as queued is in the index of what is open, and stays there while it
    runs; one that nobody knows of but its client never was.

    Args:
        item: The journal's.
        now: Epoch seconds.
    """
    if item is None or item.get("expires_at", now) < int(now):
        return Standing.NEW
    if item["status"] in ("delivered", "dead"):
        return Standing.DONE
    if "open_shard" in item:
        return Standing.QUEUED
    if item["status"] == "running" and item["lease"] / 1000 >= now:
        return Standing.RUNNING
    return Standing.LEFT

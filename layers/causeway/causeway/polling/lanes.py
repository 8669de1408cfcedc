"""Sending what a page brought over several connections at once: one of SQS takes ten messages at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.acceptance.acceptor import Store
    from causeway.queueing.messages import Message

LANES = 8

_ENOUGH = 50
"""So many messages are worth a lane."""


class Lanes:
    """A store that sends many messages as fast as several connections can."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def send(self, messages: Sequence[Message]) -> None:
        """Store all messages.

        Raises:
            NotQueued: not all could be stored; some may be.
        """
        each = max(_ENOUGH, -(-len(messages) // LANES))
        parts = [messages[at : at + each] for at in range(0, len(messages), each)]
        if len(parts) == 1:
            self._store.send(messages)
            return
        with ThreadPoolExecutor(len(parts)) as pool:
            futures = [pool.submit(self._store.send, part) for part in parts]
        for future in futures:
            future.result()

"""Sending so that all of it is there: in batches as large as AWS takes, tried again until patience ends."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.errors import AwsError
from causeway.queueing.bodies import bodies
from causeway.settings.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from causeway.queueing.messages import Message
    from causeway.queueing.payloads import Payloads
    from causeway.settings.clock import Clock

    Entry = tuple[dict[str, Any], int]
    """A message as the service wants it, and its size: of its bytes those that count."""

    SendOnce = Callable[[list[dict[str, Any]]], Mapping[int, str]]
    """Sends a batch once; says which places in it may be taken later, and why. ``NotQueued`` is final."""

_PAUSE = 0.1


class NotQueued(Exception):  # noqa: N818 - an outcome with a name of its own, like the provider's Rejected
    """Not all messages are stored; some may be."""


class Bounds(NamedTuple):
    """What a service takes at once."""

    entries: int
    together: int  # bytes of them all
    each: int  # bytes of one


class Sender:
    """Encodes messages and sends them.

    Args:
        payloads: Where events lie that are too large.
        bounds: What the service takes at once.
        claim_check_over: Bytes of body beyond which a message's event goes there.
        patience: Seconds for which sending is tried again: as long as the provider waits for its answer.
        clock: For patience and pauses.
    """

    def __init__(
        self,
        payloads: Payloads,
        bounds: Bounds,
        *,
        claim_check_over: int,
        patience: float,
        clock: Clock | None,
    ) -> None:
        self._payloads = payloads
        self._bounds = bounds
        self._claim_check_over = min(claim_check_over, bounds.each)
        self._patience = patience
        self._clock = clock or SystemClock()

    def patience_ends(self) -> float:
        """When what begins now is given up, in epoch seconds."""
        return self._clock.now() + self._patience

    def encoded(self, messages: Sequence[Message]) -> Iterator[tuple[Message, str]]:
        """Each message with its body.

        Raises:
            NotQueued: a large event could not be stored.
        """
        over, together = self._claim_check_over, self._bounds.together
        try:
            return zip(messages, bodies(messages, self._payloads, over=over, together=together), strict=True)
        except AwsError as error:
            raise NotQueued(f"an event could not be stored: {error}") from error

    def send(self, entries: Sequence[Entry], once: SendOnce, *, until: float) -> None:
        """Send all entries, in this order.

        Args:
            entries: What is sent.
            once: How.
            until: When it is given up, in epoch seconds.

        Raises:
            NotQueued: they were not taken by then, or never will be.
        """
        for batch in batches(entries, self._bounds):
            self._send_all(batch, once, until)

    def _send_all(self, entries: Sequence[Entry], once: SendOnce, until: float) -> None:
        for attempt in itertools.count():
            try:
                left = once([parameters for parameters, _ in entries])
            except AwsError as error:
                if not error.retryable:
                    raise NotQueued(str(error)) from error
                left = dict.fromkeys(range(len(entries)), str(error))
            if not left:
                return
            entries = [entries[place] for place in left]
            pause = _PAUSE * 2**attempt
            if self._clock.now() + pause > until:
                reasons = ", ".join(sorted(set(left.values())))
                raise NotQueued(f"{len(entries)} messages were not taken: {reasons}")
            self._clock.sleep(pause)


def batches(entries: Sequence[Entry], bounds: Bounds) -> Iterator[list[Entry]]:
    """In order, each within the bounds; what exceeds them alone is alone."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == bounds.entries or size + entry[1] > bounds.together):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry[1]
    if batch:
        yield batch

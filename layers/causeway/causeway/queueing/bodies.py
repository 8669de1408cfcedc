"""Messages as they are sent: encoded, and where an event is large, pointing to where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.queueing.messages import encode, pointing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.queueing.messages import Message
    from causeway.queueing.payloads import Payloads


def bodies(messages: Sequence[Message], payloads: Payloads, *, over: int, together: int) -> list[str]:
    """The messages' bodies; large events are stored once, however many messages have them.

    Args:
        messages: What is sent.
        payloads: Where large events go.
        over: Bytes of body beyond which an event is large.
        together: The same, of all messages with the same event.

    Raises:
        AwsError: an event could not be stored.
    """
    encoded = [encode(message) for message in messages]
    size_of_copies: dict[tuple[str, int], int] = {}
    for message, body in zip(messages, encoded, strict=True):
        copy = _identity(message)
        size_of_copies[copy] = size_of_copies.get(copy, 0) + len(body)
    pointers: dict[tuple[str, int], str] = {}
    for place, message in enumerate(messages):
        copy = _identity(message)
        too_large = len(encoded[place]) > over or size_of_copies[copy] > together
        if "event" in message and too_large:
            if copy not in pointers:
                pointers[copy] = payloads.store(
                    message["event"], acceptance=message["acceptance"], accepted_at=message["accepted_at"]
                )
            encoded[place] = encode(pointing(message, pointers[copy]))
    return encoded


def _identity(message: Message) -> tuple[str, int]:
    """What copies of one event have in common: the acceptance, and that they hold the very same object."""
    return message["acceptance"], id(message.get("event"))

"""The message on the queue: one delivery, the JSON object in an SQS message's body."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # TypedDicts, too: every cold start would pay for making them
    from typing import NotRequired, TypedDict

    from causeway.events.envelope import Event
    from causeway.plan.records import JSON

    class Message(TypedDict):
        """One delivery on its way; exactly one of ``event`` and ``event_at``."""

        format: int
        delivery: str
        integration: str
        system: str
        ticket: str  # causeway.queueing.tickets: "0000.000001", replay and attempt (and whose key)
        acceptance: str  # no other of this delivery has it; the same on every message of its chain
        accepted_at: float
        event: NotRequired[Event]
        event_at: NotRequired[str]  # "s3:KEY", or "journal": beside the delivery's item
        order: NotRequired[str]  # the group of its order key: it is done strictly after those before it there
        slots: NotRequired[dict[str, float]]  # by system, when its call may begin: reserved for it
        deferrals: NotRequired[int]  # how often it came back because its system had too many calls under way
        missed: NotRequired[bool]  # a poll brought it, and the journal did not know it: no webhook had
        trace: NotRequired[str]  # X-Amzn-Trace-Id of the acceptance
        fingerprint: NotRequired[str]  # of a request: what its client may not change under the same key


FORMAT = 1
"""Format number of messages; a function reads its own and the one before."""

_REQUIRED: dict[str, type | tuple[type, ...]] = {
    "delivery": str,
    "integration": str,
    "system": str,
    "ticket": str,
    "acceptance": str,
    "accepted_at": (int, float),
}
_EITHER: dict[str, type] = {"event": dict, "event_at": str}
_OPTIONAL: dict[str, type] = {"order": str}


def pointing(message: Message, pointer: str) -> Message:
    """The same message, pointing to where its event lies."""
    elsewhere: Message = {**message, "event_at": pointer}
    elsewhere.pop("event", None)
    return elsewhere


class UnreadableMessageError(Exception):
    """The body is no message, or one of a format that this version does not read."""


def new_acceptance() -> str:
    """A name for one acceptance that no other of the same delivery has, nor of the same order key."""
    return os.urandom(8).hex()


def encode(message: Message) -> str:
    """The body of an SQS message.

    It is ASCII, so its length is its size in bytes, and none of the characters that SQS refuses (U+0000,
    U+FFFE, lone surrogates ...) stands in it as itself.
    """
    return json.dumps(message, separators=(",", ":"))


def decode(body: str) -> Message:
    """The message in an SQS message's body.

    Raises:
        UnreadableMessageError: it is none; says why, without quoting the body.
    """
    try:
        message: JSON = json.loads(body)
    except ValueError as error:
        raise UnreadableMessageError("the body is not JSON") from error
    if not isinstance(message, dict):
        raise UnreadableMessageError("the body is not a JSON object")
    if message.get("format") not in (FORMAT, FORMAT - 1):
        raise UnreadableMessageError(
            f"the message has format {message.get('format')!r}, this version reads {FORMAT - 1} and {FORMAT}"
        )
    wrong = [name for name, kind in _REQUIRED.items() if not isinstance(message.get(name), kind)]
    given = [name for name in _EITHER if name in message]
    wrong += [name for name in given if not isinstance(message[name], _EITHER[name])]
    wrong += [name for name, kind in _OPTIONAL.items() if not isinstance(message.get(name, kind()), kind)]
    if wrong:
        raise UnreadableMessageError(f"missing or of the wrong type in the message: {', '.join(wrong)}")
    if len(given) != 1:
        raise UnreadableMessageError("a message has exactly one of event and event_at")
    return message  # type: ignore[return-value]  # as was just checked

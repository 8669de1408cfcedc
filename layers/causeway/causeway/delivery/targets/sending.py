"""What all kinds of targets share: what is sent with, what goes along, and what a refusal of AWS means."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from causeway.aws.errors import AwsError
from causeway.calls.outcome import Answer, Refused
from causeway.events.expressions import ExpressionError
from causeway.events.texts import OMITTED, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from causeway.aws.client import Aws
    from causeway.calls.caller import Caller
    from causeway.calls.outcome import Kind
    from causeway.plan.records import JSON

AWS_TIMEOUT = 10.0
"""Seconds that sending to one of AWS's own services may take, with all tries."""

_NO_ANSWER: dict[str, Kind] = {"NotConnected": "connection", "NoAnswer": "timeout"}
_HOPELESS = frozenset(
    {
        "BatchRequestTooLong",
        "EntityTooLarge",
        "InvalidArgument",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "InvalidURI",
        "KeyTooLongError",
        "MalformedDetail",
        "ValidationError",
        "ValidationException",
    }
)
"""What AWS says of what is sent, and would say of it again. All else may be repaired: a right that is
missing, a queue that is yet to be made."""


@dataclass(frozen=True)
class About:
    """What goes along with what is sent."""

    delivery: str
    integration: str
    headers: Mapping[str, str]  # Idempotency-Key and its like


class Together(Protocol):
    """Does one thing for several deliveries of an integration: see :mod:`causeway.delivery.gathering`."""

    def __call__(self, item: Any, effect: Callable[[Sequence[Any]], Sequence[Exception | None]]) -> None:
        """Return when the effect was carried out for this item, too; raise what it came to."""


@dataclass(frozen=True)
class Means:
    """What is sent with."""

    caller: Caller
    aws: Aws
    deadline: float  # epoch seconds; a call ends by then
    together: Together
    admitted: Callable[[], AbstractContextManager[object]] = nullcontext  # while a system is called


class Shown(NamedTuple):
    """What would be sent, for people."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


def body_of(words: Mapping[str, JSON], scope: Mapping[str, JSON]) -> JSON:
    """The body that a target's template makes.

    Raises:
        ExpressionError: it cannot be filled in.
    """
    body = render(words["body"], scope)
    if body is OMITTED:
        raise ExpressionError("nothing is left of the body", "body")
    return body


def as_json(value: JSON) -> str:
    """A value as JSON in ASCII, which every service takes.

    Raises:
        ExpressionError: it is none.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ExpressionError(f"the body is not JSON: {type(error).__name__}", "body") from None


def carry_out(receiver: str, effect: Callable[[], object]) -> Answer:
    """Carry out calls to AWS that hand something over.

    Raises:
        Refused: they failed.
    """
    begun = time.monotonic()
    try:
        effect()
    except AwsError as error:
        raise refused(receiver, error, time.monotonic() - begun) from error
    return Answer(200, {}, None, time.monotonic() - begun)


def refused(receiver: str, error: AwsError, seconds: float = 0.0) -> Refused:
    """What AWS's refusal means for a delivery: again by the schedule, unless it would never be taken."""
    return Refused(
        f"{receiver}: {error}",
        kind=_NO_ANSWER.get(error.code, "http"),
        retry=error.code not in _HOPELESS,
        answer=Answer(error.status, {}, error.message, seconds) if error.status else None,
    )

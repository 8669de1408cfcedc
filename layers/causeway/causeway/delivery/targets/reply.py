"""The client of a request as target: nothing is sent, the reply is what the map makes of the event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.calls.outcome import Answer
from causeway.calls.request import body_of
from causeway.delivery.targets.sending import Shown
from causeway.events.texts import render_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.delivery.targets.sending import About, Means
    from causeway.plan.records import JSON, ReplyTarget, System


def receiver(words: ReplyTarget) -> str:  # noqa: ARG001 - there is only one
    """Who asked."""
    return "the client"


def described(words: ReplyTarget) -> str:
    """Who asked, and with what status."""
    return f"the client: {words['status']}"


def timeout(words: ReplyTarget) -> float:  # noqa: ARG001
    """None is needed."""
    return 0.0


def show(words: ReplyTarget, scope: Mapping[str, JSON], about: About, systems: Mapping[str, System]) -> Shown:  # noqa: ARG001
    """The reply."""
    answer = _made(words, scope)
    return Shown("REPLY", str(answer.status), answer.headers, answer.body)


def send(words: ReplyTarget, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:  # noqa: ARG001
    """Make the reply; whoever carries out the delivery keeps it, and gives it."""
    return _made(words, scope)


def _made(words: ReplyTarget, scope: Mapping[str, JSON]) -> Answer:
    """Its body is a text as it is to be sent."""
    filled = body_of(words, scope)
    headers = {name.lower(): value for name, value in render_headers(words["headers"], scope).items()}
    if filled is None:
        return Answer(words["status"], headers, None, 0.0)
    return Answer(words["status"], {"content-type": filled[0]} | headers, filled[1].decode(), 0.0)

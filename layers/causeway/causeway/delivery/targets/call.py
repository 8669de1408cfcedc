"""A call to a system, of a target or of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.calls import signing
from causeway.calls.request import make_request
from causeway.delivery.targets.sending import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.targets.sending import About, Means
    from causeway.plan.records import JSON, Call, System


def receiver(words: Call) -> str:
    """The system."""
    return words["system"]


def described(words: Call) -> str:
    """The system and what is called of it."""
    return f"{words['system']}: {words['method']} {words['path']}"


def timeout(words: Call) -> float:
    """The map's."""
    return words["timeout"]


def show(words: Call, scope: Mapping[str, JSON], about: About, systems: Mapping[str, System]) -> Shown:
    """The request, with placeholders for secrets."""
    api = systems[words["system"]]["api"]
    request = make_request(
        words,
        api,
        scope,
        reveal=_placeholder,
        headers=about.headers,
        token=lambda _: f"<token of {words['system']}>",
    )
    body = None if request.body is None else request.body.decode()
    return Shown(request.method, request.url, {**request.headers, **signing.shown(api)}, body)


def send(words: Call, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:
    """Call it."""
    return means.caller.call(
        words, scope, headers=about.headers, deadline=means.deadline, admitted=means.admitted
    )


def _placeholder(name: str) -> str:
    return f"<secret {name}>"

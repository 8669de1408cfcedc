"""An EventBridge bus: one event for each delivery, whose ``resources`` name it. Sent at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.bus import put_event
from causeway.delivery.targets.sending import AWS_TIMEOUT, Shown, as_json, body_of, carry_out
from causeway.events.expressions import ExpressionError
from causeway.events.texts import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer
    from causeway.delivery.targets.sending import About, Means
    from causeway.plan.records import JSON, BusTarget, System

_LONGEST_DETAIL_TYPE = 128


def receiver(words: BusTarget) -> str:
    """The bus, by its name."""
    return f"bus {words['name']}"


def described(words: BusTarget) -> str:
    """The bus, and the type of what is put there."""
    return f"{receiver(words)}: {words['detail_type']}"


def timeout(_: BusTarget) -> float:
    """As of all of AWS."""
    return AWS_TIMEOUT


def show(words: BusTarget, scope: Mapping[str, JSON], about: About, _: Mapping[str, System]) -> Shown:
    """The event: its detail is the body, and the rest is shown as headers are."""
    entry = _entry(words, scope, about)
    headers = {"Content-Type": "application/json", "Source": entry["Source"]}
    headers |= {"DetailType": entry["DetailType"], "Resources": ", ".join(entry["Resources"])}
    return Shown("PutEvents", f"events://{words['name']}", headers, entry["Detail"])


def send(words: BusTarget, scope: Mapping[str, JSON], about: About, means: Means) -> Answer:
    """Put it there."""
    entry = _entry(words, scope, about)
    return carry_out(receiver(words), lambda: put_event(means.aws, entry))


def _entry(words: BusTarget, scope: Mapping[str, JSON], about: About) -> dict[str, JSON]:
    detail, detail_type = body_of(words, scope), render(words["detail_type"], scope)
    if not isinstance(detail, dict):
        raise ExpressionError("a bus takes an object", "body")
    if not isinstance(detail_type, str) or not 0 < len(detail_type) <= _LONGEST_DETAIL_TYPE:
        raise ExpressionError(f"must be a text of 1 to {_LONGEST_DETAIL_TYPE} characters", "detail_type")
    return {
        "EventBusName": words["name"],
        "Source": f"causeway.{about.integration}",
        "DetailType": detail_type,
        "Resources": [f"causeway:delivery:{about.delivery}"],
        "Detail": as_json(detail),
    }

"""What people may see of a kept event: all of it but what its system's manifest redacts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.delivery.beside import load
from causeway.delivery.redaction import REDACTED, redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.aws.table import Item
    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.queueing.payloads import Payloads

LARGEST = 1024 * 1024
"""Bytes of JSON beyond which an event is not shown: an answer holds 6 MB, and a reader less."""


class Showing:
    """Shows events that lie beside deliveries.

    Args:
        plan: Says what is redacted.
        payloads: Where large events are.
    """

    def __init__(self, plan: Plan, payloads: Payloads) -> None:
        self._plan = plan
        self._payloads = payloads

    def __call__(self, system: str, kept: Item | None) -> dict[str, JSON]:
        """The event, or why it is not shown, as ``event`` and ``event_note``; both None when none is kept."""
        if kept is None:
            return {"event": None, "event_note": None}
        known = self._plan.systems.get(system)
        if known is None:  # what it would redact is not known
            return _instead(f"the map has no system {system!r} any more that says what is to be redacted")
        try:
            event = load(kept, "event", self._payloads)
        except AwsError as error:
            return _instead(f"it cannot be read now ({error.code})")
        shown = redacted(known["redact"], event)
        size = len(json.dumps(shown))
        if size > LARGEST:
            return _instead(f"it has {size} bytes, and no more than {LARGEST} are shown")
        return {"event": shown, "event_note": None}


def redacted(paths: list[str], event: JSON) -> JSON:
    """An event without the values at these paths, wherever else in it they stand."""
    return _walk(event, redactor(paths, event))


def _walk(value: JSON, redact: Callable[[str], str]) -> JSON:
    match value:
        case dict():
            return {redact(name): _walk(each, redact) for name, each in value.items()}
        case list():
            return [_walk(each, redact) for each in value]
        case str():
            return redact(value)
        case bool() | None:
            return value
        case _:  # a number is one of those values or it is not; that one stands in it does not matter
            return REDACTED if redact(json.dumps(value)) == REDACTED else value


def _instead(note: str) -> dict[str, JSON]:
    return {"event": None, "event_note": note}

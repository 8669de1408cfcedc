"""Redaction: what a manifest names in ``redact`` stays out of reasons, histories, logs and events.

What a call proved itself with stays out of the history of its answer, too: many servers repeat it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from causeway.events.envelope import scope_of
from causeway.events.expressions import ExpressionError, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from causeway.events.envelope import Event
    from causeway.plan.records import JSON

REDACTED = "[redacted]"
"""What stands in a value's place."""


def redactor(paths: Sequence[str], event: Event | None) -> Callable[[str], str]:
    """A function that takes an event's redacted values out of a text, however they are written there.

    Args:
        paths: Such as ``data.customer.email``; of an object or a list every value in it is meant.
        event: Whose values; without one nothing can be taken out.
    """
    if event is None:
        return hider(())
    leaves = (leaf for path in paths for leaf in _leaves(_value(path, event)))
    return hider(leaf if isinstance(leaf, str) else json.dumps(leaf) for leaf in leaves)


def hider(texts: Iterable[str]) -> Callable[[str], str]:
    """A function that takes certain texts out of another one, however they are written there."""
    written: set[str] = set()
    for text in texts:
        written |= {text, quote(text, errors="replace"), quote_plus(text, errors="replace")}
        written |= {json.dumps(text)[1:-1], repr(text)[1:-1]}
    longest_first = sorted(written - {""}, key=len, reverse=True)  # one may be part of another
    if not longest_first:
        return lambda text: text
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(REDACTED, text)


def redacted(value: JSON, redact: Callable[[str], str]) -> JSON:
    """The same value with its texts and numbers redacted, and the keys of its objects."""
    match value:
        case dict():
            return {redact(key): redacted(each, redact) for key, each in value.items()}
        case list():
            return [redacted(each, redact) for each in value]
        case str():
            return redact(value)
        case bool() | None:
            return value
        case _:
            return REDACTED if redact(text := json.dumps(value)) != text else value


def _value(path: str, event: Event) -> JSON:
    try:
        return select(path, scope_of(event, {}, {}))
    except ExpressionError:
        return None


def _leaves(value: JSON) -> Iterator[str | float]:
    """The strings and numbers in a value; true, false and null tell nothing by themselves."""
    match value:
        case dict():
            for each in value.values():
                yield from _leaves(each)
        case list():
            for each in value:
                yield from _leaves(each)
        case bool() | None:
            return
        case _:
            yield value

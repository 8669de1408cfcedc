"""What is wrong with an event pattern, for the compiler."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from causeway.bus.announcements import SOURCE, TYPES
from causeway.bus.patterns import COMPARISONS, OPERATORS, OR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from causeway.plan.problems import KeyPath
    from causeway.plan.records import JSON

    Findings = Iterator[tuple[KeyPath, str]]

FIELDS = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")
"""What an event from the bus has."""

_LIST = "a list of what may stand there: [value, ...]"
_NAMES = ", ".join((*OPERATORS, "exists"))
_AFFIXES = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def check(pattern: JSON) -> Findings:
    """All that is wrong: where, and what would be right."""
    if not isinstance(pattern, dict) or not pattern:
        yield (
            (),
            'an event pattern, such as {"detail-type": [order.paid]}; to take all: {source: [{prefix: ""}]}',
        )
        return
    yield from _top(pattern, ())


def _top(pattern: dict[str, JSON], path: KeyPath) -> Findings:
    for key, wanted in pattern.items():
        at = (*path, key)
        if key == OR:
            yield from _either(wanted, at, _top)
        elif key not in FIELDS:
            yield at, f"an event has no {key!r}; it has {', '.join(FIELDS)}"
        elif key == "detail":
            yield from _object(wanted, at)
        else:
            yield from _alternatives(wanted, at)
            yield from _never_brought(key, wanted, at)


def _object(wanted: JSON, path: KeyPath) -> Findings:
    """Of ``detail``, and of what lies in it: keys with patterns."""
    if not isinstance(wanted, dict) or not wanted:
        yield path, "an object: keys of the event with their patterns, {key: [value, ...]}"
        return
    for key, inner in wanted.items():
        at = (*path, key)
        if key == OR:
            yield from _either(inner, at, _object)
        elif isinstance(inner, dict):
            yield from _object(inner, at)
        else:
            yield from _alternatives(inner, at)


def _either(wanted: JSON, path: KeyPath, inner: Callable[[dict[str, JSON], KeyPath], Findings]) -> Findings:
    two = 2
    if not isinstance(wanted, list) or len(wanted) < two:
        yield path, "a list of at least two patterns, of which one must match"
        return
    for place, each in enumerate(wanted):
        if isinstance(each, dict) and each:
            yield from inner(each, (*path, place))
        else:
            yield (*path, place), "a pattern: keys of the event, {key: [value, ...]}"


def _alternatives(wanted: JSON, path: KeyPath) -> Findings:
    if not isinstance(wanted, list) or not wanted:
        yield path, _LIST
        return
    for place, alternative in enumerate(wanted):
        at = (*path, place)
        if isinstance(alternative, list):
            yield at, "one value or one operator: a list does not stand in a list"
        elif isinstance(alternative, dict):
            yield from _operator(alternative, at)


def _operator(alternative: dict[str, JSON], path: KeyPath) -> Findings:
    if len(alternative) != 1:
        yield path, f"one operator with its argument, one of {_NAMES}"
        return
    ((name, argument),) = alternative.items()
    at = (*path, name)
    if name not in _ARGUMENTS:
        yield at, f"there is no operator {name!r}; there are {_NAMES}"
    elif not _ARGUMENTS[name][0](argument):
        yield at, _ARGUMENTS[name][1]


def _is_text(value: JSON) -> bool:
    return isinstance(value, str)


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_affix(value: JSON) -> bool:
    return _is_text(value) or (
        isinstance(value, dict) and list(value) == ["equals-ignore-case"] and _is_text(*value.values())
    )


def _is_wildcard(value: JSON) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"(\\[*\\]|\*(?!\*)|[^*\\])*", value))


def _is_numeric(value: JSON) -> bool:
    if not isinstance(value, list) or len(value) not in (2, 4) or not all(map(_is_number, value[1::2])):
        return False
    signs = value[::2]
    if len(signs) == 1:
        return signs[0] in COMPARISONS
    return signs[0] in (">", ">=") and signs[1] in ("<", "<=") and value[1] < value[3]


def _is_excluding(value: JSON) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        ((name, excluded),) = value.items()
        many = excluded if isinstance(excluded, list) else [excluded]
        return name in _AFFIXES and bool(many) and all(_is_text(each) and each for each in many)
    if isinstance(value, list):
        return bool(value) and (all(map(_is_text, value)) or all(map(_is_number, value)))
    return _is_text(value) or _is_number(value)


def _is_network(value: JSON) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return isinstance(value, str)


_AFFIX = "a text, or {equals-ignore-case: text}"
_ARGUMENTS: dict[str, tuple[Callable[[JSON], bool], str]] = {
    "prefix": (_is_affix, _AFFIX),
    "suffix": (_is_affix, _AFFIX),
    "equals-ignore-case": (_is_text, "a text"),
    "wildcard": (
        _is_wildcard,
        "a text in which * stands for any other, never beside another *; \\\\* is a star",
    ),
    "numeric": (_is_numeric, 'one comparison or a range: ["=", 5], [">", 0, "<=", 10]'),
    "anything-but": (
        _is_excluding,
        f"a text, a number, a list of either, or {'|'.join(_AFFIXES)} with texts: {{prefix: text}}",
    ),
    "cidr": (_is_network, "a network: 10.0.0.0/24"),
    "exists": (lambda value: isinstance(value, bool), "true or false"),
}


_OWN_SOURCE = (
    f"sources that begin with {SOURCE} are Causeway's own, and only {SOURCE!r} itself is brought: what "
    "integrations put on the bus starts no integration, or they could go in circles"
)


def _never_brought(key: str, wanted: JSON, path: KeyPath) -> Findings:
    """What the template's rule leaves out, and announcements that there are none of."""
    for place, value in enumerate(wanted if isinstance(wanted, list) else ()):
        if not isinstance(value, str) or not value.startswith(SOURCE):
            continue
        if key == "source" and value != SOURCE:
            yield (*path, place), _OWN_SOURCE
        if key == "detail-type" and value.startswith(f"{SOURCE}.") and value not in TYPES:
            yield (*path, place), f"Causeway announces nothing of this type; it announces {', '.join(TYPES)}"

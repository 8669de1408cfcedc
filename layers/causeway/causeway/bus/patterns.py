"""EventBridge's event patterns, as far as a map needs them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. One rule brings the
stack's whole bus, and the plan says here whom an event concerns. As on AWS all keys of a pattern must match,
any of the alternatives in a list, and any element of a list in the event; what an event has no value for
matches ``{"exists": false}`` alone. Two numbers are equal when their values are (AWS compares how they are
written), and of objects in a list one must match the whole pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from causeway.plan.records import JSON

OR = "$or"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
"""What ``numeric`` compares with."""


def matches(pattern: Mapping[str, JSON], event: Mapping[str, JSON]) -> bool:
    """Whether an event, as EventBridge sends it, matches a pattern in which nothing is wrong."""
    return all(
        any(matches(each, event) for each in wanted)
        if key == OR
        else _has(event.get(key), key in event, wanted)
        for key, wanted in pattern.items()
    )


def _has(found: JSON, there: bool, wanted: JSON) -> bool:  # noqa: FBT001 - null is a value, too
    if isinstance(wanted, dict):
        objects = [each for each in _elements(found) if isinstance(each, dict)]
        return any(matches(wanted, each) for each in objects or [{}])
    leaves = [each for each in _elements(found) if not isinstance(each, dict)] if there else []
    return any(_takes(alternative, leaves) for alternative in wanted)


def _elements(found: JSON) -> Iterator[JSON]:
    if isinstance(found, list):
        for each in found:
            yield from _elements(each)
    else:
        yield found


def _takes(alternative: JSON, leaves: Sequence[JSON]) -> bool:
    if not isinstance(alternative, dict):
        return any(_equal(alternative, leaf) for leaf in leaves)
    ((name, argument),) = alternative.items()
    if name == "exists":
        return bool(leaves) is argument
    return any(OPERATORS[name](argument, leaf) for leaf in leaves)


def _equal(one: JSON, other: JSON) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _affix(test: Callable[[str, str], bool]) -> Callable[[JSON, JSON], bool]:
    def holds(argument: JSON, leaf: JSON) -> bool:
        if not isinstance(leaf, str):
            return False
        if isinstance(argument, dict):
            return test(leaf.lower(), argument["equals-ignore-case"].lower())
        return test(leaf, argument)

    return holds


def _equals_ignore_case(argument: JSON, leaf: JSON) -> bool:
    return isinstance(leaf, str) and leaf.lower() == argument.lower()


def _numeric(argument: Sequence[JSON], leaf: JSON) -> bool:
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(COMPARISONS[sign](leaf, bound) for sign, bound in pairs)


def _anything_but(argument: JSON, leaf: JSON) -> bool:
    if isinstance(argument, dict):
        ((name, excluded),) = argument.items()
        return not any(OPERATORS[name](each, leaf) for each in _as_list(excluded))
    return not any(_equal(each, leaf) for each in _as_list(argument))


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _cidr(argument: str, leaf: JSON) -> bool:
    import ipaddress  # noqa: PLC0415 - hardly ever wanted where a cold start is waited for

    try:
        return isinstance(leaf, str) and ipaddress.ip_address(leaf) in ipaddress.ip_network(
            argument, strict=False
        )
    except ValueError:
        return False


def _wildcard(argument: str, leaf: JSON) -> bool:
    """A star is any text, and itself after a backslash. Looks at each character once, whatever the stars."""
    if not isinstance(leaf, str):
        return False
    first, *rest = _literals(argument)
    if not rest:
        return leaf == first
    *middle, last = rest
    if not leaf.startswith(first) or len(leaf) < len(first) + len(last) or not leaf.endswith(last):
        return False
    at, end = len(first), len(leaf) - len(last)
    for literal in middle:
        found = leaf.find(literal, at, end)
        if found < 0:
            return False
        at = found + len(literal)
    return True


@lru_cache(maxsize=256)
def _literals(wildcard: str) -> tuple[str, ...]:
    """The texts between the stars."""
    texts = [""]
    for part in re.findall(r"\\.|[^\\]", wildcard, re.DOTALL):
        if part == "*":
            texts.append("")
        else:
            texts[-1] += part[-1]
    return tuple(texts)


OPERATORS: dict[str, Callable[[JSON, JSON], bool]] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "cidr": _cidr,
}
"""By name, of one value of the event; ``exists`` is asked of all of them together."""

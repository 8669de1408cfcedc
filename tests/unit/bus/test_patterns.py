"""Event patterns mean what EventBridge means by them.

Two emulators of it are oracles: what the compiler's check passes, EventBridge takes, and it matches the same
events. Where they disagree with each other, ministack's is the one that follows Event Ruler, EventBridge's
own matcher: moto knows no objects in lists, and takes true for 1.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services import eventbridge
from moto.events.models import EventPattern

from causeway.bus.announcements import RULE
from causeway.bus.checking import check
from causeway.bus.patterns import OPERATORS, matches

TEXTS = st.sampled_from(["a", "A", "ab", "aBc", "abc", "", "x*y", "1", "10.0.0.7"])
SOME = TEXTS.filter(bool)
NUMBERS = st.sampled_from([0, 1, 2, 10, -1, 1.5])
SCALARS = TEXTS | NUMBERS | st.booleans() | st.none()
NAMES = st.sampled_from(["p", "q", "r"])
DATA = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=3),
    lambda inner: (
        st.dictionaries(NAMES, inner, max_size=3) | st.lists(st.dictionaries(NAMES, inner), max_size=2)
    ),
    max_leaves=6,
)


def _of(*names: str, argument: Any) -> Any:
    """One operator of these names, with an argument."""
    return st.builds(lambda name, said: {name: said}, st.sampled_from(names), argument)


def _alternatives(scalars: Any, affixes: Any) -> Any:
    excluded = (
        TEXTS | NUMBERS | st.lists(TEXTS, min_size=1, max_size=2) | st.lists(NUMBERS, min_size=1, max_size=2)
    )
    return (
        scalars
        | _of("prefix", "suffix", argument=TEXTS | _of("equals-ignore-case", argument=TEXTS))
        | _of("equals-ignore-case", argument=TEXTS)
        | _of("wildcard", argument=st.sampled_from(["a*", "*c", "a*c", "*", "*b*", r"x\*y", "a*b*c", r"\\*"]))
        | _of("numeric", argument=st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), NUMBERS).map(list))
        | _of("numeric", argument=NUMBERS.map(lambda least: [">", least, "<=", least + 5]))
        | _of("anything-but", argument=excluded)
        | _of(
            "anything-but",
            argument=_of("prefix", "suffix", "wildcard", "equals-ignore-case", argument=affixes),
        )
        | _of("exists", argument=st.booleans())
        | _of("cidr", argument=st.sampled_from(["10.0.0.0/24", "10.1.0.0/16"]))
    )


def _patterns(alternatives: Any) -> Any:
    return _objects(st.recursive(st.lists(alternatives, min_size=1, max_size=2), _objects, max_leaves=4))


def _objects(inner: Any) -> Any:
    objects = st.dictionaries(NAMES, inner, min_size=1, max_size=2)
    return objects | st.lists(objects, min_size=2, max_size=2).map(lambda two: {"$or": two})


def _event(detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "detail-type": "t",
        "source": "com.example",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }


def _on_eventbridge(pattern: Any, detail: Any) -> bool:
    """What ministack's EventBridge says; it refuses what AWS refuses."""
    _, refused = eventbridge._parse_pattern_text(json.dumps(pattern))
    assert refused is None
    return bool(eventbridge._matches_pattern(json.dumps(pattern), {"Detail": json.dumps(detail)}))


@settings(max_examples=300)
@given(
    pattern=_patterns(_alternatives(SCALARS, SOME | st.lists(SOME, min_size=1, max_size=2))),
    detail=st.dictionaries(NAMES, DATA, max_size=3),
)
def test_what_matches_here_matches_on_eventbridge_and_nothing_else(pattern, detail):
    assert not list(check({"detail": pattern}))
    assert matches({"detail": pattern}, _event(detail)) == _on_eventbridge({"detail": pattern}, detail)


MOTOS_SCALARS = TEXTS | NUMBERS | st.none()
MOTOS_DATA = (
    MOTOS_SCALARS | st.lists(MOTOS_SCALARS, min_size=1) | st.dictionaries(NAMES, MOTOS_SCALARS, min_size=1)
)


@settings(max_examples=200)
@given(pattern=_patterns(_alternatives(MOTOS_SCALARS, SOME)), detail=st.dictionaries(NAMES, MOTOS_DATA))
def test_moto_agrees_on_what_it_knows(pattern, detail):
    oracle = EventPattern.load(json.dumps({"detail": pattern}))
    assert matches({"detail": pattern}, _event(detail)) == oracle.matches_event(_event(detail))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "at", "says"),
    [
        ({}, (), "an event pattern, such as"),
        ([], (), "an event pattern, such as"),
        ({"detial": {"a": [1]}}, ("detial",), "an event has no 'detial'; it has version, id, detail-type"),
        ({"source": "x"}, ("source",), "a list of what may stand there"),
        ({"source": []}, ("source",), "a list of what may stand there"),
        ({"source": [["x"]]}, ("source", 0), "a list does not stand in a list"),
        ({"detail": ["x"]}, ("detail",), "an object: keys of the event with their patterns"),
        ({"detail": {}}, ("detail",), "an object: keys of the event"),
        ({"detail": {"a": 1}}, ("detail", "a"), "a list of what may stand there"),
        (
            {"detail": {"a": [{"prefx": "x"}]}},
            ("detail", "a", 0, "prefx"),
            "there is no operator 'prefx'; there are prefix",
        ),
        ({"detail": {"a": [{}]}}, ("detail", "a", 0), "one operator with its argument"),
        (
            {"detail": {"a": [{"prefix": 1}]}},
            ("detail", "a", 0, "prefix"),
            "a text, or {equals-ignore-case: text}",
        ),
        ({"detail": {"a": [{"numeric": [">"]}]}}, ("detail", "a", 0, "numeric"), "one comparison or a range"),
        ({"detail": {"a": [{"numeric": ["<", 1, ">", 0]}]}}, ("detail", "a", 0, "numeric"), "a range"),
        ({"detail": {"a": [{"numeric": [">", 5, "<", 5]}]}}, ("detail", "a", 0, "numeric"), "a range"),
        ({"detail": {"a": [{"numeric": ["=", "5"]}]}}, ("detail", "a", 0, "numeric"), "a range"),
        ({"detail": {"a": [{"exists": "yes"}]}}, ("detail", "a", 0, "exists"), "true or false"),
        ({"detail": {"a": [{"wildcard": "a**"}]}}, ("detail", "a", 0, "wildcard"), "never beside another *"),
        ({"detail": {"a": [{"cidr": "10.0.0"}]}}, ("detail", "a", 0, "cidr"), "a network"),
        (
            {"detail": {"a": [{"anything-but": ["x", 1]}]}},
            ("detail", "a", 0, "anything-but"),
            "a list of either",
        ),
        (
            {"detail": {"a": [{"anything-but": {"numeric": ["=", 1]}}]}},
            ("detail", "a", 0, "anything-but"),
            "prefix|suffix",
        ),
        ({"$or": [{"source": ["x"]}]}, ("$or",), "at least two patterns"),
        ({"detail": {"$or": [{"a": [1]}, []]}}, ("detail", "$or", 1), "a pattern: keys of the event"),
        ({"source": ["causeway.copy"]}, ("source", 0), "starts no integration, or they could go in circles"),
        (
            {"detail-type": ["causeway.delivery.died"]},
            ("detail-type", 0),
            "it announces causeway.delivery.dead",
        ),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_told_with_what_would_be_right(pattern, at, says):
    ((path, text),) = check(pattern)
    assert path == at
    assert says in text


def test_all_mistakes_are_told_at_once():
    pattern = {"detial": {}, "source": "x", "detail": {"a": [{"exists": 1}], "$or": []}}
    assert [path for path, _ in check(pattern)] == [
        ("detial",),
        ("source",),
        ("detail", "a", 0, "exists"),
        ("detail", "$or"),
    ]


def test_a_wildcard_looks_at_each_character_once():
    assert not OPERATORS["wildcard"]("*a" * 40 + "*b", "a" * 20_000)


@pytest.mark.parametrize(
    ("source", "detail", "brought"),
    [
        ("com.example", {"a": 1}, True),
        ("", {"a": 1}, True),
        ("causeway", {"of_announcement": False}, True),
        ("causeway", {"of_announcement": True}, False),
        ("causeway", {"a": 1}, False),
        ("causeway.orders", {"of_announcement": False}, False),
    ],
)
def test_the_rule_brings_everything_but_what_would_go_in_circles(source, detail, brought):
    whole = {**_event(detail), "source": source}
    assert matches(RULE, whole) is brought
    assert EventPattern.load(json.dumps(RULE)).matches_event(whole) is brought  # type: ignore[arg-type]

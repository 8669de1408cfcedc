"""Which events a verified request brings."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from causeway.events.envelope import Body
from causeway.webhooks.identity import DEFAULT_TYPE, read_events
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.schemes import SCHEMES

HASH = hashlib.sha256(b"{}").hexdigest()[:32]
HEADERS = {"x-id": "h-1", "x-type": "pushed"}


def told(
    data: Any = None, *, scheme: dict[str, str] | None = None, timestamp: float | None = None, **manifest: str
) -> Any:
    webhooks: Any = {"schemes": [], "secrets": [], "tolerance": 300.0, "dedupe_for": 0.0, **manifest}
    request = SignedRequest("POST", "", HEADERS, b"{}")
    return read_events(
        webhooks, {"algorithm": "token", "header": "", **(scheme or {})}, request, Body(data), timestamp
    )


def ids(*args: Any, **keys: Any) -> list[str]:
    return [event.id for event in told(*args, **keys).events]


def test_the_scheme_says_where_id_and_type_are():
    [event] = told({"kind": "paid"}, scheme={"id": 'headers."x-id"', "type": "body.kind"}).events
    assert (event.id, event.type, event.body) == ("h-1", "paid", Body({"kind": "paid"}))


def test_the_manifest_goes_before_the_scheme():
    [event] = told(
        {"n": 7}, scheme={"id": "body.x", "type": "body.x"}, id="body.n", type='headers."x-type"'
    ).events
    assert (event.id, event.type) == ("7", "pushed")


def test_an_event_that_says_neither_gets_the_hash_of_its_body_and_a_type():
    [event] = told({}).events
    assert (event.id, event.type) == (HASH, DEFAULT_TYPE)


def test_where_a_time_is_signed_it_is_part_of_that_hash():
    assert len({*ids({}), *ids({}, timestamp=1.0), *ids({}, timestamp=2.0)}) == 3
    assert ids({}, timestamp=1.0) == ids({}, timestamp=1.0)


@pytest.mark.parametrize("value", [None, "", "  ", True, [], {}, ["a"]])
def test_what_names_nothing_is_no_id_and_no_type(value: Any):
    [event] = told({"id": value, "type": value}, id="body.id", type="body.type").events
    assert (event.id, event.type) == (HASH, DEFAULT_TYPE)


@pytest.mark.parametrize("value", ["x" * 257, "a\r\nInjected: header", "Zoë", "\ud800"])
def test_an_id_that_cannot_stand_in_a_header_is_hashed(value: str):
    [identity] = ids({"id": value}, id="body.id")
    assert len(identity) == 64
    assert identity.isalnum()
    assert ids({"id": value + "."}, id="body.id") != [identity]


def test_a_batch_becomes_one_event_for_each_element():
    batch = {"events": [{"id": 1, "t": "a"}, {"id": 2, "t": "b"}]}
    events = told(batch, split="body.events", id="body.id", type="body.t").events
    assert [(event.id, event.type, event.body.data) for event in events] == [
        ("1", "a", {"id": 1, "t": "a"}),
        ("2", "b", {"id": 2, "t": "b"}),
    ]


def test_elements_without_an_id_get_one_by_their_place():
    assert ids({"events": [{}, {}, 3]}, split="body.events") == [f"{HASH}-0", f"{HASH}-1", f"{HASH}-2"]


def test_an_empty_batch_is_no_event():
    assert ids({"events": []}, split="body.events") == []


@pytest.mark.parametrize("data", [{"events": {"id": 1}}, {}, "text", None])
def test_what_is_no_list_is_one_event(data: Any):
    [event] = told(data, split="body.events").events
    assert event.body.data == data


def test_an_expression_that_fails_loses_no_event_and_is_told():
    reading = told({"a": 1}, id="body.a.b(", type="length(body.a)")
    assert [event.type for event in reading.events] == [DEFAULT_TYPE]
    assert [problem.partition(":")[0] for problem in reading.problems] == ["id", "type"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "event_callback", "event_id": "Ev1", "event": {"type": "message"}}, ("Ev1", "message")),
        ({"command": "/weather"}, (HASH, "/weather")),
        ({"type": "block_actions"}, (HASH, "block_actions")),
    ],
)
def test_slack_sends_events_and_commands(body: Any, expected: tuple[str, str]):
    [event] = told(body, scheme=SCHEMES["slack"][0]).events
    assert (event.id, event.type) == expected

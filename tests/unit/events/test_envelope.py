"""The event, and bodies as data."""

from __future__ import annotations

import base64
import json

import pytest

from causeway.events.envelope import (
    MAX_DEPTH,
    SCOPE_FIELDS,
    Body,
    MalformedBody,
    make_event,
    public_headers,
    read_body,
    scope_of,
)

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("application/json; charset=utf-8", '"Zoë"'.encode(), "Zoë"),
        ("application/json; charset=iso-8859-1", '"Zoë"'.encode("latin-1"), "Zoë"),
        ("application/json", '"Zoë"'.encode("utf-16"), "Zoë"),
        ("application/json", b"\xef\xbb\xbf{}", {}),
        ("application/vnd.api+json", b"[]", []),
        ("Application/JSON", b"true", True),
        (FORM, b"a=1&b=x+y%20z&c=", {"a": "1", "b": "x y z", "c": ""}),
        (FORM, b"a=1&a=2&b=3", {"a": ["1", "2"], "b": "3"}),
        (FORM, b"a=1;b=2", {"a": "1;b=2"}),
        (FORM, "name=Zoë".encode(), {"name": "Zoë"}),
        (f"{FORM}; charset=iso-8859-1", b"name=Zo%EB", {"name": "Zoë"}),
        ("text/plain", "naïve".encode(), "naïve"),
        ("text/plain; charset=iso-8859-1", "naïve".encode("latin-1"), "naïve"),
        ("text/xml", b"<a/>", "<a/>"),
        ("application/soap+xml", b"<a/>", "<a/>"),
        ("application/secevent+jwt", b"ey.J.x", "ey.J.x"),
    ],
)
def test_a_body_becomes_data_by_its_content_type(content_type, body, expected):
    assert read_body(body, content_type) == Body(data=expected)


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "image/png", "multipart/form-data; boundary=x"]
)
def test_what_is_neither_json_nor_form_nor_text_is_kept_as_base64(content_type):
    assert read_body(b"\x00\xff", content_type) == Body(data_base64=base64.b64encode(b"\x00\xff").decode())


@pytest.mark.parametrize("content_type", [None, "", "nonsense"])
def test_without_a_content_type_a_body_is_json_if_it_can_be_read_as_that(content_type):
    assert read_body(b'{"a": 1}', content_type) == Body(data={"a": 1})
    assert read_body(b"a=1", content_type) == Body(data_base64="YT0x")


@pytest.mark.parametrize("content_type", ["application/json", FORM, "text/plain", "image/png", None])
def test_an_empty_body_is_null_whatever_its_type(content_type):
    assert read_body(b"", content_type) == Body(data=None)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"a=1"),
        ("application/json", b'{"a": NaN}'),
        ("application/json", b"-Infinity"),
        ("application/json", b"1e999"),
        ("application/json", b"\xff\xfe\xff"),
        ("application/json; charset=utf-8", b'"\xff"'),
        ("application/json; charset=klingon", b"{}"),
        ("application/json; charset=zip", b"{}"),
        ("application/json", b"1" * 5000),
        (FORM, b"a=%ff"),
        ("text/plain", b"\xff"),
    ],
)
def test_a_body_that_is_not_what_its_type_says_is_malformed(content_type, body):
    with pytest.raises(MalformedBody):
        read_body(body, content_type)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_a_body_nested_too_deeply_is_malformed_and_no_crash(opening, depth):
    closing = {b"[": b"]", b'{"a":': b"}"}[opening]
    with pytest.raises(MalformedBody, match="levels deep"):
        read_body(opening * depth + b"1" + closing * depth, "application/json")


def test_a_body_nested_as_deeply_as_allowed_is_read():
    body = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert json.dumps(read_body(body, "application/json").data) == body.decode()


def test_many_objects_beside_each_other_are_not_deep():
    records = [{"lines": [{"id": n}]} for n in range(MAX_DEPTH)]
    assert read_body(json.dumps(records).encode(), "application/json").data == records


def test_of_a_name_that_comes_twice_the_last_value_counts():
    assert read_body(b'{"a": 1, "a": 2}', "application/json").data == {"a": 2}


def test_an_error_about_a_body_does_not_repeat_it():
    with pytest.raises(MalformedBody) as caught:
        read_body(b'{"password": "hunter2"', "application/json")
    assert "hunter2" not in str(caught.value)


def test_an_event_is_a_cloud_event_with_the_webhooks_headers():
    event = make_event(
        id="evt_1",
        type="orders/paid",
        source="shop",
        time="2026-11-22T10:00:00Z",
        data={"total": "12.50"},
        headers={"content-type": "application/json"},
    )
    assert event == {
        "specversion": "1.0",
        "id": "evt_1",
        "type": "orders/paid",
        "source": "shop",
        "time": "2026-11-22T10:00:00Z",
        "datacontenttype": "application/json",
        "data": {"total": "12.50"},
        "headers": {"content-type": "application/json"},
    }


def test_an_event_of_bytes_says_what_they_are():
    event = make_event(
        id="1",
        type="scan",
        source="dms",
        time="2026-11-22T10:00:00Z",
        data_base64="AP8=",
        headers={"content-type": "image/png"},
    )
    assert event["data_base64"] == "AP8="
    assert event["datacontenttype"] == "image/png"
    assert "data" not in event


def test_headers_are_kept_in_lower_case_without_signatures_and_credentials():
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e",
        "X-Hub-Signature": "sha1=1",
        "X-Hub-Signature-256": "sha256=2",
        "X-Shopify-Hmac-Sha256": "3",
        "X-Gitlab-Token": "4",
        "Authorization": "Basic 5",
        "Proxy-Authorization": "Basic 6",
        "Cookie": "session=7",
        "X-Api-Key": "8",
        "Paypal-Transmission-Sig": "9",
        "X-Verify": "10",
    }
    assert public_headers(headers, signature_headers={"x-verify"}) == {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": "72d3162e",
    }


def test_expressions_see_the_event_the_constants_and_the_steps_and_nothing_else():
    event = make_event(
        id="1", type="t", source="shop", time="2026-11-22T10:00:00Z", data=[1], headers={"a": "b"}
    )
    scope = scope_of(event, {"account": "8400"}, {"look_up": None})
    assert scope == {
        "id": "1",
        "type": "t",
        "source": "shop",
        "time": "2026-11-22T10:00:00Z",
        "data": [1],
        "data_base64": None,
        "headers": {"a": "b"},
        "constants": {"account": "8400"},
        "steps": {"look_up": None},
    }
    assert set(scope) == SCOPE_FIELDS

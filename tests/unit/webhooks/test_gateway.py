"""The edge to API Gateway: the bytes that were sent, and answers in its words."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any

import pytest

from causeway.webhooks.gateway import MAX_BODY, Unacceptable, problem, request_of


def event(**changes: Any) -> dict[str, Any]:
    return {
        "rawPath": "/webhooks/shop",
        "rawQueryString": "",
        "headers": {},
        "pathParameters": {"system": "shop"},
        "requestContext": {"http": {"method": "POST"}},
        "isBase64Encoded": False,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, b""),
        ({"body": None}, b""),
        ({"body": "Zoë"}, b"Zo\xc3\xab"),
        ({"body": "\ud800"}, b"\xed\xa0\x80"),
        ({"body": base64.b64encode(b"\xff\x00").decode(), "isBase64Encoded": True}, b"\xff\x00"),
        ({"body": "", "isBase64Encoded": True}, b""),
        ({"body": "e30=", "isBase64Encoded": False}, b"e30="),
    ],
)
def test_the_body_is_the_bytes_that_were_sent(changes: dict[str, Any], body: bytes):
    assert request_of(event(**changes), "").body == body


@pytest.mark.parametrize("body", ["e3", "e30= ", "{}", "é"])
def test_a_body_that_is_not_the_base64_that_it_should_be_is_refused(body: str):
    with pytest.raises(Unacceptable) as error:
        request_of(event(body=body, isBase64Encoded=True), "")
    assert error.value.status == 400


def test_a_body_over_the_platforms_limit_is_refused():
    assert len(request_of(event(body="x" * MAX_BODY), "").body) == MAX_BODY
    with pytest.raises(Unacceptable) as error:
        request_of(event(body="x" * (MAX_BODY + 1)), "")
    assert error.value.status == 413


def test_header_names_are_lower_case_and_repeated_ones_are_a_list():
    headers = {"X-Sig": "a", "x-sig": "b", "Content-Type": "text/plain"}
    assert request_of(event(headers=headers), "").headers == {"x-sig": "a,b", "content-type": "text/plain"}
    assert request_of(event(headers=None), "").headers == {}


def test_the_url_is_the_configured_one_whatever_the_host_header_says():
    came = event(
        rawQueryString="a=b%20c", headers={"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"}
    )
    assert (
        request_of(came, "https://hooks.example.com/").url
        == "https://hooks.example.com/webhooks/shop?a=b%20c"
    )
    assert request_of(came, "").url == ""


def test_a_problem_is_told_as_rfc_9457_wants_it():
    answer = problem(HTTPStatus.UNAUTHORIZED, "No.", headers={"x-a": "b"}, more={"rule": "signature"})
    assert answer["statusCode"] == 401
    assert answer["headers"] == {"content-type": "application/problem+json", "x-a": "b"}
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "No.",
        "rule": "signature",
    }

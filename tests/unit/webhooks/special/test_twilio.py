"""What Twilio binds and refuses, beyond its vectors."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest

from causeway.events.expressions import select
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.providers.code import CODE
from causeway.webhooks.verify import Verified
from tests.support.code_schemes import FORM, JSON, URL, judge, signed


@pytest.mark.parametrize("code", ["twilio", "twilio-sha256"])
def test_twilio_signs_url_and_sorted_form(code):
    request = signed(
        code, urlencode([("B", "2"), ("A", "é"), ("B", "1"), ("B", "2"), ("C", "")]).encode(), FORM
    )
    assert isinstance(judge(code, request), Verified)
    shuffled = urlencode([("B", "1"), ("C", ""), ("A", "é"), ("B", "2")]).encode()
    assert isinstance(judge(code, request._replace(body=shuffled)), Verified)
    assert judge(code, request._replace(body=request.body + b"&D=1")) == "signature"
    assert judge(code, request._replace(url=URL + "&c=3")) == "signature"
    assert judge(code, request._replace(url="")) == "scheme"
    other = "twilio" if code != "twilio" else "twilio-sha256"
    assert judge(other, request, ["token"]) == "signature"


@pytest.mark.parametrize(
    "settings", ["key=k,algorithm=HMAC_SHA256", "key=k,algorithm=HMAC_SHA1", "algorithm=none"]
)
def test_twilio_what_a_header_says_of_the_algorithm_is_not_read(settings):
    request = signed("twilio", b"A=1", FORM)
    asking = request._replace(headers={**request.headers, "x-twilio-webhooks-signature-settings": settings})
    assert isinstance(judge("twilio", asking), Verified)
    assert judge("twilio-sha256", asking) == "signature"


@pytest.mark.parametrize(
    ("ours", "theirs", "right"),
    [
        ("https://h.example/x", "https://h.example:443/x", True),
        ("https://h.example:443/x", "https://h.example/x", True),
        ("https://h.example:8443/x", "https://h.example/x", True),
        ("http://h.example/x", "http://h.example:80/x", True),
        ("https://u:p@h.example/x", "https://u:p@h.example:443/x", True),
        ("https://h.example/x", "https://h.example:8443/x", False),
        ("https://h.example/x", "http://h.example/x", False),
        ("https://h.example/x", "https://h.example/x/", False),
    ],
)
def test_twilio_may_have_the_url_with_its_port_or_without(ours, theirs, right):
    request = signed("twilio", b"A=1", FORM, url=theirs)._replace(url=ours)
    assert isinstance(judge("twilio", request), Verified) == right


def test_twilio_a_body_that_is_no_form_must_be_named_by_the_url():
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    request = signed("twilio", body, JSON, url=url)
    assert isinstance(judge("twilio", request), Verified)
    assert judge("twilio", request._replace(body=b'{"a": 2}')) == "signature"
    assert judge("twilio", request._replace(body=b"")) == "signature"
    assert judge("twilio", signed("twilio", b"", JSON)._replace(body=body)) == "malformed"  # named by nothing
    for named in (
        "",
        "x",
        hashlib.sha256(body).hexdigest().upper(),
        f"{hashlib.sha256(body).hexdigest()}&bodySHA256=x",
    ):
        odd = SignedRequest("POST", f"{URL}&bodySHA256={named}", request.headers, body)
        assert judge("twilio", odd) == "malformed"


def test_twilio_a_form_cannot_be_passed_off_as_a_body_that_the_url_names():
    """A URL with a digest is signed alone: with a form beside it, the form would be bound by nothing."""
    url = f"{URL}&bodySHA256={hashlib.sha256(b'{}').hexdigest()}"
    request = signed("twilio", b"{}", JSON, url=url)
    assert judge("twilio", request._replace(body=b"A=1", headers={**request.headers, **FORM})) == "signature"


@pytest.mark.parametrize("body", [b"\xff=1", b"A=%FF", b"&".join([b"a=1"] * 1001)])
def test_twilio_an_odd_form_is_malformed(body):
    assert (
        judge("twilio", SignedRequest("POST", URL, {**FORM, "x-twilio-signature": "x"}, body)) == "malformed"
    )


@pytest.mark.parametrize(
    ("headers", "body", "event_id"),
    [
        ({"i-twilio-idempotency-token": "t"}, {"MessageSid": "m"}, "t"),
        ({}, {"MessageSid": "m", "MessageStatus": "sent"}, "m/sent"),
        ({}, {"MessageSid": "m"}, "m"),
        ({}, {"CallSid": "c"}, "c"),
        ({}, {}, None),
    ],
)
def test_twilio_each_status_of_a_message_is_an_event(headers, body, event_id):
    assert {select(each["id"], {"headers": headers, "body": body}) for each in CODE["twilio"]} == {event_id}

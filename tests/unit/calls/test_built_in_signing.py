"""Every built-in scheme that a manifest may name for what is sent signs it, as who receives it verifies it."""

from __future__ import annotations

import pytest

from causeway.calls.request import Request
from causeway.calls.signing import ID_HEADER, scheme_headers
from causeway.plan.checks.signing import why_not
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.special import special
from causeway.webhooks.verify import verify
from tests.support.signatures import NOW, case_of

URL = "https://desk.example.com/in/a%20b?c=d"
HEADERS = {ID_HEADER: "0123456789abcdef/step"}
REQUESTS = [
    Request("POST", URL, {**HEADERS, "Content-Type": "application/json"}, b'{"a":1}'),
    Request("PUT", URL, {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}, b"a=1"),
    Request("PATCH", URL, {**HEADERS, "Content-Type": "text/plain; charset=utf-8"}, "ü".encode()),
    Request("GET", URL, HEADERS, None),
]

SPECIAL = {"contentful": "a" * 64, "messagebird": "key", "monday": "key", "netlify": "key"}
"""Secrets of those that are not data alone."""

RECORDS = [
    pytest.param(name, record, id=f"{name}-{number}")
    for name, records in SCHEMES.items()
    for number, record in enumerate(records)
    if why_not([record]) is None
]


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_what_the_compiler_lets_sign_signs_every_request(name, record):
    if special(record):
        signing = verifying = SPECIAL[name]
    else:
        signing, verifying = (case := case_of(name, record)).signing, case.verifying
    for request in REQUESTS:
        made = scheme_headers(request, {"schemes": [record], "secrets": ["a"]}, {"a": signing}.get, now=NOW)
        headers = {key.lower(): value for key, value in (request.headers | made).items()}
        received = SignedRequest(request.method, request.url, headers, request.body or b"")
        assert verify([record], received, [verifying], tolerance=300, now=NOW)

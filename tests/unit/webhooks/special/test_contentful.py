"""What Contentful binds and refuses, beyond its vectors."""

from __future__ import annotations

import hmac

import pytest

from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.verify import Verified
from tests.support.code_schemes import URL, judge, signed
from tests.support.publishers import NOW


def test_contentful_binds_method_path_query_named_headers_and_body():
    request = signed("contentful", b"{}", {"x-contentful-topic": "t", "content-type": "application/json"})
    verified = judge("contentful", request)
    assert isinstance(verified, Verified)
    assert verified.timestamp == NOW
    for changed in (
        request._replace(method="PUT"),
        request._replace(url=URL.replace("/x", "/y")),
        request._replace(url=URL.replace("b=2&a=1%20x", "a=1%20x&b=2")),
        request._replace(url=URL.replace("%20", "+")),
        request._replace(body=b"{ }"),
        request._replace(headers={**request.headers, "x-contentful-topic": "u"}),
    ):
        assert judge("contentful", changed) == "signature"
    assert judge("contentful", request._replace(url=URL + "?x")) == "malformed"
    assert isinstance(
        judge("contentful", request._replace(headers={**request.headers, "x-other": "1"})), Verified
    )


def test_contentful_encodes_the_query_twice():
    """As its toolkit does: querystring.escape of the whole query, then encodeURI of path and query."""
    names = "x-contentful-signed-headers,x-contentful-timestamp"
    listed = f"x-contentful-signed-headers:{names};x-contentful-timestamp:1760000000000"
    text = f"POST\n/a%2520b/hook?a%253D1%2526b%253Dc%252520d\n{listed}\nbody"
    headers = {
        "x-contentful-signed-headers": names,
        "x-contentful-timestamp": "1760000000000",
        "x-contentful-signature": hmac.new(b"a" * 64, text.encode(), "sha256").hexdigest(),
    }
    request = SignedRequest("POST", "https://h.example/a%20b/hook?a=1&b=c%20d", headers, b"body")
    assert isinstance(judge("contentful", request), Verified)


@pytest.mark.parametrize(
    "names",
    ["", "x-contentful-timestamp", "x-contentful-signed-headers", "x-contentful-timestamp,x-contentful-signed-headers",
     "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-timestamp", "X-Contentful-Signed-Headers,x-contentful-timestamp",
     "x-contentful-signed-headers,x-contentful-timestamp,x-missing", ",".join(["x-a"] * 100)],
)  # fmt: skip
def test_contentful_the_list_of_headers_must_name_itself_and_the_time(names):
    request = signed("contentful", b"{}")
    rule = judge(
        "contentful", request._replace(headers={**request.headers, "x-contentful-signed-headers": names})
    )
    assert rule in ("missing", "malformed")


def test_contentful_a_value_that_reads_as_the_next_header_is_refused():
    """``b:2;c:3;c:4`` could be two values in two ways, and the signature would be the same."""
    request = signed("contentful", b"{}", {"b": "2", "c": "3;c:4"})
    assert isinstance(judge("contentful", request), Verified)
    moved = request._replace(headers={**request.headers, "b": "2;c:3", "c": "4"})
    assert judge("contentful", moved) == "malformed"


@pytest.mark.parametrize(("age", "right"), [(29.9, True), (30, False), (-30, True), (-31, False)])
def test_contentful_has_half_a_minute_unless_the_manifest_says_more(age, right):
    request = signed("contentful", b"{}")
    assert isinstance(judge("contentful", request, now=NOW + age), Verified) == right
    assert isinstance(judge("contentful", request, now=NOW + age, tolerance=300), Verified)

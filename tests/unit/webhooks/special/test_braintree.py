"""What Braintree binds and refuses, beyond its vectors."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.verify import Verified
from tests.support.code_schemes import FORM, judge, signed


def test_braintree_tells_the_kind_inside_the_payload():
    xml = b"<notification><kind>check</kind><subject><kind>forged</kind></subject></notification>"
    verified = judge("braintree", signed("braintree", base64.encodebytes(xml)))
    assert isinstance(verified, Verified)
    assert verified.claims == {"kind": "check"}
    assert (
        judge("braintree", signed("braintree", b"AAAA=A=")) != "signature"
    )  # what cannot be decoded has no kind


def test_braintree_only_pairs_of_our_public_key_count():
    key = hashlib.sha1(b"priv").digest()
    mac = hmac.new(key, b"PGE+", "sha1").hexdigest()
    for signatures, right in (
        (f"pub|{mac}", True),
        (f"x|y&pub|{mac}", True),
        (f"pub|{'0' * 40}&pub|{mac}", True),
        (f"other|{mac}", False),
        (f"pub|{mac.upper()}", False),
        (f"pub|{mac}|", False),
        (mac, False),
        ("pub|", False),
    ):
        body = urlencode({"bt_signature": signatures, "bt_payload": "PGE+"}).encode()
        assert isinstance(judge("braintree", SignedRequest("POST", "", FORM, body)), Verified) == right, (
            signatures
        )


def test_braintree_the_key_is_the_private_keys_digest_and_not_itself():
    mac = hmac.new(b"priv", b"PGE+", "sha1").hexdigest()
    body = urlencode({"bt_signature": f"pub|{mac}", "bt_payload": "PGE+"}).encode()
    assert judge("braintree", SignedRequest("POST", "", FORM, body)) == "signature"


@pytest.mark.parametrize("body", [b"", b"bt_signature=a", b"bt_payload=a", b"bt_signature=&bt_payload=a", b"bt_signature=a&bt_signature=b&bt_payload=a",
                                  b"bt_signature=a&bt_payload=%3C", b"bt_signature=a&bt_payload=a&bt_payload=b", "é".encode()])  # fmt: skip
def test_braintree_an_odd_form_is_a_rejection(body):
    assert judge("braintree", SignedRequest("POST", "", FORM, body)) in ("missing", "malformed")

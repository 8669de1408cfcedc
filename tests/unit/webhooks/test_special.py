"""Code schemes: what holds for all of them. Their vectors are in the conformance tests."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.webhooks.compiled import check
from causeway.webhooks.patterns import SchemeError, SignedRequest
from causeway.webhooks.providers.code import CODE
from causeway.webhooks.special import SPECIAL
from causeway.webhooks.verify import Verified, signature_headers, unusable
from tests.support.code_schemes import FORM, ITEM, JSON, SECRETS, judge, signed


def test_the_table_and_its_records_are_right():
    for schemes in CODE.values():
        for scheme in schemes:
            check(scheme)
            assert all(name == name.lower() for name in signature_headers(scheme))
    assert {scheme["code"] for schemes in CODE.values() for scheme in schemes if "code" in scheme} == set(
        SPECIAL
    )
    with pytest.raises(SchemeError, match="not known"):
        check({"code": "nobody"})


@pytest.mark.parametrize("code", sorted(SPECIAL))
@given(
    body=st.binary(max_size=200),
    url=st.text(max_size=60),
    names=st.lists(st.text(max_size=40), max_size=4),
    data=st.data(),
)
def test_nothing_but_a_rejection_comes_of_what_is_no_delivery(code, body, url, names, data):
    known = ["x-twilio-signature", "authorization", "x-contentful-signature", "x-contentful-timestamp", "x-contentful-signed-headers",
             "paypal-cert-url", "paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-auth-algo"]  # fmt: skip
    headers = {data.draw(st.sampled_from(known)): name for name in names}
    secrets = [data.draw(st.sampled_from([*SECRETS.values(), "", "{}", "[1]", '{"client_state": 1}']))]
    assert isinstance(judge(code, SignedRequest("POST", url, headers, body), secrets), str)


@pytest.mark.parametrize("code", sorted(SECRETS))
def test_any_secret_may_match_and_an_unusable_one_hinders_no_other(code):
    body = json.dumps(
        {"notificationItems": [{"NotificationRequestItem": ITEM}], "value": [{"id": "1"}]}
    ).encode()
    body = {"braintree": b"PGE+", "twilio": b"A=1", "twilio-sha256": b"A=1"}.get(code, body)
    request = signed(code, body, FORM if code.startswith("twilio") else JSON)
    verified = judge(code, request, ["", " ", SECRETS[code]])
    assert isinstance(verified, Verified)
    assert verified.secret_index == 2
    assert judge(code, request, []) == judge(code, request, ["", " "]) == "secret"
    assert unusable([{"code": code}], ["", SECRETS[code]]) == [0]

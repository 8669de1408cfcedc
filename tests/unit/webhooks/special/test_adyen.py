"""What Adyen binds and refuses, beyond its vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from causeway.events.expressions import select
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.providers.code import CODE
from causeway.webhooks.special import special
from causeway.webhooks.verify import Verified
from tests.support.code_schemes import ITEM, SECRETS, judge, signed
from tests.support.publishers import NOW


def test_adyen_a_dispute_is_several_events_under_one_reference():
    def item_id(code: str) -> Any:
        return select(
            CODE["adyen"][1]["id"], {"body": {"NotificationRequestItem": {**ITEM, "eventCode": code}}}
        )

    codes = ("AUTHORISATION", "NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED")
    assert [item_id(code) for code in codes] == ["1", *(f"{code}/1" for code in codes[1:])]


def items(*changed: dict[str, Any]) -> bytes:
    return json.dumps(
        {"notificationItems": [{"NotificationRequestItem": {**ITEM, **each}} for each in changed]}
    ).encode()


def test_adyen_every_item_must_verify_not_only_the_first():
    request = signed("adyen-items", items({}, {"pspReference": "2"}))
    assert isinstance(judge("adyen-items", request), Verified)
    body = json.loads(request.body)
    for number in range(2):
        forged = json.loads(request.body)
        forged["notificationItems"][number]["NotificationRequestItem"]["amount"]["value"] = 1
        assert judge("adyen-items", request._replace(body=json.dumps(forged).encode())) == "signature"
        del forged["notificationItems"][number]["NotificationRequestItem"]["additionalData"]
        assert judge("adyen-items", request._replace(body=json.dumps(forged).encode())) in (
            "missing",
            "signature",
        )
    body["notificationItems"].append({"NotificationRequestItem": ITEM})
    assert judge("adyen-items", request._replace(body=json.dumps(body).encode())) == "missing"


def test_adyen_items_may_be_signed_by_the_old_key_and_the_new():
    first = json.loads(signed("adyen-items", items({})).body)["notificationItems"]
    other = "74F490DD33F7327BAECC88B2947C011F"
    module = special({"code": "adyen-items"})
    assert module is not None
    second = module.sign({"code": "adyen-items"}, SignedRequest("POST", "", {}, items({})), other, now=NOW)
    both = json.dumps({"notificationItems": first + json.loads(second.body)["notificationItems"]}).encode()
    request = SignedRequest("POST", "", {}, both)
    assert isinstance(judge("adyen-items", request, [SECRETS["adyen-items"], other]), Verified)
    assert judge("adyen-items", request) == "signature"


@pytest.mark.parametrize(
    "field", ["pspReference", "originalReference", "merchantAccountCode", "eventCode", "success"]
)
def test_adyen_a_colon_may_be_in_the_merchants_reference_alone(field):
    """The fields are joined by colons that nobody escapes, so two items could have one signature."""
    data = json.loads(signed("adyen-items", items({})).body)
    item = data["notificationItems"][0]["NotificationRequestItem"]
    item[field] = "a:b"
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


def test_adyen_a_shift_across_the_colons_is_not_the_same_item():
    data = json.loads(signed("adyen-items", items({"merchantReference": "R:1"})).body)
    item = data["notificationItems"][0]["NotificationRequestItem"]
    item["merchantAccountCode"], item["merchantReference"] = "M:R", "1"
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


@pytest.mark.parametrize("value", [1130.0, [1130], {"v": 1}])
def test_adyen_a_field_that_is_neither_text_nor_whole_number_is_malformed(value):
    data = json.loads(signed("adyen-items", items({})).body)
    data["notificationItems"][0]["NotificationRequestItem"]["amount"]["value"] = value
    assert judge("adyen-items", SignedRequest("POST", "", {}, json.dumps(data).encode())) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"",
        b'{"notificationItems": []}',
        b'{"notificationItems": [1]}',
        b'{"notificationItems": [{}]}',
        b"\xff",
    ],
)
def test_adyen_no_items_are_no_proof(body):
    assert judge("adyen-items", SignedRequest("POST", "", {}, body)) in ("missing", "malformed")

"""Requests as code schemes sign them, and what is said of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.special import special
from causeway.webhooks.verify import Rejected, Verified, verify
from tests.support.publishers import NOW, Web, fetcher

if TYPE_CHECKING:
    from causeway.plan.records import Scheme


URL = "https://hooks.example.com/webhooks/x?b=2&a=1%20x"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
SECRETS = {
    "adyen-items": "44782DEF547AAA06C910C43932B1EB0C",
    "braintree": json.dumps({"public_key": "pub", "private_key": "priv"}),
    "contentful": "a" * 64,
    "atlassian-connect": "shared secret of an installation",
    "microsoft-graph": "client state",
    "twilio": "token",
    "twilio-sha256": "token",
}
ITEM = {"pspReference": "1", "merchantAccountCode": "M", "merchantReference": "R:1", "eventCode": "AUTHORISATION", "success": "true",
        "amount": {"value": 1130, "currency": "EUR"}}  # fmt: skip


def judge(
    code: str,
    request: SignedRequest,
    secrets: list[str] | None = None,
    web: Web | None = None,
    *,
    now: float = NOW,
    tolerance: float | None = None,
) -> Verified | str:
    try:
        return verify(
            [{"code": code}], request, [SECRETS[code]] if secrets is None else secrets, tolerance=tolerance, now=now,
            fetch=None if web is None else fetcher(web),
        )  # fmt: skip
    except Rejected as error:
        return error.rule


def signed(
    code: str, body: bytes = b"", headers: dict[str, str] | None = None, *, url: str = URL
) -> SignedRequest:
    scheme: Scheme = {"code": code}
    module = special(scheme)
    assert module is not None
    return module.sign(scheme, SignedRequest("POST", url, headers or {}, body), SECRETS[code], now=NOW)

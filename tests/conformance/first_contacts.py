"""What providers ask before they send events, and the answers that their documentation wants."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.conformance.deliveries import NOW, URL, Delivery, b64, mac
from tests.conformance.oracles import KINDS

if TYPE_CHECKING:
    from tests.conformance.deliveries import Vector

_KINDS = {kind.name: kind for kind in KINDS}
_SECRET = "secret one"
_JSON = {"Content-Type": "application/json"}
_TEXT = {"status": 200, "content_type": "text/plain"}


def _contact(
    name: str,
    delivery: Delivery,
    response: dict[str, Any],
    *,
    secret: Any = _SECRET,
    valid: bool = True,
    **more: Any,
) -> Vector:
    return {
        "id": f"{name}/first-contact" if "/" not in name else name, "provider": name.partition("/")[0], "kind": "handshake", "secret": secret,
        **delivery._asdict(), "now": NOW, "valid": valid, "expected_event_id": None, "expected_event_type": None,
        "expected_response": response, **more,
    }  # fmt: skip


def _signed(name: str, body: Any, response: dict[str, Any], *, wrong: bool = False, **more: Any) -> Vector:
    kind = _KINDS[name]
    text = body if isinstance(body, str) else json.dumps(body)
    delivery = kind.sign(Delivery({**_JSON, **kind.sent}, text), kind.secrets[1 if wrong else 0], NOW)
    return _contact(name, delivery, response, secret=kind.secrets[0], valid=not wrong, **more)


def _get(query: str = "", headers: dict[str, str] | None = None) -> Delivery:
    return Delivery(headers or {}, "", "GET", f"{URL.partition('?')[0]}?{query}" if query else URL)


def _answer(document: Any) -> dict[str, Any]:
    return {"status": 200, "content_type": "application/json", "json": document}


_BRAINTREE = {"public_key": "integration_public_key", "private_key": "integration_private_key"}
_CHALLENGE = "20f9f8ed05f77439fe955c977e4c8a53"
_BRAINTREE_KEY = hashlib.sha1(_BRAINTREE["private_key"].encode()).digest()
_HOOK_SECRET = {"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"}
_NOTION_TOKEN = json.dumps({"verification_token": "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce"})
_SNS = _KINDS["aws-sns/subscription"]

FIRST_CONTACTS: list[Vector] = [
    # https://docs.slack.dev/reference/events/url_verification
    _signed("slack", {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV"}, {**_TEXT, "body": "3eZbrw1aBm2rZgRNFdxV"}, expected_event_type="url_verification"),
    # https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
    _signed("zoom", {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}},
            _answer({"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": mac(_SECRET, b"qgg8vlvZRS6UYooatFL8Aw").hex()}), expected_event_type="endpoint.url_validation"),
    # https://docs.x.com/x-api/webhooks/quickstart
    _contact("x", _get("crc_token=9b4507b3-9040"), _answer({"response_token": "sha256=" + b64(mac(_SECRET, b"9b4507b3-9040"))})),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
    _contact("meta", _get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meaty"), {**_TEXT, "body": "1158201444"}, secret={"verify_token": "meaty"}),
    # https://www.dropbox.com/developers/reference/webhooks
    _contact("dropbox", _get("challenge=abc123"), {**_TEXT, "body": "abc123", "headers": {"X-Content-Type-Options": "nosniff"}}),
    # https://docs.discord.com/developers/interactions/overview
    _signed("discord", {"type": 1, "id": "1"}, _answer({"type": 1}), expected_event_type="1"),
    # https://developers.asana.com/docs/webhooks-guide
    _contact("asana", Delivery(_HOOK_SECRET, "{}"), {"status": 200, "headers": _HOOK_SECRET}),
    # https://developers.notion.com/reference/webhooks
    _contact("notion", Delivery(_JSON, _NOTION_TOKEN), {"status": 200}),
    # https://developer.okta.com/docs/concepts/event-hooks/#one-time-verification-request
    _contact("okta", _get(headers={"x-okta-verification-challenge": "Va9FaRRw5fQHEjrT"}), _answer({"verification": "Va9FaRRw5fQHEjrT"})),
    # https://developer.monday.com/api-reference/reference/webhooks
    _contact("monday", Delivery(_JSON, '{"challenge":"3eZbrw1a"}'), _answer({"challenge": "3eZbrw1a"})),
    # https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
    _contact("microsoft-graph", Delivery({}, "", "POST", f"{URL}&validationToken=Validation%3A+Testing"), {**_TEXT, "body": "Validation: Testing"}),
    # https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
    _signed("aws-sns/subscription", _SNS.body, {"status": 200}, id="aws-sns/first-contact", expected_event_id="22b80b92", expected_event_type="SubscriptionConfirmation"),
    # https://developer.paypal.com/braintree/docs/guides/webhooks/create
    _contact("braintree", _get(f"bt_challenge={_CHALLENGE}"), {**_TEXT, "body": f"integration_public_key|{mac(_BRAINTREE_KEY, _CHALLENGE.encode(), 'sha1').hex()}"},
             secret=_BRAINTREE),
    # https://woocommerce.com/document/webhooks/
    _contact("woocommerce", Delivery({"Content-Type": "application/x-www-form-urlencoded"}, "webhook_id=142"), {"status": 200}),
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/
    _contact("trello", Delivery({}, "", "HEAD"), {"status": 200}),
    # https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/
    _signed("xero", {"events": [], "entropy": "S0m3"}, {"status": 200, "body": ""}),
    _signed("xero", {"events": [], "entropy": "S0m3"}, {"status": 401, "body": ""}, wrong=True, id="xero/first-contact/wrong-secret"),
]  # fmt: skip

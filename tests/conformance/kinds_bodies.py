"""Deliveries whose whole body is signed, and nothing else."""

from __future__ import annotations

import base64
import html
import unicodedata
from typing import TYPE_CHECKING, Any

from tests.conformance.deliveries import (
    BodySample,
    Kind,
    b64,
    body_of,
    event,
    headed,
    header,
    mac,
    said,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ASCII = event(id="evt_1").replace("Zoë 日本語", "Zoe")


def _hex(prefix: str = "", digest: str = "sha256") -> Callable[[str, bytes], str]:
    return lambda secret, body: prefix + mac(secret, body, digest).hex()


def _base64(prefix: str = "") -> Callable[[str, bytes], str]:
    return lambda secret, body: prefix + b64(mac(secret, body))


def _easypost(secret: str, body: bytes) -> str:
    return "hmac-sha256-hex=" + mac(unicodedata.normalize("NFKD", secret), body).hex()


def _woocommerce(secret: str, body: bytes) -> str:
    return b64(mac(html.unescape(secret), body))


def _airtable(secret: str, body: bytes) -> str:
    return "hmac-sha256=" + mac(base64.b64decode(secret), body).hex()


def _adyen(secret: str, body: bytes) -> str:
    return b64(mac(bytes.fromhex(secret), body))


HEX, BASE64 = _hex(), _base64()

# Header, what is expected in it, further headers, body, and the ids and types of the events; where it is written.
_ROWS: dict[str, tuple[str, Callable[[str, bytes], str], Mapping[str, str], str, list[tuple[str | None, str | None]], str]] = {
    "github": ("X-Hub-Signature-256", _hex("sha256="), {"X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-GitHub-Event": "pull_request"},
               event(action="opened"), [("72d3162e-cc78-11e3-81ab-4c9367dc0958", "pull_request")],
               "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#python-example"),
    "bitbucket/data-center": ("X-Hub-Signature", _hex("sha256="), {"X-Request-Id": "7e5c0b7e-6f0f-4b4e", "X-Event-Key": "repo:refs_changed"},
                              event(push={}), [("7e5c0b7e-6f0f-4b4e", "repo:refs_changed")],
                              "https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html"),
    "bitbucket": ("X-Hub-Signature", _hex("sha256="), {"X-Request-UUID": "7e5c0b7e-6f0f-4b4e", "X-Event-Key": "repo:push"},
                  event(push={}), [("7e5c0b7e-6f0f-4b4e", "repo:push")],
                  "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/"),
    "jira": ("X-Hub-Signature", _hex("sha256="), {"X-Atlassian-Webhook-Identifier": "9a1c9b6e"}, event(webhookEvent="jira:issue_updated"),
             [("9a1c9b6e", "jira:issue_updated")], "https://developer.atlassian.com/cloud/jira/platform/webhooks/"),
    "meta": ("X-Hub-Signature-256", _hex("sha256="), {}, event(entry=[{"changes": [{"field": "messages", "value": {"messages": [{"id": "wamid.1"}]}}, {"field": "feed", "value": {}}]}]),
             [("wamid.1", "messages"), (None, "feed")], "https://developers.facebook.com/docs/messenger-platform/webhooks"),
    "shopify": ("X-Shopify-Hmac-Sha256", BASE64, {"X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37", "X-Shopify-Topic": "orders/paid"}, event(id=1),
                [("b54557e4-bdd9-4b37", "orders/paid")], "https://shopify.dev/docs/apps/build/webhooks/subscribe/https"),
    "shopify/events": ("Shopify-Hmac-Sha256", BASE64, {"Shopify-Webhook-Id": "b54557e4-bdd9-4b37", "Shopify-Topic": "orders/paid"}, event(id=1),
                       [("b54557e4-bdd9-4b37", "orders/paid")], "https://shopify.dev/docs/apps/build/webhooks/subscribe/https"),
    "x": ("x-twitter-webhooks-signature", _base64("sha256="), {}, event(for_user_id="1", tweet_create_events=[{"id": 1}]), [(None, "tweet_create_events")],
          "https://docs.x.com/x-api/webhooks/quickstart"),
    "line": ("x-line-signature", BASE64, {}, event(destination="U1", events=[{"type": "message", "webhookEventId": "01H"}, {"type": "follow", "webhookEventId": "01J"}]),
             [("01H", "message"), ("01J", "follow")], "https://developers.line.biz/en/reference/messaging-api/#signature-validation"),
    "xero": ("x-xero-signature", BASE64, {}, event(events=[{"eventCategory": "CONTACT", "eventType": "UPDATE"}, {"eventCategory": "INVOICE", "eventType": "CREATE"}]),
             [(None, "CONTACT.UPDATE"), (None, "INVOICE.CREATE")], "https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/"),
    "quickbooks": ("intuit-signature", BASE64, {},
                   event(eventNotifications=[{"realmId": "1", "dataChangeEvent": {"entities": [{"name": "Customer", "id": "1", "operation": "Create"}]}}]),
                   [(None, "Customer.Create")], "https://github.com/IntuitDeveloper/SampleApp-Webhooks-nodejs"),
    "woocommerce": ("X-WC-Webhook-Signature", _woocommerce, {"X-WC-Webhook-Delivery-ID": "e5f3a4c1", "X-WC-Webhook-Topic": "order.updated"}, event(id=727),
                    [("e5f3a4c1", "order.updated")], "https://github.com/woocommerce/woocommerce (class-wc-webhook.php, generate_signature)"),
    "docusign": ("X-DocuSign-Signature-1", BASE64, {"X-Authorization-Digest": "HMACSHA256"},
                 event(event="envelope-completed", generatedDateTime="2025-10-09T08:53:20Z", data={"envelopeId": "e1"}),
                 [("e1/envelope-completed/2025-10-09T08:53:20Z", "envelope-completed")], "https://developers.docusign.com/platform/webhooks/connect/validate/"),
    "docusign/last-key": ("X-DocuSign-Signature-100", BASE64, {"X-DocuSign-Signature-1": "AAAA", "X-DocuSign-Signature-2": "BBBB"}, event(event="envelope-sent"),
                          [(None, "envelope-sent")], "https://developers.docusign.com/platform/webhooks/connect/validate/"),
    "typeform": ("Typeform-Signature", _base64("sha256="), {}, event(event_id="01F", event_type="form_response"), [("01F", "form_response")],
                 "https://www.typeform.com/developers/webhooks/secure-your-webhooks/"),
    "dropbox": ("X-Dropbox-Signature", HEX, {}, event(list_folder={"accounts": ["dbid:1"]}), [(None, "list_folder")],
                "https://www.dropbox.com/developers/reference/webhooks"),
    "lemonsqueezy": ("X-Signature", HEX, {"X-Event-Name": "order_created"}, event(meta={"event_name": "order_created"}), [(None, "order_created")],
                     "https://docs.lemonsqueezy.com/help/webhooks/signing-requests"),
    "lemonsqueezy/body-alone": ("X-Signature", HEX, {}, event(meta={"event_name": "order_created"}), [(None, "order_created")],
                     "https://docs.lemonsqueezy.com/help/webhooks/signing-requests"),
    "sentry": ("Sentry-Hook-Signature", HEX, {"Request-ID": "6b7c3a9e", "Sentry-Hook-Resource": "issue"}, event(action="created"),
               [("6b7c3a9e", "issue.created")], "https://github.com/getsentry/integration-platform-example (verify_sentry_signature.py)"),
    "sentry/app": ("Sentry-App-Signature", HEX, {"Request-ID": "6b7c3a9e", "Sentry-Hook-Resource": "issue"}, event(action="created"),
               [("6b7c3a9e", "issue.created")], "https://github.com/getsentry/integration-platform-example (verify_sentry_signature.py)"),
    "notion": ("X-Notion-Signature", _hex("sha256="), {}, event(id="367cba44", type="page.created"), [("367cba44", "page.created")],
               "https://developers.notion.com/reference/webhooks"),
    "asana": ("X-Hook-Signature", HEX, {}, event(events=[{"action": "changed", "resource": {"gid": "1", "resource_type": "task"}},
                                                        {"action": "added", "resource": {"gid": "2", "resource_type": "story"}}]),
              [(None, "task.changed"), (None, "story.added")], "https://developers.asana.com/docs/webhooks-guide"),
    "adyen/header": ("HmacSignature", _adyen, {"Protocol": "HmacSHA256"}, event(type="balancePlatform.transfer.created"),
                     [(None, "balancePlatform.transfer.created")], "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures"),
    "airtable": ("X-Airtable-Content-MAC", _airtable, {}, _ASCII, [(None, None)], "https://airtable.com/developers/web/api/webhooks-overview"),
    "intercom": ("X-Hub-Signature", _hex("sha1=", "sha1"), {}, event(id="notif_1", topic="user.created"), [("notif_1", "user.created")],
                 "https://developers.intercom.com/docs/references/webhooks/webhook-models"),
    "vercel": ("x-vercel-signature", _hex("", "sha1"), {}, event(id="uev_1", type="deployment.created"), [("uev_1", "deployment.created")],
               "https://vercel.com/docs/webhooks/webhooks-api"),
    "heroku": ("Heroku-Webhook-Hmac-SHA256", BASE64, {}, event(webhook_metadata={"event": {"id": "e1", "include": "api:build"}}, resource="build", action="create"),
               [("e1", "build.create")], "https://devcenter.heroku.com/articles/app-webhooks"),
    "heroku/body-id": ("Heroku-Webhook-Hmac-SHA256", BASE64, {}, event(id="e2", resource="build", action="create"),
               [("e2", "build.create")], "https://devcenter.heroku.com/articles/app-webhooks"),
    "checkout-com": ("Cko-Signature", HEX, {}, event(id="evt_x", type="payment_approved"), [("evt_x", "payment_approved")],
                     "https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks"),
    "npm": ("x-npm-signature", _hex("sha256="), {}, event(event="package:publish"), [(None, "package:publish")], "https://github.com/npm/npm-hook-receiver"),
    "razorpay": ("X-Razorpay-Signature", HEX, {"x-razorpay-event-id": "evt_r"}, event(event="payment.captured"), [("evt_r", "payment.captured")],
                 "https://razorpay.com/docs/webhooks/validate-test/"),
    "mollie": ("X-Mollie-Signature", _hex("sha256="), {}, event(id="event_m", type="payment-link.paid"), [("event_m", "payment-link.paid")],
               "https://docs.mollie.com/reference/webhooks-new"),
    "coinbase-commerce": ("X-CC-Webhook-Signature", HEX, {}, event(event={"id": "24934862", "type": "charge:created"}), [("24934862", "charge:created")],
                          "https://docs.cdp.coinbase.com/commerce/docs/webhooks-security"),
    "gocardless": ("Webhook-Signature", HEX, {}, event(events=[{"id": "EV1", "resource_type": "payments", "action": "confirmed"},
                                                               {"id": "EV2", "resource_type": "mandates", "action": "created"}], meta={"webhook_id": "WB1"}),
                   [("EV1", "payments.confirmed"), ("EV2", "mandates.created")], "https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks"),
    "easypost": ("X-Hmac-Signature", _easypost, {}, event(id="evt_e", description="tracker.updated"), [("evt_e", "tracker.updated")],
                 "https://docs.easypost.com/guides/webhooks-guide"),
    "klarna": ("Klarna-Signature", HEX, {"Klarna-Signing-Key-Id": "krn:1"}, event(metadata={"event_id": "k1", "event_type": "payment.request.completed"}),
               [("k1", "payment.request.completed")], "https://docs.klarna.com/ (Klarna's plug-in for WooCommerce, validate_request)"),
}  # fmt: skip

# The provider's own library, which answers in the sample's stead.
LIBRARIES = {
    "adyen/header": "Adyen",
    "airtable": "pyairtable",
    "coinbase-commerce": "coinbase_commerce",
    "easypost": "easypost",
    "gocardless": "gocardless_pro",
    "mollie": "mollie",
    "razorpay": "razorpay",
}
_SECRETS: dict[str, Any] = {
    "adyen/header": ("44782DEF547AAA06C910C43932B1EB0C", "74F490DD33F7327BAECC88B2947C011F"),
    "airtable": (b64(bytes(range(32))), b64(bytes(range(32, 64)))),
    "easypost": ("sécret ﬁ", "secret two"),
    "woocommerce": ('a&b"secret', "secret two"),
    "xero": (b64(bytes(range(32))), b64(bytes(range(32, 64)))),
}

_MORE: dict[str, Any] = {
    "adyen/header": {
        "cases": {"another-protocol": headed(Protocol="HmacSHA1")},
        "stricter": {"another-protocol": "its caller is to look at the header"},
    },
}

SAMPLES = {
    f"{name}'s sample": BodySample(row[0], row[1]) for name, row in _ROWS.items() if name not in LIBRARIES
}


def _kind(name: str) -> Kind:
    where, expected, sent, body, events, source = _ROWS[name]
    return Kind(
        name=name,
        oracle=LIBRARIES.get(name, f"{name}'s sample"),
        sign=BodySample(where, expected).sign,
        secrets=_SECRETS.get(name, ("secret one", "secret two")),
        body=body,
        header=where,
        sent=sent,
        events=tuple(events),
        lists=(lambda one, two: f"{one},{two}") if name == "mollie" else None,
        source=source,
        **_MORE.get(name, {}),
    )


def _versioned(name: str, where: str, body: str, source: str, **more: Any) -> Kind:
    """A comma list of signatures of which some are of other versions."""
    return Kind(
        name=name,
        oracle=f"{name}'s sample",
        sign=BodySample(where, _hex("v1=")).sign,
        body=body,
        header=where,
        lists=lambda one, two: f"{one},v2=00,{two}",
        source=source,
        **more,
    )


def _listing(where: str) -> Callable[[dict[str, Any]], str]:
    def says(vector: dict[str, Any]) -> str:
        expected = _hex("v1=")(vector["secret"], body_of(vector))
        return said(any(same(expected, each.strip()) for each in (header(vector, where) or "").split(",")))

    return says


KINDS = [
    *(_kind(name) for name in _ROWS),
    _versioned("pagerduty", "X-PagerDuty-Signature", event(event={"id": "01B", "event_type": "incident.triggered"}),
               "https://developer.pagerduty.com/docs/verifying-webhook-signatures", events=(("01B", "incident.triggered"),)),
    _versioned("circleci", "circleci-signature", event(id="3888f21b"), "https://circleci.com/docs/guides/integration/outbound-webhooks/",
               events=(("3888f21b", "workflow-completed"),), sent={"circleci-event-type": "workflow-completed"}),
]  # fmt: skip
SAMPLES["pagerduty's sample"] = _listing("X-PagerDuty-Signature")
SAMPLES["circleci's sample"] = _listing("circleci-signature")

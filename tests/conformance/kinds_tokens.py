"""Deliveries that carry the secret itself, and items that are signed one by one inside the body."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.conformance.deliveries import (
    Delivery,
    Kind,
    b64,
    edited,
    event,
    header,
    mac,
    said,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conformance.deliveries import Vector

NOTHING: frozenset[str] = frozenset()


class _Token:
    """The header is the secret."""

    def __init__(self, where: str) -> None:
        self._where = where

    def sign(self, delivery: Delivery, secret: str, _now: int) -> Delivery:
        return delivery.with_headers({self._where: secret})

    def __call__(self, vector: Vector) -> str:
        return said(same(vector["secret"], header(vector, self._where)))


def _sign_basic(delivery: Delivery, secret: str, _now: int) -> Delivery:
    return delivery.with_headers({"Authorization": "Basic " + b64(secret.encode())})


def _basic(vector: Vector) -> str:
    """RFC 7617: user and password, parted by the first colon."""
    kind, _, text = (header(vector, "Authorization") or "").partition(" ")
    try:
        given = base64.b64decode(text, validate=True).decode()
    except ValueError:
        return "rejects"
    return said(kind == "Basic" and same(vector["secret"], given))


def _sign_url(delivery: Delivery, secret: str, _now: int) -> Delivery:
    return delivery._replace(url=f"{delivery.url}&token={secret}")


def _in_url(vector: Vector) -> str:
    """The URL ends with a parameter that nobody else knows."""
    values = parse_qs(urlsplit(vector["url"]).query).get("token", [])
    return said(len(values) == 1 and same(vector["secret"], values[0]))


_FORM = "application/x-www-form-urlencoded"
_BRIDGE = event(**{"id": "6a7e8feb", "detail-type": "EC2 Instance State-change Notification"})
_TOKENS: dict[str, tuple[str, Mapping[str, str], str, tuple[str | None, str | None], str]] = {
    "gitlab/token": ("X-Gitlab-Token", {"X-Gitlab-Event": "Push Hook", "Idempotency-Key": "f5e57f64"}, event(object_kind="push"), ("f5e57f64", "Push Hook"),
                     "https://docs.gitlab.com/user/project/integrations/webhooks/"),
    "telegram": ("X-Telegram-Bot-Api-Secret-Token", {}, '{"update_id":10000,"message":{"message_id":1365,"text":"/start"}}', ("10000", "message"),
                 "https://core.telegram.org/bots/api#setwebhook"),
    "okta": ("Authorization", {}, event(eventId="ev_1", eventType="com.okta.event_hook"), ("ev_1", "com.okta.event_hook"),
             "https://developer.okta.com/docs/concepts/event-hooks/"),
    "google-calendar": ("X-Goog-Channel-Token", {"X-Goog-Channel-ID": "4ba78bf0", "X-Goog-Message-Number": "10", "X-Goog-Resource-State": "exists"},
                        "{}", ("4ba78bf0/10", "exists"), "https://developers.google.com/workspace/calendar/api/guides/push"),
    "auth0-log-stream": ("Authorization", {}, event(x=1).replace('{"x":1,', '[{"log_id":"90020","data":{"type":"s"},') + "]", ("90020", "s"), "https://auth0.com/docs/customize/log-streams/custom-log-streams"),
    "datadog": ("X-Webhook-Token", {}, event(id="1"), (None, None), "https://docs.datadoghq.com/integrations/webhooks/"),
    "buildkite-token": ("X-Buildkite-Token", {"X-Buildkite-Event": "build.finished"}, event(event="build.finished"), (None, "build.finished"),
                        "https://buildkite.com/docs/apis/webhooks"),
    "amazon-eventbridge/key": ("X-Api-Key", {}, _BRIDGE, ("6a7e8feb", "EC2 Instance State-change Notification"),
                               "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html"),
}  # fmt: skip
_IN_URL: dict[str, tuple[str, str, tuple[str | None, str | None], str]] = {
    "docker-hub": ("application/json", event(push_data={"tag": "latest"}), (None, None), "https://docs.docker.com/docker-hub/repos/manage/webhooks/"),
    "gumroad": (_FORM, "sale_id=s1&price=1250", (None, None), "https://gumroad.com/ping"),
    "salesforce-outbound": ("text/xml", "<notifications><OrganizationId>1</OrganizationId></notifications>", (None, None),
                            "https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm"),
    "mollie-legacy": (_FORM, "id=tr_1", (None, None), "https://docs.mollie.com/reference/webhooks"),
}  # fmt: skip
_BASIC: dict[str, tuple[str, tuple[str | None, str | None], str]] = {
    "chargebee": (event(id="ev_16", event_type="invoice_generated"), ("ev_16", "invoice_generated"), "https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings"),
    "pipedrive": (event(meta={"action": "change", "entity": "deal"}), (None, None), "https://pipedrive.readme.io/docs/guide-for-webhooks-v2"),
    "postmark": (event(RecordType="Bounce"), (None, "Bounce"), "https://postmarkapp.com/developer/webhooks/webhooks-overview"),
    "amazon-eventbridge": (_BRIDGE, ("6a7e8feb", "EC2 Instance State-change Notification"), "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html"),
    "recurly-xml": ("<new_account_notification><account><account_code>1</account_code></account></new_account_notification>", (None, None),
                    "https://docs.recurly.com/recurly-subscriptions/docs/webhooks"),
}  # fmt: skip


# ---- Adyen's items ----

_FIELDS = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")


def _sign_adyen(delivery: Delivery, secret: str, _now: int) -> Delivery:
    body = json.loads(delivery.body)
    for each in body["notificationItems"]:
        item: dict[str, Any] = each["NotificationRequestItem"]
        values = [item.get(name, "") for name in _FIELDS]
        values += [
            str(item["amount"]["value"]),
            item["amount"]["currency"],
            item["eventCode"],
            item["success"],
        ]
        made = b64(mac(bytes.fromhex(secret), ":".join(values).encode()))
        item["additionalData"] = {"hmacSignature": made}
    return delivery._replace(body=json.dumps(body, ensure_ascii=False))


def _adyen_body(*references: str) -> str:
    items = [
        {"amount": {"currency": "EUR", "value": 1130}, "pspReference": each, "eventCode": "AUTHORISATION", "success": "true",
         "merchantAccountCode": "Zoë", "merchantReference": "a\\b/12.50", "eventDate": "2019-05-06T17:15:34.121+02:00"}
        for each in references
    ]  # fmt: skip
    return json.dumps(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": each} for each in items]}
    )


def _second_item_forged(delivery: Delivery) -> Delivery:
    first, _, second = delivery.body.rpartition("AUTHORISATION")
    return delivery._replace(body=f"{first}REFUND{second}")


# ---- Braintree ----


def _sign_braintree(delivery: Delivery, secret: dict[str, str], _now: int) -> Delivery:
    payload = base64.encodebytes(delivery.body.encode()).decode()
    key = hashlib.sha1(secret["private_key"].encode()).digest()  # their way
    made = f"{secret['public_key']}|{mac(key, payload.encode(), 'sha1').hex()}"
    return delivery._replace(
        body=urlencode({"bt_signature": f"bogus|deadbeef&{made}", "bt_payload": payload})
    )


_BRAINTREE = (
    {"public_key": "integration_public_key", "private_key": "integration_private_key"},
    {"public_key": "integration_public_key", "private_key": "another"},
)
_XML = (
    '<notification><timestamp type="datetime">2025-10-09T08:53:20Z</timestamp>'
    '<kind>subscription_went_past_due</kind><subject><subscription><id>12.50</id><transactions type="array"/>'
    '<add_ons type="array"/><discounts type="array"/></subscription></subject></notification>'
)

_SAMPLES = {f"{name}'s header": _Token(row[0]) for name, row in _TOKENS.items()}
SAMPLES: dict[str, Callable[[Vector], str]] = {
    **_SAMPLES,
    "RFC 7617": _basic,
    "the URL's own secret": _in_url,
}

KINDS = [
    *(
        Kind(name=name, oracle=f"{name}'s header", sign=_SAMPLES[f"{name}'s header"].sign, secrets=("token-one", "token-two"),
             header=where, sent=sent, body=body, events=(told,), covers=NOTHING, source=source)
        for name, (where, sent, body, told, source) in _TOKENS.items()
    ),
    *(
        Kind(name=name, oracle="RFC 7617", sign=_sign_basic, secrets=("user:pa:ss", "user:pass"), header="Authorization", body=body,
             events=(told,), covers=NOTHING, source=source)
        for name, (body, told, source) in _BASIC.items()
    ),
    *(
        Kind(name=name, oracle="the URL's own secret", sign=_sign_url, secrets=("token-one", "token-two"), sent={"Content-Type": kind}, body=body,
             events=(told,), covers=NOTHING, source=source, cases={
                 "twice": lambda delivery: delivery._replace(url=f"{delivery.url}&token=x"),
                 "none": lambda delivery: delivery._replace(url=delivery.url.partition("&token")[0]),
                 "another": lambda delivery: delivery._replace(url=f"{delivery.url}x"),
             })
        for name, (kind, body, told, source) in _IN_URL.items()
    ),
    Kind(name="adyen/items", oracle="Adyen, of every item", sign=_sign_adyen, empty=False, inside=True,
         secrets=("44782DEF547AAA06C910C43932B1EB0C", "74F490DD33F7327BAECC88B2947C011F"), body=_adyen_body("7914073381342284", "7914073381342285"),
         covers=frozenset({"body", "reserialised-is-right"}), events=(("7914073381342284", "AUTHORISATION"), ("7914073381342285", "AUTHORISATION")), cases={
             "success-flipped": edited('"success": "true"', '"success": "false"'),
             "second-forged": _second_item_forged,
             "no-signature": edited("hmacSignature", "hmacSignatur"),
             "no-items": edited("notificationItems", "notificationItem"),
         }),
    Kind(name="braintree", oracle="braintree", sign=_sign_braintree, secrets=_BRAINTREE, sent={"Content-Type": "application/x-www-form-urlencoded"},
         body=_XML, events=((None, "subscription_went_past_due"),), tampered=("bt_payload=PG", "bt_payload=PH"), empty=False, inside=True, cases={
             "another-public-key": edited("integration_public_key", "integration_public_kex"),
             "no-signature": edited("bt_signature", "signature"),
             "no-payload": edited("bt_payload", "payload"),
             "last-newline-lost": lambda delivery: delivery._replace(body=delivery.body.removesuffix("%0A")),
         }),
]  # fmt: skip

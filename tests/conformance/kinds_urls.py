"""Deliveries whose URL or method is signed, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from tests.conformance.deliveries import (
    Delivery,
    Kind,
    TimedSample,
    b64,
    body_of,
    event,
    headed,
    header,
    mac,
    said,
    same,
    sha256,
    two_headers,
)
from tests.conformance.kinds_timed import MILLISECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.deliveries import Vector

_FORM = "application/x-www-form-urlencoded"


def _request(delivery: Delivery) -> Vector:
    return {
        "method": delivery.method,
        "url": delivery.url,
        "body": delivery.body,
        "headers": delivery.headers,
    }


class _Url:
    """A sample that compares one header with a text made of secret and request."""

    def __init__(
        self, where: str, expected: Callable[[str, Vector], str], unless: dict[str, str] | None = None
    ) -> None:
        self._where, self._expected, self._needs = where, expected, unless or {}

    def sign(self, delivery: Delivery, secret: str, _now: int) -> Delivery:
        return delivery.with_headers({**self._needs, self._where: self._expected(secret, _request(delivery))})

    def __call__(self, vector: Vector) -> str:
        needed = all(header(vector, name) == value for name, value in self._needs.items())
        return said(needed and same(self._expected(vector["secret"], vector), header(vector, self._where)))


def _square(secret: str, vector: Vector) -> str:
    return b64(mac(secret, vector["url"].encode() + body_of(vector)))


def _trello(secret: str, vector: Vector) -> str:
    return b64(mac(secret, body_of(vector) + vector["url"].encode(), "sha1"))


def _hubspot_v1(secret: str, vector: Vector) -> str:
    return sha256(secret.encode() + body_of(vector))


def _hubspot_v2(secret: str, vector: Vector) -> str:
    return sha256(f"{secret}{vector['method']}{vector['url']}".encode() + body_of(vector))


def _hubspot_v3(secret: str, vector: Vector, stamp: str) -> str:
    return b64(mac(secret, f"{vector['method']}{vector['url']}".encode() + body_of(vector) + stamp.encode()))


# ---- Twilio: https://www.twilio.com/docs/usage/security#validating-requests; its library answers ----


def _twilio(url: str, fields: list[tuple[str, str]], secret: str, digest: str = "sha1") -> str:
    return b64(
        mac(secret, (url + "".join(name + value for name, value in sorted(set(fields)))).encode(), digest)
    )


def _sign_twilio_form(delivery: Delivery, secret: str, _now: int) -> Delivery:
    fields = parse_qsl(delivery.body, keep_blank_values=True)
    return delivery.with_headers({"X-Twilio-Signature": _twilio(delivery.url, fields, secret)})


def _sign_twilio_sha256(delivery: Delivery, secret: str, _now: int) -> Delivery:
    fields = parse_qsl(delivery.body, keep_blank_values=True)
    return delivery.with_headers({"X-Twilio-Signature": _twilio(delivery.url, fields, secret, "sha256")})


_SHARED = ("shared key one", "shared key two")


def _sign_twilio_json(delivery: Delivery, secret: str, _now: int) -> Delivery:
    url = f"{delivery.url}&bodySHA256={sha256(delivery.body.encode())}"
    return delivery._replace(url=url).with_headers({"X-Twilio-Signature": _twilio(url, [], secret)})


# ---- Contentful: https://www.contentful.com/developers/docs/webhooks/request-verification/ ----

_SIGNED = ("x-contentful-signed-headers", "x-contentful-timestamp", "x-contentful-topic")


def _contentful_path(url: str) -> str:
    """As the toolkit writes it: the query escaped as one, and then the whole once more."""
    parts = urlsplit(url)
    query = quote(parts.query, safe="~()*!'")
    return quote(parts.path + (f"?{query}" if query else ""), safe="~()*!';/?:@&=+$,#")


def _contentful(secret: str, vector: Vector, names: list[str]) -> str:
    headers = ";".join(f"{name.lower()}:{(header(vector, name) or '').strip()}" for name in names)
    lines = [vector["method"], _contentful_path(vector["url"]), headers, body_of(vector).decode()]
    return mac(secret, "\n".join(lines).encode()).hex()


def _sign_contentful(delivery: Delivery, secret: str, now: int) -> Delivery:
    with_names = delivery.with_headers(
        {"x-contentful-timestamp": f"{now}000", "x-contentful-signed-headers": ",".join(_SIGNED)}
    )
    made = _contentful(secret, _request(with_names), list(_SIGNED))
    return with_names.with_headers({"x-contentful-signature": made})


def _says_contentful(vector: Vector) -> str:
    try:
        names = (header(vector, "x-contentful-signed-headers") or "").split(",")
        at = int(header(vector, "x-contentful-timestamp") or "x")
        fresh = vector["now"] * 1000 - at < 30_000
        return said(
            fresh
            and same(_contentful(vector["secret"], vector, names), header(vector, "x-contentful-signature"))
        )
    except ValueError:
        return "rejects"


_V3 = TimedSample(
    **two_headers("X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"),
    expected=_hubspot_v3,
    **MILLISECONDS,
)
_SQUARE, _TRELLO = _Url("x-square-hmacsha256-signature", _square), _Url("X-Trello-Webhook", _trello)
_V1 = _Url("X-HubSpot-Signature", _hubspot_v1, {"X-HubSpot-Signature-Version": "v1"})
_V2 = _Url("X-HubSpot-Signature", _hubspot_v2, {"X-HubSpot-Signature-Version": "v2"})

SAMPLES: dict[str, Callable[[Vector], str]] = {
    "square's sample": _SQUARE,
    "trello's sample": _TRELLO,
    "hubspot's sample, v1": _V1,
    "hubspot's sample, v2": _V2,
    "hubspot's sample, v3": _V3,
    "contentful's rule": _says_contentful,
}

_BATCH = (
    event(a=1).replace('{"a":1,', '[{"eventId":1,"subscriptionType":"contact.creation","occurredAt":1,')
    + ',{"eventId":2,"subscriptionType":"deal.creation"}]'
)
_HUBSPOT: dict[str, Any] = {
    "body": _BATCH,
    "events": ((None, "contact.creation"), (None, "deal.creation")),
    "source": "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
}
_URLS, _ALL = frozenset({"body", "url"}), frozenset({"body", "url", "method"})

KINDS = [
    Kind(name="square", oracle="square's sample", sign=_SQUARE.sign, header="x-square-hmacsha256-signature", covers=_URLS,
         body=event(event_id="ac3ac95b", type="payment.updated"), events=(("ac3ac95b", "payment.updated"),),
         source="https://developer.squareup.com/docs/webhooks/step3validate"),
    Kind(name="trello", oracle="trello's sample", sign=_TRELLO.sign, header="X-Trello-Webhook", covers=_URLS,
         body=event(action={"id": "a1", "type": "updateCard"}), events=(("a1", "updateCard"),),
         source="https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/"),
    Kind(name="hubspot/v1", oracle="hubspot's sample, v1", sign=_V1.sign, header="X-HubSpot-Signature", cases={"another-version": headed(X_HubSpot_Signature_Version="v2")}, **_HUBSPOT),
    Kind(name="hubspot/v2", oracle="hubspot's sample, v2", sign=_V2.sign, header="X-HubSpot-Signature", covers=_ALL, cases={"another-version": headed(X_HubSpot_Signature_Version="v1")}, **_HUBSPOT),
    Kind(name="hubspot/v3", oracle="hubspot's sample, v3", sign=_V3.sign, header="X-HubSpot-Signature-v3", covers=_ALL, window=(300, 300), **_HUBSPOT),
    Kind(name="twilio/form", oracle="twilio", sign=_sign_twilio_form, header="X-Twilio-Signature", covers=_URLS, sent={"Content-Type": _FORM},
         body="MessageSid=SM12&Body=Zo%C3%AB+12.50&MediaUrl=b&MediaUrl=a&MediaUrl=a&Empty=", events=(("SM12", None),)),
    Kind(name="twilio/call", oracle="twilio", sign=_sign_twilio_form, header="X-Twilio-Signature", covers=_URLS, sent={"Content-Type": _FORM},
         body="CallSid=CA12&Body=12.50", events=(("CA12", None),)),
    Kind(name="twilio/shared-key", oracle="twilio", sign=_sign_twilio_sha256, header="X-Twilio-Signature", covers=_URLS, secrets=_SHARED,
         sent={"Content-Type": _FORM, "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"},
         body="MessageSid=SM14&Body=12.50", events=(("SM14", None),)),
    Kind(name="twilio/shared-key-call", oracle="twilio", sign=_sign_twilio_sha256, header="X-Twilio-Signature", covers=_URLS, secrets=_SHARED,
         sent={"Content-Type": _FORM, "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"},
         body="CallSid=CA14&Body=12.50", events=(("CA14", None),)),
    Kind(name="twilio/json", oracle="twilio", sign=_sign_twilio_json, header="X-Twilio-Signature", covers=_URLS, sent={"Content-Type": "application/json"},
         body=event(MessageSid="SM13"), events=(("SM13", None),)),
    Kind(name="contentful", oracle="contentful's rule", sign=_sign_contentful, header="x-contentful-signature", covers=_ALL, window=(29, 30),
         secrets=("Ab0" * 21 + "x", "Cd1" * 21 + "y"), sent={"x-contentful-topic": "ContentManagement.Entry.publish"},
         body=event(sys={"id": "e1"}), events=((None, "ContentManagement.Entry.publish"),),
         source="https://github.com/contentful/node-apps-toolkit (src/requests)", stricter={"from-the-future": "the toolkit has no bound on the future"}),
]  # fmt: skip

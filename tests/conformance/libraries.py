"""The providers' own libraries, with a clock that a test sets. Each is imported when it is first asked."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import parse_qsl

from tests.conformance.deliveries import body_of, header, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.deliveries import Vector


def _asks(library: Callable[[Vector], bool], *refusals: str) -> Callable[[Vector], str]:
    """The library's word; what it raises beyond its own refusals is a failure."""

    def ask(vector: Vector) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return said(bool(library(vector)))
        except Exception as error:  # noqa: BLE001 # that it may be any is the point
            return "rejects" if type(error).__name__ in refusals else "fails"

    return ask


@contextmanager
def _at(target: str, now: float) -> Iterator[None]:
    with patch(target, lambda *_: now):
        yield


def _required(vector: Vector, name: str) -> str:
    return header(vector, name) or ""


def _text(vector: Vector) -> str:
    return body_of(vector).decode()


def _adyen_payload(vector: Vector) -> bool:
    from Adyen.util import is_valid_hmac_payload

    return is_valid_hmac_payload(_required(vector, "HmacSignature"), vector["secret"], body_of(vector))


def _adyen_items(vector: Vector) -> bool:
    """Of every item: the library looks at the first alone."""
    from Adyen.util import is_valid_hmac_notification

    items = json.loads(body_of(vector))["notificationItems"]
    return bool(items) and all(
        is_valid_hmac_notification(each["NotificationRequestItem"], vector["secret"]) for each in items
    )


def _pyairtable(vector: Vector) -> bool:
    from pyairtable.models.webhook import WebhookNotification

    secret, given = vector["secret"], _required(vector, "X-Airtable-Content-MAC")
    with patch.object(WebhookNotification, "model_validate_json", lambda _body: True):
        return bool(WebhookNotification.from_request(_text(vector), given, secret))


def _coinbase(vector: Vector) -> bool:
    from coinbase_commerce.webhook import WebhookSignature

    given = _required(vector, "X-CC-Webhook-Signature")
    return bool(WebhookSignature.verify_sig_header(_text(vector), given, vector["secret"]))


def _easypost(vector: Vector) -> bool:
    from easypost.util import validate_webhook

    given = {"X-Hmac-Signature": header(vector, "X-Hmac-Signature")}
    with patch("easypost.util.json.loads", lambda _body: {}):
        validate_webhook(body_of(vector), given, vector["secret"])
    return True


def _gocardless(vector: Vector) -> bool:
    from gocardless_pro import webhooks

    with patch("gocardless_pro.webhooks.json.loads", lambda _body: {"events": []}):
        webhooks.parse(_text(vector), vector["secret"], _required(vector, "Webhook-Signature"))
    return True


def _mollie(vector: Vector) -> bool:
    from mollie.utils.webhooks.signature_validator import SignatureValidator

    given = [each.strip() for each in _required(vector, "X-Mollie-Signature").split(",")]
    return bool(SignatureValidator.validate(_text(vector), vector["secret"], given))


def _razorpay(vector: Vector) -> bool:
    from razorpay.utility import Utility

    given = _required(vector, "X-Razorpay-Signature")
    Utility().verify_webhook_signature(_text(vector), given, vector["secret"])
    return True


def _resend(vector: Vector) -> bool:
    from resend import Webhooks

    names = {"id": "svix-id", "timestamp": "svix-timestamp", "signature": "svix-signature"}
    headers = {key: _required(vector, name) for key, name in names.items()}
    with _at("time.time", vector["now"]), patch("json.loads", lambda _body: {}):
        Webhooks.verify({"payload": _text(vector), "headers": headers, "webhook_secret": vector["secret"]})
    return True


def _box(vector: Vector) -> bool:
    from box_sdk_gen.managers.webhooks import WebhooksManager

    headers = {name.lower(): value for name, value in vector["headers"].items()}
    secret = vector["secret"]
    with _at("box_sdk_gen.internal.utils.time.time", vector["now"]):
        return WebhooksManager.validate_message(
            _text(vector), headers, secret["primary"], secondary_key=secret["secondary"]
        )


def _sendgrid(vector: Vector) -> bool:
    from sendgrid.helpers.eventwebhook import EventWebhook

    prefix = "X-Twilio-Email-Event-Webhook-"
    signature, stamp = (_required(vector, prefix + name) for name in ("Signature", "Timestamp"))
    fresh = abs(vector["now"] - int(stamp)) <= 300  # the library leaves that to its caller
    return fresh and bool(EventWebhook(vector["secret"]).verify_signature(_text(vector), signature, stamp))


def _discord(vector: Vector) -> bool:
    from discord_interactions import verify_key

    signature, stamp = (_required(vector, f"X-Signature-{name}") for name in ("Ed25519", "Timestamp"))
    fresh = abs(vector["now"] - int(stamp)) <= 300  # likewise
    return fresh and bool(verify_key(body_of(vector), signature, stamp, vector["secret"]))


def _twilio(vector: Vector) -> bool:
    from twilio.request_validator import RequestValidator, get_signature_algorithm

    class Form(dict[str, list[str]]):
        """As Django's and Flask's: every value of a name."""

        def getlist(self, name: str) -> list[str]:
            return self[name]

    form: Any = _text(vector)
    if "form" in (header(vector, "content-type") or ""):
        fields = Form()
        for name, value in parse_qsl(form, keep_blank_values=True):
            fields.setdefault(name, []).append(value)
        form = fields
    algorithm = get_signature_algorithm(header(vector, "X-Twilio-Webhooks-Signature-Settings"))
    given = _required(vector, "X-Twilio-Signature")
    return bool(RequestValidator(vector["secret"]).validate(vector["url"], form, given, algorithm))


def _braintree(vector: Vector) -> bool:
    from braintree import BraintreeGateway, Configuration, Environment

    keys = vector["secret"]
    gateway = BraintreeGateway(
        Configuration(Environment.Sandbox, "merchant", keys["public_key"], keys["private_key"])
    )
    form = dict(parse_qsl(_text(vector)))
    gateway.webhook_notification.parse(form.get("bt_signature"), form.get("bt_payload"))
    return True


def _google(vector: Vector) -> bool:
    """https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions: token, then issuer and e-mail."""
    from google.auth import jwt

    secret = vector["secret"]
    kind, _, token = _required(vector, "Authorization").partition(" ")
    now = datetime.fromtimestamp(vector["now"], UTC).replace(tzinfo=None)
    with _at("google.auth._helpers.utcnow", now):  # type: ignore[arg-type]
        claims = jwt.decode(token, certs=secret["certs"], audience=secret["audience"])
    return (
        kind == "Bearer"
        and claims["iss"] in ("accounts.google.com", "https://accounts.google.com")
        and claims.get("email_verified") is True
        and claims.get("email") == secret["email"]
    )


def _messagebird(vector: Vector) -> bool:
    from messagebird.request_validator import RequestValidator

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(vector["now"], tz or UTC)

    with patch("jwt.api_jwt.datetime", Frozen):
        given = _required(vector, "MessageBird-Signature-JWT")
        RequestValidator(vector["secret"]).validate_signature(given, vector["url"], body_of(vector))
    return True


LIBRARIES: dict[str, Callable[[Vector], str]] = {
    "Adyen": _asks(_adyen_payload),
    "Adyen, of every item": _asks(_adyen_items),
    "pyairtable": _asks(_pyairtable, "ValueError"),
    "coinbase_commerce": _asks(_coinbase, "SignatureVerificationError"),
    "easypost": _asks(_easypost, "SignatureVerificationError"),
    "gocardless_pro": _asks(_gocardless, "InvalidSignatureError"),
    "mollie": _asks(_mollie, "InvalidSignatureException"),
    "razorpay": _asks(_razorpay, "SignatureVerificationError"),
    "resend": _asks(_resend, "ValueError"),
    "box_sdk_gen": _asks(_box),
    "sendgrid": _asks(_sendgrid),
    "discord_interactions": _asks(_discord),
    "twilio": _asks(_twilio),
    "braintree": _asks(_braintree, "InvalidSignatureError"),
    "google.auth": _asks(_google, "InvalidValue", "MalformedError", "GoogleAuthError"),
    "messagebird": _asks(_messagebird, "ValidationError"),
}
"""By the name that vectors use."""

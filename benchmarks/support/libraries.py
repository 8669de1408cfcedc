"""Providers' own libraries, called as documented; what they are built of is built beforehand."""

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from support.primitives import Call

from tests.conformance.deliveries import Delivery, b64


def _stripe(sent: Delivery, secret: str) -> Call:
    from stripe import WebhookSignature

    given = sent.headers["Stripe-Signature"]
    return lambda: WebhookSignature.verify_header(sent.body, given, secret, 300)


def _standardwebhooks(sent: Delivery, secret: str) -> Call:
    from standardwebhooks import Webhook

    webhook = Webhook(secret)
    return lambda: webhook.verify(sent.body, sent.headers, json_parse=False)


def _bigcommerce(sent: Delivery, secret: str) -> Call:
    return _standardwebhooks(sent, b64(secret.encode()))


def _svix(sent: Delivery, secret: str) -> Call:
    from svix import Webhook

    webhook = Webhook(secret)
    return lambda: webhook.verify(sent.body, sent.headers)


def _slack(sent: Delivery, secret: str) -> Call:
    from slack_sdk.signature import SignatureVerifier

    verifier = SignatureVerifier(secret)
    return lambda: verifier.is_valid_request(sent.body, sent.headers)


def _resend(sent: Delivery, secret: str) -> Call:
    from resend import Webhooks

    headers = {name: sent.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    options: Any = {"payload": sent.body, "headers": headers, "webhook_secret": secret}
    return lambda: Webhooks.verify(options)


def _adyen(sent: Delivery, secret: str) -> Call:
    from Adyen.util import is_valid_hmac_payload

    given, body = sent.headers["HmacSignature"], sent.body.encode()
    return lambda: is_valid_hmac_payload(given, secret, body)


def _pyairtable(sent: Delivery, secret: str) -> Call:
    from pyairtable.models.webhook import WebhookNotification

    given = sent.headers["X-Airtable-Content-MAC"]

    def call() -> None:
        with contextlib.suppress(ValueError):  # of a notification's form, which comes after the signature
            WebhookNotification.from_request(sent.body, given, secret)

    return call


def _coinbase(sent: Delivery, secret: str) -> Call:
    from coinbase_commerce.webhook import WebhookSignature

    given = sent.headers["X-CC-Webhook-Signature"]
    return lambda: WebhookSignature.verify_sig_header(sent.body, given, secret)


def _easypost(sent: Delivery, secret: str) -> Call:
    from easypost.util import validate_webhook

    body = sent.body.encode()
    return lambda: validate_webhook(body, sent.headers, secret)


def _gocardless(sent: Delivery, secret: str) -> Call:
    from gocardless_pro import webhooks

    given = sent.headers["Webhook-Signature"]
    return lambda: webhooks.parse(sent.body, secret, given)


def _mollie(sent: Delivery, secret: str) -> Call:
    from mollie.utils.webhooks.signature_validator import SignatureValidator

    validator, given = SignatureValidator(secret), sent.headers["X-Mollie-Signature"]
    return lambda: validator.validate_payload(sent.body, given)


def _razorpay(sent: Delivery, secret: str) -> Call:
    from razorpay.utility import Utility

    utility, given = Utility(), sent.headers["X-Razorpay-Signature"]
    return lambda: utility.verify_webhook_signature(sent.body, given, secret)


def _box(sent: Delivery, secret: dict[str, str]) -> Call:
    from box_sdk_gen.managers.webhooks import WebhooksManager

    headers = {name.lower(): value for name, value in sent.headers.items()}
    one, two = secret["primary"], secret["secondary"]
    return lambda: WebhooksManager.validate_message(sent.body, headers, one, secondary_key=two)


def _sendgrid(sent: Delivery, secret: str) -> Call:
    from sendgrid.helpers.eventwebhook import EventWebhook

    prefix = "X-Twilio-Email-Event-Webhook-"
    signature, stamp = (sent.headers[prefix + name] for name in ("Signature", "Timestamp"))
    webhook = EventWebhook(secret)
    return lambda: webhook.verify_signature(sent.body, signature, stamp)


def _discord(sent: Delivery, secret: str) -> Call:
    from discord_interactions import verify_key

    body = sent.body.encode()
    signature, stamp = (sent.headers[f"X-Signature-{name}"] for name in ("Ed25519", "Timestamp"))
    return lambda: verify_key(body, signature, stamp, secret)


def _twilio(sent: Delivery, secret: str) -> Call:
    from twilio.request_validator import RequestValidator

    validator, given = RequestValidator(secret), sent.headers["X-Twilio-Signature"]
    return lambda: validator.validate(sent.url, dict(parse_qsl(sent.body)), given)


def _braintree(sent: Delivery, secret: dict[str, str]) -> Call:
    from braintree import BraintreeGateway, Configuration, Environment

    settings = Configuration(Environment.Sandbox, "merchant", secret["public_key"], secret["private_key"])
    gateway = BraintreeGateway(settings)

    def call() -> None:
        form = dict(parse_qsl(sent.body))
        gateway.webhook_notification.parse(form["bt_signature"], form["bt_payload"])

    return call


def _google(sent: Delivery, secret: dict[str, Any]) -> Call:
    from google.auth import jwt

    token = sent.headers["Authorization"].removeprefix("Bearer ")
    return lambda: jwt.decode(token, certs=secret["certs"], audience=secret["audience"])


def _messagebird(sent: Delivery, secret: str) -> Call:
    from messagebird.request_validator import RequestValidator

    validator, body = RequestValidator(secret), sent.body.encode()
    given = sent.headers["MessageBird-Signature-JWT"]
    return lambda: validator.validate_signature(given, sent.url, body)


LIBRARIES: dict[str, Callable[[Delivery, Any], Call]] = {
    "adyen/header": _adyen,
    "airtable": _pyairtable,
    "anthropic": _standardwebhooks,
    "bigcommerce": _bigcommerce,
    "box/both": _box,
    "braintree": _braintree,
    "clerk": _svix,
    "coinbase-commerce": _coinbase,
    "discord": _discord,
    "easypost": _easypost,
    "gitlab/signing-token": _standardwebhooks,
    "gocardless": _gocardless,
    "google-pubsub": _google,
    "messagebird": _messagebird,
    "mollie": _mollie,
    "openai": _standardwebhooks,
    "razorpay": _razorpay,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "slack": _slack,
    "standard-webhooks/v1": _standardwebhooks,
    "stripe": _stripe,
    "svix/v1": _svix,
    "twilio/form": _twilio,
}
"""Those that are in the development environment; they are the oracles of tests/conformance, too."""

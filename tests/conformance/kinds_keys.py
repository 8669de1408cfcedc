"""Deliveries that are signed with a private key, so that everybody may know what verifies them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import NameOID

from tests.conformance import keys
from tests.conformance.deliveries import (
    Delivery,
    Kind,
    b64,
    body_of,
    edited,
    event,
    headed,
    header,
)
from tests.conformance.kinds_timed import ONE_SPELLING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.deliveries import Vector

# A verifier has the public key alone: this says which private key it belongs to.
_NUMBER: dict[str, int] = {}


def _two(write: Callable[[int], str]) -> tuple[str, str]:
    made = (write(0), write(1))
    _NUMBER.update({text: number for number, text in enumerate(made)})
    return made


_P256 = _two(lambda number: keys.public_der(keys.ec_key(number)))
_RSA = _two(lambda number: keys.public_pem(keys.rsa_key(number)))
_RSA_PASTED = _two(lambda number: f"\n {keys.public_pem(keys.rsa_key(number))}\n")
_ED_HEX = _two(lambda number: keys.public_bytes(keys.ed25519_key(number)).hex())
_ED_B64 = _two(lambda number: b64(keys.public_bytes(keys.ed25519_key(number))))


def _sign_sendgrid(delivery: Delivery, secret: str, now: int) -> Delivery:
    made = b64(keys.ec_sign(_NUMBER[secret], f"{now}{delivery.body}".encode()))
    prefix = "X-Twilio-Email-Event-Webhook"
    return delivery.with_headers({f"{prefix}-Signature": made, f"{prefix}-Timestamp": str(now)})


def _sign_discord(delivery: Delivery, secret: str, now: int) -> Delivery:
    made = keys.ed25519_key(_NUMBER[secret]).sign(f"{now}{delivery.body}".encode()).hex()
    return delivery.with_headers({"X-Signature-Ed25519": made, "X-Signature-Timestamp": str(now)})


def _sign_telnyx(delivery: Delivery, secret: str, now: int) -> Delivery:
    made = b64(keys.ed25519_key(_NUMBER[secret]).sign(f"{now}|{delivery.body}".encode()))
    return delivery.with_headers({"telnyx-signature-ed25519": made, "telnyx-timestamp": str(now)})


def _telnyx(vector: Vector) -> str:
    """https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks, the sample in Python."""
    signature, stamp = (
        header(vector, "telnyx-signature-ed25519") or "",
        header(vector, "telnyx-timestamp") or "",
    )
    try:
        if abs(vector["now"] - int(stamp)) > 300:
            return "rejects"
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vector["secret"]))
        key.verify(base64.b64decode(signature, validate=True), f"{stamp}|".encode() + body_of(vector))
    except (ValueError, InvalidSignature):
        return "rejects"
    return "accepts"


def _sign_wise(delivery: Delivery, secret: str, _now: int) -> Delivery:
    made = b64(keys.rsa_sign(_NUMBER[secret], delivery.body.encode()))
    return delivery.with_headers({"X-Signature-SHA256": made})


def _wise(vector: Vector) -> str:
    """https://docs.wise.com/api-docs/features/webhooks-notifications/event-handling: RSA with SHA-256."""
    try:
        signature = base64.b64decode(header(vector, "X-Signature-SHA256") or "", validate=True)
        key: Any = load_pem_public_key(vector["secret"].strip().encode())
        key.verify(signature, body_of(vector), padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return "rejects"
    return "accepts"


# ---- PayPal ----

_PAYPAL_NAME = "messageverificationcerts.paypal.com"
_PAYPAL = tuple(
    {"webhook_id": "96605875FF6516633", "certificate_pem": keys.certificate(number, _PAYPAL_NAME)}
    for number in (0, 1)
)


def _sign_paypal(delivery: Delivery, secret: dict[str, str], now: int) -> Delivery:
    number = _PAYPAL.index(secret)
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    crc = binascii.crc32(delivery.body.encode())
    message = f"071f7d20-1584-11e7|{at}|{secret['webhook_id']}|{crc}".encode()
    return delivery.with_headers(
        {
            "PAYPAL-TRANSMISSION-ID": "071f7d20-1584-11e7",
            "PAYPAL-TRANSMISSION-TIME": at,
            "PAYPAL-TRANSMISSION-SIG": b64(keys.rsa_sign(number, message)),
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-CERT-URL": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270",
        }
    )


def _paypal(vector: Vector) -> str:
    """https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod, with a bound on the time."""
    names = ("TRANSMISSION-ID", "TRANSMISSION-TIME", "TRANSMISSION-SIG", "AUTH-ALGO", "CERT-URL")
    identity, at, signature, algorithm, url = (header(vector, f"PAYPAL-{name}") or "" for name in names)
    try:
        certificate = x509.load_pem_x509_certificate(vector["secret"]["certificate_pem"].encode())
        [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        parts = urlsplit(url)
        if (
            algorithm != "SHA256withRSA"
            or (parts.scheme, parts.netloc) != ("https", "api.paypal.com")
            or name.value != _PAYPAL_NAME
            or abs(vector["now"] - datetime.fromisoformat(at).timestamp()) > PAYPAL_WINDOW
        ):
            return "rejects"
        crc = binascii.crc32(body_of(vector))
        message = f"{identity}|{at}|{vector['secret']['webhook_id']}|{crc}".encode()
        key: Any = certificate.public_key()
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return "rejects"
    return "accepts"


PAYPAL_WINDOW = 300

# ---- AWS SNS ----

_TOPIC = "arn:aws:sns:us-east-1:123456789012:MyTopic"
_SNS_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01d088a6f77103d0.pem"
_SNS = tuple(
    {"certificate_pem": keys.certificate(number, "sns.amazonaws.com"), "topic_arn": _TOPIC}
    for number in (0, 1)
)
_SNS_HOST = re.compile(r"sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def _sns_message(body: dict[str, Any]) -> bytes:
    names = _NOTIFICATION if body["Type"] == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{body[name]}\n" for name in names if name in body).encode()


def _sign_sns(delivery: Delivery, secret: dict[str, str], _now: int) -> Delivery:
    body = json.loads(delivery.body)
    made = keys.rsa_sign(_SNS.index(secret), _sns_message(body), sha1=body["SignatureVersion"] == "1")
    return delivery._replace(body=json.dumps({**body, "Signature": b64(made)}, ensure_ascii=False, indent=2))


def _sns(vector: Vector) -> str:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html, and the topic."""
    try:
        body = json.loads(body_of(vector))
        parts = urlsplit(body["SigningCertURL"])
        digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[body["SignatureVersion"]]
        if (
            parts.scheme != "https"
            or not _SNS_HOST.fullmatch(parts.netloc)
            or not parts.path.endswith(".pem")
            or body["TopicArn"] != vector["secret"]["topic_arn"]
        ):
            return "rejects"
        certificate = x509.load_pem_x509_certificate(vector["secret"]["certificate_pem"].encode())
        key: Any = certificate.public_key()
        key.verify(
            base64.b64decode(body["Signature"], validate=True), _sns_message(body), padding.PKCS1v15(), digest
        )
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return "rejects"
    return "accepts"


_SNS_WINDOW = 3600 + 300  # as long as a delivery is tried again
_NO_BOUND = "AWS bounds no message's age"


def _sns_kind(name: str, version: str, kind: str, **fields: str) -> Kind:
    body = {
        "Type": kind, "MessageId": "22b80b92", "TopicArn": _TOPIC, "Message": "Zoë 日本語: 12.50\nline two",
        "Timestamp": "2025-10-09T08:53:20.000Z", "SignatureVersion": version, "SigningCertURL": _SNS_URL, **fields,
    }  # fmt: skip
    return Kind(
        name=f"aws-sns/{name}", oracle="aws's rule", sign=_sign_sns, secrets=_SNS, covers=frozenset({"body", "reserialised-is-right"}),
        window=(_SNS_WINDOW, 300), stricter={"stale": _NO_BOUND, "from-the-future": _NO_BOUND},
        sent={"x-amz-sns-message-type": kind, "Content-Type": "text/plain; charset=UTF-8"}, body=json.dumps(body), empty=False, inside=True,
        events=(("22b80b92", kind),), source="https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
        cases={
            "another-topic": edited(":MyTopic", ":Another"),
            "another-version": edited(f'"SignatureVersion": "{version}"', f'"SignatureVersion": "{3 - int(version)}"'),
            "unknown-version": edited(f'"SignatureVersion": "{version}"', '"SignatureVersion": "3"'),
            "another-host": edited("https://sns.us-east-1.amazonaws.com/", "https://sns.us-east-1.amazonaws.com.example.com/"),
            "user-in-url": edited("https://sns.us-east-1.amazonaws.com/", "https://sns.us-east-1.amazonaws.com@example.com/"),
            "no-https": edited("https://sns.us-east-1.amazonaws.com/Simple", "http://sns.us-east-1.amazonaws.com/Simple"),
            "no-pem": edited(".pem", ".txt"),
            "no-signature": edited('"Signature": ', '"Signed": '),
            "another-id": edited("22b80b92", "22b80b93"),
        },
    )  # fmt: skip


SAMPLES: dict[str, Callable[[Vector], str]] = {
    "telnyx's sample": _telnyx,
    "wise's rule": _wise,
    "paypal's rule": _paypal,
    "aws's rule": _sns,
}

_SUBSCRIBE = {
    "Token": "2336412f37fb",
    "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37fb",
}
_MAIL = "[" + event(event="delivered", sg_event_id="ZHJvcA") + ',{"event":"open","sg_event_id":"b3Blbg"}]\r\n'

KINDS = [
    Kind(name="sendgrid", oracle="sendgrid", sign=_sign_sendgrid, secrets=_P256, header="X-Twilio-Email-Event-Webhook-Signature", window=(300, 300),
         body=_MAIL, events=(("ZHJvcA", "delivered"), ("b3Blbg", "open")), stricter={"padded": ONE_SPELLING}),
    Kind(name="discord", oracle="discord_interactions", sign=_sign_discord, secrets=_ED_HEX, header="X-Signature-Ed25519", window=(300, 300),
         body=event(id="787053080478613555", type=2), events=(("787053080478613555", "2"),), stricter={"upper-case": ONE_SPELLING}),
    Kind(name="telnyx", oracle="telnyx's sample", sign=_sign_telnyx, secrets=_ED_B64, header="telnyx-signature-ed25519", window=(300, 300),
         body=event(data={"id": "0ccc7b54", "event_type": "message.finalized"}), events=(("0ccc7b54", "message.finalized"),),
         source="https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks"),
    Kind(name="wise", oracle="wise's rule", sign=_sign_wise, secrets=_RSA, header="X-Signature-SHA256", sent={"X-Delivery-Id": "ca4a9e2a"},
         body=event(event_type="transfers#state-change"), events=(("ca4a9e2a", "transfers#state-change"),),
         source="https://docs.wise.com/api-docs/features/webhooks-notifications/event-handling"),
    Kind(name="wise/key-as-pasted", oracle="wise's rule", sign=_sign_wise, secrets=_RSA_PASTED, header="X-Signature-SHA256", sent={"X-Delivery-Id": "ca4a9e2a"},
         body=event(event_type="transfers#state-change"), events=(("ca4a9e2a", "transfers#state-change"),)),
    Kind(name="paypal", oracle="paypal's rule", sign=_sign_paypal, secrets=_PAYPAL, header="PAYPAL-TRANSMISSION-SIG", window=(300, 300),
         body=event(id="WH-2MW4820926242972J", event_type="BILLING.PLAN.CREATED"), events=(("WH-2MW4820926242972J", "BILLING.PLAN.CREATED"),),
         source="https://developer.paypal.com/api/rest/webhooks/rest/", cases={
             "another-algorithm": headed(PAYPAL_AUTH_ALGO="SHA1withRSA"),
             "another-host": headed(PAYPAL_CERT_URL="https://api.paypal.com.example.com/v1/notifications/certs/CERT-1"),
             "user-in-url": headed(PAYPAL_CERT_URL="https://api.paypal.com@example.com/v1/notifications/certs/CERT-1"),
             "no-https": headed(PAYPAL_CERT_URL="http://api.paypal.com/v1/notifications/certs/CERT-1"),
             "another-id": headed(PAYPAL_TRANSMISSION_ID="071f7d20-1584-11e8"),
         }),
    _sns_kind("notification-v1", "1", "Notification", Subject="My First Message"),
    _sns_kind("notification-v2", "2", "Notification", Subject="My First Message"),
    _sns_kind("no-subject", "2", "Notification"),
    _sns_kind("subscription", "2", "SubscriptionConfirmation", **_SUBSCRIBE),
    _sns_kind("unsubscribe", "2", "UnsubscribeConfirmation", **_SUBSCRIBE),
]  # fmt: skip

"""Providers whose way to sign no record can say; each is a module of :mod:`causeway.webhooks.special`.

What their secrets hold, and what their signatures do not cover, is said there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_TWILIO_ID = (
    # One message or call makes many requests (each status, each input), and each of those has a token that
    # its repeats have, too: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    'headers."i-twilio-idempotency-token"'
    " || body.MessageStatus && join('/', [body.MessageSid, body.MessageStatus])"
    " || body.MessageSid || body.CallSid"
)

CODE: dict[str, list[Scheme]] = {
    "twilio": [{"code": code, "id": _TWILIO_ID} for code in ("twilio", "twilio-sha256")],
    "adyen": [
        {
            # https://docs.adyen.com/platforms/webhooks/verify-hmac-signatures: platforms, banking, management
            "algorithm": "hmac-sha256",
            "header": "hmacsignature",
            "encoding": "base64",
            "key": "hex",
            "require": {"protocol": "HmacSHA256"},
            "type": "body.type",
        },
        {
            "code": "adyen-items",
            "split": "body.notificationItems",
            # Notifications of one dispute share their reference, as a refund and its failure do; Adyen says
            # to recognise a repeat by code and reference together. These four have one of their own.
            "id": (
                "body.NotificationRequestItem | ("
                "contains(['AUTHORISATION', 'CAPTURE', 'REFUND', 'CANCELLATION'], eventCode)"
                " && pspReference || join('/', [eventCode, pspReference]))"
            ),
            "type": "body.NotificationRequestItem.eventCode",
            "reply": {"status": 202, "headers": {}, "body": ""},
        },
    ],
    "braintree": [{"code": "braintree", "type": "claims.kind", "handshake": "braintree"}],
    "paypal": [{"code": "paypal", "id": "body.id", "type": "body.event_type"}],
    "aws-sns": [
        {
            "code": "aws-sns",
            "content_type": "application/json",
            "id": "body.MessageId",
            "type": "body.Type",
            "handshake": "aws-sns",
        }
    ],
    "microsoft-graph": [
        {
            "code": "microsoft-graph",
            "split": "body.value",
            "id": "body.id",
            "type": "body.changeType || body.lifecycleEvent",
            "handshake": "microsoft-graph",
        }
    ],
    "atlassian-connect": [{"code": "atlassian-connect", "type": "body.webhookEvent"}],
    "contentful": [{"code": "contentful", "type": 'headers."x-contentful-topic"'}],
}

"""Providers that sign with a private key; the secret is their public key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_SENDGRID: Scheme = {
    #
    # https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
    # The key is shown as base64 of a SubjectPublicKeyInfo. The body ends with a line break, which is signed.
    "algorithm": "ecdsa-p256-sha256",
    "header": "x-twilio-email-event-webhook-signature",
    "encoding": "base64",
    "signed": "{timestamp}{body}",
    "key": "base64",
    "timestamp": {"header": "x-twilio-email-event-webhook-timestamp", "unit": "s"},
    "split": "body",
    "id": "body.sg_event_id",
    "type": "body.event",
}

_DISCORD: Scheme = {
    # https://docs.discord.com/developers/events/webhook-events#setting-up-an-endpoint
    "algorithm": "ed25519",
    "header": "x-signature-ed25519",
    "encoding": "hex",
    "signed": "{timestamp}{body}",
    "key": "hex",
    "timestamp": {"header": "x-signature-timestamp", "unit": "s"},
    "id": "body.id",
    "type": "body.type",
    "handshake": "discord",
}

_TELNYX: Scheme = {
    # https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
    "algorithm": "ed25519",
    "header": "telnyx-signature-ed25519",
    "encoding": "base64",
    "signed": "{timestamp}|{body}",
    "key": "base64",
    "timestamp": {"header": "telnyx-timestamp", "unit": "s"},
    "id": "body.data.id",
    "type": "body.data.event_type",
}

_WISE: Scheme = {
    # https://docs.wise.com/api-docs/features/webhooks-notifications/event-handling
    # Production and sandbox have keys of their own.
    "algorithm": "rsa-sha256",
    "header": "x-signature-sha256",
    "encoding": "base64",
    "key": "pem",
    "id": 'headers."x-delivery-id"',
    "type": "body.event_type",
}

PUBLIC_KEYS: dict[str, list[Scheme]] = {
    "sendgrid": [_SENDGRID],
    "discord": [_DISCORD],
    "telnyx": [_TELNYX],
    "wise": [_WISE],
}

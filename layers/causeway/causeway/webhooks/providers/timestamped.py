"""Providers that sign a timestamp with the body.

The window is the provider's own, where it says one, and a manifest's ``tolerance`` goes before. It always
has two
ends: some providers' libraries take a signature from any time to come, and none of these schemes does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme, Timestamp

_HEX: Scheme = {"algorithm": "hmac-sha256", "encoding": "hex"}
_SECONDS: Timestamp = {"unit": "s"}


def _t_v1(header: str, *, pattern: str = "t={timestamp},v1={signature}") -> Scheme:
    """As Stripe writes it: timestamp and signatures in one header."""
    return {
        **_HEX,
        "header": header,
        "pattern": pattern,
        "separator": ",",
        "signed": "{timestamp}.{body}",
        "timestamp": _SECONDS,
    }


_STRIPE: Scheme = {
    # https://docs.stripe.com/webhooks#verify-manually; the key is the whole text whsec_..., not decoded.
    # v0 is a fake signature that test mode adds; only v1 is read.
    **_t_v1("stripe-signature"),
    "id": "body.id",
    "type": "body.type",
}


def _v0(header: str, timestamp: str) -> Scheme:
    """As Slack writes it: the version stands in the signed bytes, too."""
    return {
        **_HEX,
        "header": header,
        "pattern": "v0={signature}",
        "signed": "v0:{timestamp}:{body}",
        "timestamp": {"header": timestamp, "unit": "s"},
    }


_SLACK: Scheme = {
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    # Slash commands are forms and have no event id.
    **_v0("x-slack-signature", "x-slack-request-timestamp"),
    "id": "body.event_id",
    "type": "body.event.type || body.command || body.type",
    "handshake": "slack",
}

_ZOOM: Scheme = {
    # https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
    **_v0("x-zm-signature", "x-zm-request-timestamp"),
    "type": "body.event",
    "handshake": "zoom",
}

_PADDLE: Scheme = {
    # https://developer.paddle.com/webhooks/signature-verification. Five seconds are tight: a queue at
    # either side,
    # or a slow start, and a `tolerance` is needed.
    **_HEX,
    "header": "paddle-signature",
    "pattern": "ts={timestamp};h1={signature}",
    "separator": ";",
    "signed": "{timestamp}:{body}",
    "timestamp": {"unit": "s", "past": 5, "future": 5},
    "id": "body.event_id",
    "type": "body.event_type",
}

_RECURLY: Scheme = {
    # https://docs.recurly.com/recurly-subscriptions/docs/signing-webhooks
    **_t_v1("recurly-signature", pattern="{timestamp},{signature}"),
    "timestamp": {"unit": "ms"},
    "id": "body.id",
    "type": "body.event_type",
}

_WORKOS: Scheme = {
    # https://workos.com/docs/events/data-syncing/webhooks
    **_t_v1("workos-signature"),
    "timestamp": {"unit": "ms", "past": 180, "future": 180},
    "id": "body.id",
    "type": "body.event",
}

_BUILDKITE: Scheme = {
    # https://buildkite.com/docs/apis/webhooks/pipelines#webhook-signature
    **_t_v1("x-buildkite-signature", pattern="timestamp={timestamp},signature={signature}"),
    "type": 'headers."x-buildkite-event"',
}

_CALENDLY: Scheme = {
    # https://developer.calendly.com/api-docs/ZG9jOjM2MzE2MDM4-webhook-signatures
    **_t_v1("calendly-webhook-signature"),
    "timestamp": {"unit": "s", "past": 180, "future": 180},
    "type": "body.event",
    "unconfirmed": True,
}

_PERSONA: Scheme = {
    # https://docs.withpersona.com/webhooks-best-practices: while a secret is rotated, two whole sets are
    # sent.
    **_t_v1("persona-signature"),
    "sets": " ",
    "id": "body.data.id",
    "type": "body.data.attributes.name",
    "unconfirmed": True,
}

_SHIPPO: Scheme = {
    # https://docs.goshippo.com/docs/tracking/webhooksecurity/: only where Shippo has switched it on.
    **_t_v1("shippo-auth-signature"),
    "type": "body.event",
    "unconfirmed": True,
}

_COINBASE_CDP: Scheme = {
    # https://docs.cdp.coinbase.com/webhooks/verify-signatures: v0, as the provider recommends; v1 adds
    # headers.
    **_t_v1("x-hook0-signature", pattern="t={timestamp},v0={signature}"),
    "unconfirmed": True,
}

_ZENDESK: Scheme = {
    # https://developer.zendesk.com/documentation/webhooks/verifying/. The key looks like base64 and is text.
    "algorithm": "hmac-sha256",
    "header": "x-zendesk-webhook-signature",
    "encoding": "base64",
    "signed": "{timestamp}{body}",
    "timestamp": {"header": "x-zendesk-webhook-signature-timestamp", "unit": "rfc3339"},
    "id": 'headers."x-zendesk-webhook-invocation-id"',
    "type": "body.type",
}


def _box(key: str) -> Scheme:
    """Box: two keys, each with its header; the secret holds both: ``{"primary": ..., "secondary": ...}``.

    Its delivery id changes with each retry; the body's does not.
    https://developer.box.com/guides/webhooks/v2/signatures-v2/
    """
    return {
        "algorithm": "hmac-sha256",
        "header": f"box-signature-{key}",
        "require": {"box-signature-version": "1", "box-signature-algorithm": "HmacSHA256"},
        "encoding": "base64",
        "signed": "{body}{timestamp}",
        "key_id": {"value": key},
        "timestamp": {"header": "box-delivery-timestamp", "unit": "rfc3339", "past": 600, "future": 0},
        "id": "body.id",
        "type": "body.trigger",
    }


def _mailgun(place: str, event_id: str, event_type: str) -> Scheme:
    """Mailgun signs a token and the time, and nothing of the event.

    https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
    """
    return {
        **_HEX,
        "signature": f"{place}.signature",
        "signed": f"{{timestamp}}{{{place}.token}}",
        "body_unsigned": True,
        "timestamp": {"value": f"{place}.timestamp", "unit": "s"},
        "id": event_id,
        "type": event_type,
    }


TIMESTAMPED: dict[str, list[Scheme]] = {
    "stripe": [_STRIPE],
    "slack": [_SLACK],
    "zoom": [_ZOOM],
    "paddle": [_PADDLE],
    "recurly": [_RECURLY],
    "workos": [_WORKOS],
    "buildkite": [_BUILDKITE],
    "calendly": [_CALENDLY],
    "persona": [_PERSONA],
    "shippo": [_SHIPPO],
    "coinbase-cdp": [_COINBASE_CDP],
    "zendesk": [_ZENDESK],
    "box": [_box("primary"), _box("secondary")],
    "mailgun": [
        _mailgun("body.signature", 'body."event-data".id', 'body."event-data".event'),
        _mailgun("body", "body.token", "body.event"),  # the older form
    ],
}

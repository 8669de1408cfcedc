"""The built-in signature schemes, as data: DESIGN's "signature schemes are data" in one table.

A system's ``scheme`` is a list of records of which any may match, so that a provider that changes how it
signs (a second header name, a second algorithm) is one more record. What the keys mean is said once, in
:mod:`causeway.webhooks.compiled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme


def _standard_webhooks(prefix: str, event_type: str = "body.type") -> list[Scheme]:
    """Standard Webhooks: HMAC (v1) and Ed25519 (v1a).

    The prefix of the secret tells the two apart: the public key of v1a, which everybody may know, is never
    an HMAC key, because neither its prefix nor the underscore in it fits one. A v1 secret without a prefix
    is what the official libraries take, too.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    shared: Scheme = {
        "algorithm": "hmac-sha256",
        "header": f"{prefix}-signature",
        "separator": " ",
        "encoding": "base64",
        "signed": "{id}.{timestamp}.{body}",
        "key": "base64",
        "timestamp": {"header": f"{prefix}-timestamp", "unit": "s"},
        "id": f'headers."{prefix}-id"',
        "type": event_type,
    }
    bare: Scheme = {**shared, "pattern": "v1,{signature}"}
    v1: Scheme = {**bare, "key_prefix": "whsec_"}
    v1a: Scheme = {
        **shared,
        "algorithm": "ed25519",
        "pattern": "v1a,{signature}",
        "key_prefix": "whpk_",
        "signing_key_prefix": "whsk_",
    }
    return [v1, v1a, bare]


def _shopify(prefix: str) -> Scheme:
    """Shopify; the headers of its Events platform have no ``x-``.

    https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    """
    return {
        "algorithm": "hmac-sha256",
        "header": f"{prefix}-hmac-sha256",
        "encoding": "base64",
        "id": f'headers."{prefix}-webhook-id"',
        "type": f'headers."{prefix}-topic"',
    }


_STRIPE: Scheme = {
    # https://docs.stripe.com/webhooks#verify-manually; the key is the whole text whsec_..., not decoded.
    # v0 is a fake signature that test mode adds; only v1 is read.
    "algorithm": "hmac-sha256",
    "header": "stripe-signature",
    "pattern": "t={timestamp},v1={signature}",
    "separator": ",",
    "encoding": "hex",
    "signed": "{timestamp}.{body}",
    "timestamp": {"unit": "s"},
    "id": "body.id",
    "type": "body.type",
}

_GITHUB: Scheme = {
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    # The older x-hub-signature (SHA-1) is never read.
    "algorithm": "hmac-sha256",
    "header": "x-hub-signature-256",
    "pattern": "sha256={signature}",
    "encoding": "hex",
    "id": 'headers."x-github-delivery"',
    "type": 'headers."x-github-event"',
}

_GITLAB_TOKEN: Scheme = {
    # https://docs.gitlab.com/user/project/integrations/webhooks/: the secret itself, in a header.
    "algorithm": "token",
    "header": "x-gitlab-token",
    "id": 'headers."idempotency-key"',
    "type": 'headers."x-gitlab-event"',
}

_SLACK: Scheme = {
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    # Slash commands are forms and have no event id.
    "algorithm": "hmac-sha256",
    "header": "x-slack-signature",
    "pattern": "v0={signature}",
    "encoding": "hex",
    "signed": "v0:{timestamp}:{body}",
    "timestamp": {"header": "x-slack-request-timestamp", "unit": "s"},
    "id": "body.event_id",
    "type": "body.event.type || body.command || body.type",
    "handshake": "slack",
}

SCHEMES: dict[str, list[Scheme]] = {
    "standard-webhooks": _standard_webhooks("webhook"),
    "svix": [*_standard_webhooks("svix"), *_standard_webhooks("webhook")],
    "stripe": [_STRIPE],
    "github": [_GITHUB],
    "gitlab": [_standard_webhooks("webhook", 'headers."x-gitlab-event"')[0], _GITLAB_TOKEN],
    "shopify": [_shopify("x-shopify"), _shopify("shopify")],
    "slack": [_SLACK],
}
"""The schemes that a manifest may name."""

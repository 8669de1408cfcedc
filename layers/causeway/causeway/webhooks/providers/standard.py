"""Standard Webhooks and those who follow it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme


def _v1(prefix: str = "webhook", event_type: str = "body.type") -> Scheme:
    """HMAC, by a secret with the prefix that the specification gives it."""
    return {
        "algorithm": "hmac-sha256",
        "header": f"{prefix}-signature",
        "pattern": "v1,{signature}",
        "separator": " ",
        "encoding": "base64",
        "signed": "{id}.{timestamp}.{body}",
        "key": "base64",
        "key_prefix": "whsec_",
        "timestamp": {"header": f"{prefix}-timestamp", "unit": "s"},
        "id": f'headers."{prefix}-id"',
        "type": event_type,
    }


def _v1a(prefix: str) -> Scheme:
    """Ed25519, by a public key that everybody may know; its prefix keeps it from being taken for a secret."""
    return {
        **_v1(prefix),
        "algorithm": "ed25519",
        "pattern": "v1a,{signature}",
        "key_prefix": "whpk_",
        "signing_key_prefix": "whsk_",
    }


def _bare(prefix: str = "webhook", event_type: str = "body.type") -> Scheme:
    """HMAC, by a secret without its prefix, which the official libraries take, too.

    No public key is such a secret: the underscore in its prefix is not base64.
    """
    scheme = _v1(prefix, event_type)
    del scheme["key_prefix"]
    return scheme


def _standard_webhooks(prefix: str) -> list[Scheme]:
    return [_v1(prefix), _v1a(prefix), _bare(prefix)]


_BIGCOMMERCE: Scheme = {
    # https://developer.bigcommerce.com/docs/integrations/webhooks: the key is the text of the client secret,
    # which the library is given in base64.
    **_bare(event_type="body.scope"),
    "key": "utf8",
}

_GITLAB_TOKEN: Scheme = {
    # https://docs.gitlab.com/user/project/integrations/webhooks/: the secret itself, in a header.
    "algorithm": "token",
    "header": "x-gitlab-token",
    "id": 'headers."idempotency-key"',
    "type": 'headers."x-gitlab-event"',
}

STANDARD: dict[str, list[Scheme]] = {
    "standard-webhooks": _standard_webhooks("webhook"),
    # https://docs.svix.com/receiving/verifying-payloads/how-manual: its own headers, or white-labelled.
    "svix": [*_standard_webhooks("svix"), *_standard_webhooks("webhook")],
    # https://clerk.com/docs/webhooks/overview
    "clerk": [_v1("svix")],
    # https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests
    "resend": [_v1("svix")],
    # https://platform.openai.com/docs/guides/webhooks. Its library takes an entry without a version, and a
    # secret
    # without a prefix as text; neither is read here.
    "openai": [_v1()],
    # https://platform.claude.com/docs/en/managed-agents/webhooks
    "anthropic": [_v1(event_type="body.data.type")],
    # https://docs.gitlab.com/user/project/integrations/webhooks/: a signing token, or the older secret token.
    "gitlab": [_v1(event_type='headers."x-gitlab-event"'), _GITLAB_TOKEN],
    "bigcommerce": [_BIGCOMMERCE],
}

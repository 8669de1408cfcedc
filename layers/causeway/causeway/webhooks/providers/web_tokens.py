"""Providers that sign with JSON Web Tokens; :mod:`causeway.webhooks.jwt` says what the records mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_PLAID: Scheme = {
    # https://plaid.com/docs/api/webhooks/webhook-verification/
    # Each key is asked for by its id, with client_id and secret of a secret that is a JSON object.
    "algorithm": "jwt",
    "header": "plaid-verification",
    "jwt": {"algorithms": ["ES256"], "keys": "plaid", "issued": True, "body_sha256": "request_body_sha256"},
    "type": "join('.', [body.webhook_type, body.webhook_code])",
}

_GOOGLE_PUBSUB: Scheme = {
    # https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    # The secret is a JSON object with the audience and the service account's email. The body is not bound.
    "algorithm": "jwt",
    "header": "authorization",
    "pattern": "Bearer {signature}",
    "jwt": {
        "algorithms": ["RS256"],
        "keys": "google",
        "expires": True,
        "claims": {
            "iss": ["https://accounts.google.com", "accounts.google.com"],
            "aud": "{secret.audience}",
            "email": "{secret.email}",
            "email_verified": True,
        },
    },
    "id": "body.message.messageId",
}

_MONDAY: Scheme = {
    # https://developer.monday.com/apps/docs/integration-authorization#authorization-header
    # The body is not bound.
    "algorithm": "jwt",
    "header": "authorization",
    "jwt": {"algorithms": ["HS256"], "expires": True, "claims": {"aud": "{url}"}},
    "id": "body.event.triggerUuid",
    "type": "body.event.type",
    "handshake": "monday",
}

_MESSAGEBIRD: Scheme = {
    # https://developers.messagebird.com/api/#verifying-http-requests
    "algorithm": "jwt",
    "header": "messagebird-signature-jwt",
    "jwt": {
        "algorithms": ["HS256", "HS384", "HS512"],
        "expires": True,
        "claims": {"iss": "MessageBird"},
        "body_sha256": "payload_hash",
        "url_sha256": "url_hash",
    },
    "id": "claims.jti",
}

_NETLIFY: Scheme = {
    # https://docs.netlify.com/deploy/deploy-notifications/#payload-signature
    "algorithm": "jwt",
    "header": "x-webhook-signature",
    "jwt": {"algorithms": ["HS256"], "claims": {"iss": "netlify"}, "body_sha256": "sha256"},
    "id": "body.id",
    "type": 'headers."x-netlify-event"',
    "unconfirmed": True,
}

WEB_TOKENS: dict[str, list[Scheme]] = {
    "plaid": [_PLAID],
    "google-pubsub": [_GOOGLE_PUBSUB],
    "monday": [_MONDAY],
    "messagebird": [_MESSAGEBIRD],
    "netlify": [_NETLIFY],
}

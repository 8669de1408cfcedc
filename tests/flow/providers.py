"""Events as providers send them, signed by the official SDKs where there is one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import standardwebhooks
import stripe
import svix

SECRETS = {
    "payments/webhook": "whsec_" + "f10w" * 8,
    "github/webhook": "It's a Secret to Everybody",
    "files/webhook": "the secret of files",
    "boards/webhook": "the secret of boards",
    "tasks/webhook": "the first secret of tasks",
    "standard/webhook": "whsec_" + base64.b64encode(b"a key of the flow tests, 32 byte").decode(),
}

Signed = tuple[str, bytes, dict[str, str]]
"""System, body and headers."""


def by_stripe(scenario: str, **more: Any) -> Signed:
    """Stripe's Python SDK signs as Stripe does."""
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1", "scenario": scenario, **more}},
    }
    body = json.dumps(event)
    now = int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body}", SECRETS["payments/webhook"])
    return "payments", body.encode(), _json({"Stripe-Signature": f"t={now},v1={signature}"})


def by_github(scenario: str, **more: Any) -> Signed:
    """GitHub has no SDK that signs; this is its documentation's HMAC."""
    body = json.dumps({"action": "opened", "scenario": scenario, **more}).encode()
    signature = hmac.new(SECRETS["github/webhook"].encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": str(uuid.uuid4()),
    }
    return "github", body, _json(headers)


def by_standard_webhooks(scenario: str, type_: str = "order.paid", **more: Any) -> Signed:
    """The reference implementation of Standard Webhooks."""
    id_, now, body = _standard(scenario, type_, more)
    signature = standardwebhooks.Webhook(SECRETS["standard/webhook"]).sign(id_, now, body)
    return "standard", body.encode(), _standard_headers(id_, now, signature)


def by_svix(scenario: str, type_: str = "order.paid", **more: Any) -> Signed:
    """Svix signs alike, and the spec's header names are also its own."""
    id_, now, body = _standard(scenario, type_, more)
    signature = svix.Webhook(SECRETS["standard/webhook"]).sign(id_, now, body)
    return "standard", body.encode(), _standard_headers(id_, now, signature)


def _standard(scenario: str, type_: str, more: dict[str, Any]) -> tuple[str, datetime, str]:
    body = json.dumps({"type": type_, "scenario": scenario, **more})
    return f"msg_{uuid.uuid4().hex}", datetime.now(UTC), body


def _standard_headers(id_: str, now: datetime, signature: str) -> dict[str, str]:
    return _json(
        {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
    )


def _json(headers: dict[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}

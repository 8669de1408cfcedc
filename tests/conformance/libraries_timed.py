"""The libraries of Standard Webhooks and its kin, Stripe and Slack, with a clock that a test sets."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import slack_sdk.signature
import standardwebhooks
import stripe
import stripe._webhook
import svix

from tests.conformance.deliveries import b64, body_of, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.deliveries import Vector


@contextmanager
def _standard_webhooks_at(now: float) -> Iterator[None]:
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(now, tz or UTC)

    with patch("standardwebhooks.webhooks.datetime", Frozen):
        yield


def _stripe(vector: Vector) -> str:
    with patch("stripe._webhook.time.time", lambda: vector["now"]):
        try:
            stripe.WebhookSignature.verify_header(
                body_of(vector), header(vector, "stripe-signature"), vector["secret"], 300
            )
        except stripe.SignatureVerificationError:
            return "rejects"
        except Exception:  # noqa: BLE001 # that it may be any is the point
            return "fails"
    return "accepts"


def _standard_webhooks(make: Callable[[str], Any]) -> Callable[[Vector], str]:
    def run(vector: Vector) -> str:
        with _standard_webhooks_at(vector["now"]):
            try:
                make(vector["secret"])(body_of(vector), vector["headers"])
            except standardwebhooks.WebhookVerificationError:
                return "rejects"
            except Exception:  # noqa: BLE001 # likewise
                return "fails"
        return "accepts"

    return run


def _slack(vector: Vector) -> str:
    class Clock:
        def now(self) -> float:
            return vector["now"]

    verifier = slack_sdk.signature.SignatureVerifier(vector["secret"], Clock())
    try:
        return "accepts" if verifier.is_valid_request(body_of(vector), vector["headers"]) else "rejects"
    except Exception:  # noqa: BLE001 # likewise
        return "fails"


def _ed25519(vector: Vector) -> str:
    """The specification's v1a; neither of its Python libraries has it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vector["secret"].removeprefix("whpk_")))
    prefix = "svix" if header(vector, "svix-id") else "webhook"
    identity, timestamp = header(vector, f"{prefix}-id"), header(vector, f"{prefix}-timestamp")
    if abs(vector["now"] - int(timestamp or 0)) > 300:
        return "rejects"
    for each in (header(vector, f"{prefix}-signature") or "").split(" "):
        version, _, signature = each.partition(",")
        try:
            signed = f"{identity}.{timestamp}.".encode() + body_of(vector)
            key.verify(base64.b64decode(signature, validate=True) if version == "v1a" else b"", signed)
        except (InvalidSignature, ValueError):
            continue
        return "accepts"
    return "rejects"


LIBRARIES: dict[str, Callable[[Vector], str]] = {
    "stripe": _stripe,
    "standardwebhooks": _standard_webhooks(
        lambda secret: partial(standardwebhooks.Webhook(secret).verify, json_parse=False)
    ),
    "standardwebhooks, of the client secret": _standard_webhooks(
        lambda secret: partial(standardwebhooks.Webhook(b64(secret.encode())).verify, json_parse=False)
    ),
    "svix": _standard_webhooks(lambda secret: svix.Webhook(secret).verify),
    "slack_sdk": _slack,
    "cryptography": _ed25519,
}
"""By the name that vectors use."""

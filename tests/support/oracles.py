"""The providers' own verifiers, with a clock that a test sets: what they say of a signature vector."""

from __future__ import annotations

import base64
import hmac
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Vector = dict[str, Any]


def body_of(vector: Vector) -> bytes:
    """A vector's body, which is text or, where it is not UTF-8, base64."""
    return base64.b64decode(vector["body_base64"]) if "body_base64" in vector else vector["body"].encode()


def verdict(vector: Vector) -> str:
    """What the vector's oracle says: "accepts", "rejects", or "fails" when it raises what it does not document."""
    return ORACLES[vector["oracle"]](vector)


def _header(vector: Vector, name: str) -> str | None:
    return {key.lower(): value for key, value in vector["headers"].items()}.get(name)


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
                body_of(vector), _header(vector, "stripe-signature"), vector["secret"], 300
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


def _github(vector: Vector) -> str:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#python-example, without FastAPI."""
    signature_header = _header(vector, "x-hub-signature-256")
    if not signature_header:
        return "rejects"
    hash_object = hmac.new(vector["secret"].encode("utf-8"), msg=body_of(vector), digestmod="sha256")
    expected_signature = "sha256=" + hash_object.hexdigest()
    return "accepts" if hmac.compare_digest(expected_signature, signature_header) else "rejects"


def _shopify(vector: Vector) -> str:
    """https://shopify.dev/docs/apps/build/webhooks/subscribe/https, the sample in Python, without Flask."""
    found = _header(vector, "x-shopify-hmac-sha256") or _header(vector, "shopify-hmac-sha256")
    digest = hmac.new(vector["secret"].encode("utf-8"), body_of(vector), digestmod="sha256").digest()
    computed_hmac = base64.b64encode(digest)
    return "accepts" if hmac.compare_digest(computed_hmac, (found or "").encode("utf-8")) else "rejects"


def _gitlab_token(vector: Vector) -> str:
    """https://docs.gitlab.com/user/project/integrations/webhooks/: the header is the token."""
    return "accepts" if _header(vector, "x-gitlab-token") == vector["secret"] else "rejects"


def _ed25519(vector: Vector) -> str:
    """The specification's v1a; neither of its Python libraries has it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vector["secret"].removeprefix("whpk_")))
    prefix = "svix" if _header(vector, "svix-id") else "webhook"
    identity, timestamp = _header(vector, f"{prefix}-id"), _header(vector, f"{prefix}-timestamp")
    if abs(vector["now"] - int(timestamp or 0)) > 300:
        return "rejects"
    for each in (_header(vector, f"{prefix}-signature") or "").split(" "):
        version, _, signature = each.partition(",")
        try:
            signed = f"{identity}.{timestamp}.".encode() + body_of(vector)
            key.verify(base64.b64decode(signature, validate=True) if version == "v1a" else b"", signed)
        except (InvalidSignature, ValueError):
            continue
        return "accepts"
    return "rejects"


ORACLES: dict[str, Callable[[Vector], str]] = {
    "stripe": _stripe,
    "standardwebhooks": _standard_webhooks(
        lambda secret: partial(standardwebhooks.Webhook(secret).verify, json_parse=False)
    ),
    "svix": _standard_webhooks(lambda secret: svix.Webhook(secret).verify),
    "slack_sdk": _slack,
    "github's sample": _github,
    "shopify's sample": _shopify,
    "gitlab's documentation": _gitlab_token,
    "cryptography": _ed25519,
}
"""By the name that vectors use."""

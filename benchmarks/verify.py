"""How long verifying takes, for every scheme, beside the provider's own library in the same run.

    .venv/bin/python benchmarks/verify.py [--rounds N] [--only NAME]

Each time is the median of rounds in which all contestants take turns, over a body of 1 KiB, and is shown as a
ratio to the bare primitive over the same bytes: one HMAC, one check of a public key's signature, or one
comparison. `ours, 2` holds two active secrets of which the second is the right one, so both are tried. The
libraries get the right secret alone; what they are built of is built beforehand.

It tells when an HMAC scheme with a timestamp in a header takes, with two secrets, more than three times the
bare HMAC, or with one more than a library that checks the same. Of a provider with several records that is
asked of the first. (Of the other libraries some check less than we do, and Discord's uses libsodium, whose
Ed25519 is faster than OpenSSL's.)
"""

import argparse
import contextlib
import hmac
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import SignedRequest, Verified, verify
from tests.conformance import keys
from tests.conformance.deliveries import NOW, Delivery, Kind, b64
from tests.conformance.oracles import KINDS
from tests.conformance.running import secret_of

SIZE = 1024
BATCH = 0.0005  # seconds that one turn takes, of the processor: others on the machine do not count
LIMIT = 3.0
WARM = 5

Call = Callable[[], Any]


class Row(NamedTuple):
    """What was measured of one scheme, in seconds per call."""

    name: str
    bare: float
    one: float
    two: float
    library: float | None
    judged: bool


# ---- the libraries, called as their documentation says ----


def _stripe(sent: Delivery, secret: str) -> Call:
    from stripe import WebhookSignature

    given = sent.headers["Stripe-Signature"]
    return lambda: WebhookSignature.verify_header(sent.body, given, secret, 300)


def _standardwebhooks(sent: Delivery, secret: str) -> Call:
    from standardwebhooks import Webhook

    webhook = Webhook(secret)
    return lambda: webhook.verify(sent.body, sent.headers, json_parse=False)


def _bigcommerce(sent: Delivery, secret: str) -> Call:
    return _standardwebhooks(sent, b64(secret.encode()))


def _svix(sent: Delivery, secret: str) -> Call:
    from svix import Webhook

    webhook = Webhook(secret)
    return lambda: webhook.verify(sent.body, sent.headers)


def _slack(sent: Delivery, secret: str) -> Call:
    from slack_sdk.signature import SignatureVerifier

    verifier = SignatureVerifier(secret)
    return lambda: verifier.is_valid_request(sent.body, sent.headers)


def _resend(sent: Delivery, secret: str) -> Call:
    from resend import Webhooks

    headers = {name: sent.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    options: Any = {"payload": sent.body, "headers": headers, "webhook_secret": secret}
    return lambda: Webhooks.verify(options)


def _adyen(sent: Delivery, secret: str) -> Call:
    from Adyen.util import is_valid_hmac_payload

    given, body = sent.headers["HmacSignature"], sent.body.encode()
    return lambda: is_valid_hmac_payload(given, secret, body)


def _pyairtable(sent: Delivery, secret: str) -> Call:
    from pyairtable.models.webhook import WebhookNotification

    given = sent.headers["X-Airtable-Content-MAC"]

    def call() -> None:
        with contextlib.suppress(ValueError):  # of a notification's form, which comes after the signature
            WebhookNotification.from_request(sent.body, given, secret)

    return call


def _coinbase(sent: Delivery, secret: str) -> Call:
    from coinbase_commerce.webhook import WebhookSignature

    given = sent.headers["X-CC-Webhook-Signature"]
    return lambda: WebhookSignature.verify_sig_header(sent.body, given, secret)


def _easypost(sent: Delivery, secret: str) -> Call:
    from easypost.util import validate_webhook

    body = sent.body.encode()
    return lambda: validate_webhook(body, sent.headers, secret)


def _gocardless(sent: Delivery, secret: str) -> Call:
    from gocardless_pro import webhooks

    given = sent.headers["Webhook-Signature"]
    return lambda: webhooks.parse(sent.body, secret, given)


def _mollie(sent: Delivery, secret: str) -> Call:
    from mollie.utils.webhooks.signature_validator import SignatureValidator

    validator, given = SignatureValidator(secret), sent.headers["X-Mollie-Signature"]
    return lambda: validator.validate_payload(sent.body, given)


def _razorpay(sent: Delivery, secret: str) -> Call:
    from razorpay.utility import Utility

    utility, given = Utility(), sent.headers["X-Razorpay-Signature"]
    return lambda: utility.verify_webhook_signature(sent.body, given, secret)


def _box(sent: Delivery, secret: dict[str, str]) -> Call:
    from box_sdk_gen.managers.webhooks import WebhooksManager

    headers = {name.lower(): value for name, value in sent.headers.items()}
    one, two = secret["primary"], secret["secondary"]
    return lambda: WebhooksManager.validate_message(sent.body, headers, one, secondary_key=two)


def _sendgrid(sent: Delivery, secret: str) -> Call:
    from sendgrid.helpers.eventwebhook import EventWebhook

    prefix = "X-Twilio-Email-Event-Webhook-"
    signature, stamp = (sent.headers[prefix + name] for name in ("Signature", "Timestamp"))
    webhook = EventWebhook(secret)
    return lambda: webhook.verify_signature(sent.body, signature, stamp)


def _discord(sent: Delivery, secret: str) -> Call:
    from discord_interactions import verify_key

    body = sent.body.encode()
    signature, stamp = (sent.headers[f"X-Signature-{name}"] for name in ("Ed25519", "Timestamp"))
    return lambda: verify_key(body, signature, stamp, secret)


def _twilio(sent: Delivery, secret: str) -> Call:
    from twilio.request_validator import RequestValidator

    validator, given = RequestValidator(secret), sent.headers["X-Twilio-Signature"]
    return lambda: validator.validate(sent.url, dict(parse_qsl(sent.body)), given)


def _braintree(sent: Delivery, secret: dict[str, str]) -> Call:
    from braintree import BraintreeGateway, Configuration, Environment

    settings = Configuration(Environment.Sandbox, "merchant", secret["public_key"], secret["private_key"])
    gateway = BraintreeGateway(settings)

    def call() -> None:
        form = dict(parse_qsl(sent.body))
        gateway.webhook_notification.parse(form["bt_signature"], form["bt_payload"])

    return call


def _google(sent: Delivery, secret: dict[str, Any]) -> Call:
    from google.auth import jwt

    token = sent.headers["Authorization"].removeprefix("Bearer ")
    return lambda: jwt.decode(token, certs=secret["certs"], audience=secret["audience"])


def _messagebird(sent: Delivery, secret: str) -> Call:
    from messagebird.request_validator import RequestValidator

    validator, body = RequestValidator(secret), sent.body.encode()
    given = sent.headers["MessageBird-Signature-JWT"]
    return lambda: validator.validate_signature(given, sent.url, body)


LIBRARIES: dict[str, Callable[[Delivery, Any], Call]] = {
    "adyen/header": _adyen,
    "airtable": _pyairtable,
    "anthropic": _standardwebhooks,
    "bigcommerce": _bigcommerce,
    "box/both": _box,
    "braintree": _braintree,
    "clerk": _svix,
    "coinbase-commerce": _coinbase,
    "discord": _discord,
    "easypost": _easypost,
    "gitlab/signing-token": _standardwebhooks,
    "gocardless": _gocardless,
    "google-pubsub": _google,
    "messagebird": _messagebird,
    "mollie": _mollie,
    "openai": _standardwebhooks,
    "razorpay": _razorpay,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "slack": _slack,
    "standard-webhooks/v1": _standardwebhooks,
    "stripe": _stripe,
    "svix/v1": _svix,
    "twilio/form": _twilio,
}
"""Those that are in the development environment; they are the oracles of tests/conformance, too."""


# ---- the bare primitives ----


def bare(kind: Kind, body: bytes) -> Call:
    """What any verifier of this kind must at least do."""
    scheme = next(iter(SCHEMES[kind.provider]))
    name = BARE.get(kind.provider) or scheme.get("algorithm", "hmac-sha256")
    if kind.name.endswith(("v1a", "v1a-webhook-headers")):
        name = "ed25519"
    if kind.name == "gitlab/token":
        name = "token"
    return _PRIMITIVES[name](body)


def _hmac(digest: str) -> Callable[[bytes], Call]:
    key = b"k" * 32
    return lambda body: lambda: hmac.digest(key, body, digest)


def _compare(_body: bytes) -> Call:
    one, two = b"token-one", b"token-two"
    return lambda: hmac.compare_digest(one, two)


def _ed25519(body: bytes) -> Call:
    key = keys.ed25519_key(0)
    signature, public = key.sign(body), key.public_key()
    return lambda: public.verify(signature, body)


def _ecdsa(body: bytes) -> Call:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    signature, public, how = keys.ec_sign(0, body), keys.ec_key(0).public_key(), ECDSA(SHA256())
    return lambda: public.verify(signature, body, how)


def _rsa(body: bytes) -> Call:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signature, public = keys.rsa_sign(0, body), keys.rsa_key(0).public_key()
    pad, digest = PKCS1v15(), SHA256()
    return lambda: public.verify(signature, body, pad, digest)


_PRIMITIVES: dict[str, Callable[[bytes], Call]] = {
    **{f"hmac-{digest}": _hmac(digest) for digest in ("sha1", "sha256", "sha512")},
    "sha256": _hmac("sha256"),
    "token": _compare,
    "basic": _compare,
    "ed25519": _ed25519,
    "ecdsa-p256-sha256": _ecdsa,
    "rsa-sha256": _rsa,
}
BARE = {
    "aws-sns": "rsa-sha256",
    "braintree": "hmac-sha1",
    "google-pubsub": "rsa-sha256",
    "messagebird": "hmac-sha256",
    "microsoft-graph": "token",
    "monday": "hmac-sha256",
    "netlify": "hmac-sha256",
    "atlassian-connect": "hmac-sha256",
    "paypal": "rsa-sha256",
    "plaid": "ecdsa-p256-sha256",
    "twilio": "hmac-sha1",
}
"""Of what code or tokens verify: the primitive that they come down to."""


# ---- measuring ----


def grown(body: str) -> str:
    """A delivery's body, made as large as all of them are here."""
    pad = "x" * (SIZE - len(body.encode()) - 12)
    if body.startswith("{"):
        return f'{body[:-1]},"pad":"{pad}"}}'
    if body.startswith("["):
        return f'{body.rstrip()[:-1]},{{"pad":"{pad}"}}]'
    return f"{body}<!--{pad}-->" if body.startswith("<") else f"{body}&pad={pad}"


def measure(kind: Kind, rounds: int) -> Row:
    """All contestants by turns."""
    now = int(time.time()) if kind.name in LIBRARIES else NOW  # libraries look at the clock
    right, other = kind.secrets
    sent = kind.delivery(right, now, body=grown(kind.body))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    request = SignedRequest(sent.method, sent.url, headers, sent.body.encode())
    schemes, one, two = SCHEMES[kind.provider], [secret_of({"secret": right})], secret_of({"secret": other})
    calls: list[Call] = [
        bare(kind, request.body),
        lambda: verify(schemes, request, one, tolerance=300, now=now),
        lambda: verify(schemes, request, [two, *one], tolerance=300, now=now),
    ]
    if kind.name in LIBRARIES:
        calls.append(LIBRARIES[kind.name](sent, right))
    medians = [statistics.median(turns) for turns in by_turns(calls, rounds)]
    library = medians[3] if len(medians) > 3 else None
    return Row(kind.name, medians[0], medians[1], medians[2], library, is_judged(kind, calls[1]()))


def is_judged(kind: Kind, proof: Verified) -> bool:
    """Whether it is an HMAC over a time in a header, by the provider's first record."""
    scheme = SCHEMES[kind.provider][0]
    by_hmac = scheme.get("algorithm", "").startswith("hmac") and "timestamp" in scheme
    return proof.scheme is scheme and by_hmac and "value" not in scheme["timestamp"]


def by_turns(calls: list[Call], rounds: int) -> list[list[float]]:
    """Seconds per call of each, in each round."""
    counts = []
    for call in calls:
        for _ in range(WARM):
            call()
        began = time.thread_time()
        call()
        counts.append(max(1, int(BATCH / max(time.thread_time() - began, 1e-7))))
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, count, found in zip(calls, counts, times, strict=True):
            began = time.thread_time()
            for _ in range(count):
                call()
            found.append((time.thread_time() - began) / count)
    return times


def show(rows: list[Row]) -> None:
    """The table."""
    print(f"{'scheme':34} {'bare':>9} {'ours':>7} {'ours, 2':>8} {'library':>8}   (ratios to bare)")
    for row in rows:
        library = "" if row.library is None else f"{row.library / row.bare:8.2f}"
        ours = f"{row.one / row.bare:7.2f} {row.two / row.bare:8.2f}"
        print(f"{row.name:34} {row.bare * 1e6:7.2f}us {ours} {library}")


def judge(rows: list[Row]) -> list[str]:
    """What is not as it should be."""
    slow = [
        f"{row.name}: {row.two / row.bare:.2f} times the bare HMAC with two secrets, more than {LIMIT:g}"
        for row in rows
        if row.judged and row.two > LIMIT * row.bare
    ]
    beaten = [
        f"{row.name}: its library is faster, {row.library / row.bare:.2f} to {row.one / row.bare:.2f}"
        for row in rows
        if row.library is not None and row.library < row.one and row.judged
    ]
    return slow + beaten


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--only", default="", help="schemes whose name has this in it")
    arguments = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    chosen = [
        kind
        for kind in KINDS
        if arguments.only in kind.name
        and kind.provider in SCHEMES
        and not kind.name.startswith("microsoft-graph/tokens-")
    ]
    rows = [measure(kind, arguments.rounds) for kind in chosen]
    show(rows)
    print("\n".join(judge(rows)) or "all goals reached")


if __name__ == "__main__":
    main()

"""Makes the signature vectors: ``python -m tests.conformance.make_vectors`` writes them anew.

Signatures are made by the providers' own libraries or, where there is none, by the sample in the provider's
documentation, re-typed; never by the engine that they test. Published ones say where. Everything is fixed (secrets,
times, ids), so that a second run writes the same files.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import standardwebhooks
import stripe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from slack_sdk.signature import SignatureVerifier

from tests.support.oracles import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.oracles import Vector

DIRECTORY = Path(__file__).parent / "vectors"
NOW = 1_760_000_000
JSON = '{"id":"evt_1","type":"invoice.paid","data":{"name":"Zoë 日本語","total":12.50,"escaped":"\\/"}}'
STANDARD_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_STANDARD_SECRET = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
MESSAGE = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"

Headers = dict[str, str]


class Kind(NamedTuple):
    """What signs, who says whether it is right, two secrets, whether a time is signed, and what the event is."""

    name: str
    provider: str
    oracle: str
    sign: Callable[[str, str, int], Headers]  # body, secret, epoch seconds
    secrets: tuple[str, str]
    timed: bool
    event_id: str | None
    event_type: str


def _stripe(body: str, secret: str, now: int) -> Headers:
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret, now)}


def _standard(prefix: str, *, key: str = "v1") -> Any:
    def make(body: str, secret: str, now: int) -> Headers:
        at = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
        v1 = (
            standardwebhooks.Webhook(secret).sign(MESSAGE, at, body)
            if key == "v1"
            else _v1a(body, secret, now)
        )
        return {f"{prefix}-id": MESSAGE, f"{prefix}-timestamp": str(now), f"{prefix}-signature": v1}

    return make


def _v1a(body: str, secret: str, now: int) -> str:
    """``secret`` is the public key, as a verifier has it; its private key is in this table."""
    signature = PRIVATE_KEYS[secret].sign(f"{MESSAGE}.{now}.{body}".encode())
    return "v1a," + base64.b64encode(signature).decode()


def _key_pair(seed: int) -> tuple[str, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "whpk_" + base64.b64encode(public).decode(), private


PRIVATE_KEYS = dict(_key_pair(seed) for seed in (1, 2))
PUBLIC_KEY, OTHER_PUBLIC_KEY = PRIVATE_KEYS


def _gitlab(body: str, secret: str, now: int) -> Headers:
    headers: Headers = _standard("webhook")(body, secret, now)
    return {**headers, "X-Gitlab-Event": "Push Hook", "Idempotency-Key": MESSAGE}


def _gitlab_token(_body: str, secret: str, _now: int) -> Headers:
    return {"X-Gitlab-Token": secret, "X-Gitlab-Event": "Push Hook", "Idempotency-Key": "f5e57f64"}


def _github(body: str, secret: str, _now: int) -> Headers:
    digest = hmac.new(secret.encode(), body.encode(), "sha256").hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={digest}",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-GitHub-Event": "pull_request",
    }


def _shopify(prefix: str) -> Any:
    def make(body: str, secret: str, _now: int) -> Headers:
        digest = hmac.new(secret.encode(), body.encode(), "sha256").digest()
        return {
            f"{prefix}-Hmac-Sha256": base64.b64encode(digest).decode(),
            f"{prefix}-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            f"{prefix}-Topic": "orders/paid",
        }

    return make


def _slack(body: str, secret: str, now: int) -> Headers:
    signature = SignatureVerifier(secret).generate_signature(timestamp=str(now), body=body)
    assert signature
    return {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": str(now)}


KINDS = [
    Kind(name="stripe", provider="stripe", oracle="stripe", sign=_stripe, secrets=("whsec_one", "whsec_two"), timed=True,
         event_id="evt_1", event_type="invoice.paid"),
    Kind(name="standard-webhooks/v1", provider="standard-webhooks", oracle="standardwebhooks", sign=_standard("webhook"),
         secrets=(STANDARD_SECRET, OTHER_STANDARD_SECRET), timed=True, event_id=MESSAGE, event_type="invoice.paid"),
    Kind(name="standard-webhooks/v1a", provider="standard-webhooks", oracle="cryptography",
         sign=_standard("webhook", key="v1a"), secrets=(PUBLIC_KEY, OTHER_PUBLIC_KEY), timed=True, event_id=MESSAGE,
         event_type="invoice.paid"),
    Kind(name="svix/v1", provider="svix", oracle="svix", sign=_standard("svix"), timed=True,
         secrets=(STANDARD_SECRET, OTHER_STANDARD_SECRET), event_id=MESSAGE, event_type="invoice.paid"),
    Kind(name="svix/v1-webhook-headers", provider="svix", oracle="svix", sign=_standard("webhook"), timed=True,
         secrets=(STANDARD_SECRET, OTHER_STANDARD_SECRET), event_id=MESSAGE, event_type="invoice.paid"),
    Kind(name="svix/v1a", provider="svix", oracle="cryptography", sign=_standard("svix", key="v1a"), timed=True,
         secrets=(PUBLIC_KEY, OTHER_PUBLIC_KEY), event_id=MESSAGE, event_type="invoice.paid"),
    Kind(name="gitlab/signing-token", provider="gitlab", oracle="standardwebhooks", sign=_gitlab, timed=True,
         secrets=(STANDARD_SECRET, OTHER_STANDARD_SECRET), event_id=MESSAGE, event_type="Push Hook"),
    Kind(name="gitlab/token", provider="gitlab", oracle="gitlab's documentation", sign=_gitlab_token, timed=False,
         secrets=("token-one", "token-two"), event_id="f5e57f64", event_type="Push Hook"),
    Kind(name="github", provider="github", oracle="github's sample", sign=_github, timed=False,
         secrets=("secret one", "secret two"), event_id="72d3162e-cc78-11e3-81ab-4c9367dc0958", event_type="pull_request"),
    Kind(name="shopify", provider="shopify", oracle="shopify's sample", sign=_shopify("X-Shopify"), timed=False,
         secrets=("hush", "hush2"), event_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", event_type="orders/paid"),
    Kind(name="shopify/events", provider="shopify", oracle="shopify's sample", sign=_shopify("Shopify"), timed=False,
         secrets=("hush", "hush2"), event_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", event_type="orders/paid"),
    Kind(name="slack", provider="slack", oracle="slack_sdk", sign=_slack, secrets=("8f742231b10e", "9f742231b10e"),
         timed=True, event_id=None, event_type="invoice.paid"),
]  # fmt: skip

PUBLISHED: list[Vector] = [
    {
        "id": "github/published",
        "provider": "github",
        "oracle": "github's sample",
        "source": "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation",
        "secret": "It's a Secret to Everybody",
        "headers": {
            "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        },
        "body": "Hello, World!",
        "now": NOW,
    },
    {
        "id": "slack/published",
        "provider": "slack",
        "oracle": "slack_sdk",
        "source": "https://docs.slack.dev/authentication/verifying-requests-from-slack",
        "secret": "8f742231b10e8888abcd99yyyzzz85a5",
        "headers": {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        "body": "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121"
        ".803a0bc887a14d10d2c447fce8b6703c",
        "now": 1531420618,
        "expected_event_type": "/webhook-collect",
    },
    {
        "id": "standard-webhooks/v1a-published",
        "provider": "standard-webhooks",
        "oracle": "cryptography",
        "source": "https://github.com/svix/svix-webhooks (the key pair and signature in the server's README and tests)",
        "secret": "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "headers": {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        },
        "body": '{"test": 2432232314}',
        "now": 1614265330,
        "expected_event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    },
]


def _variants(kind: Kind) -> Iterator[Vector]:
    """Each kind's vectors: what must be accepted, and what must not be."""
    secret, other = kind.secrets
    good: Headers = kind.sign(JSON, secret, NOW)
    name = next(
        header
        for header in good
        if "signature" in header.lower() or "hmac" in header.lower() or "token" in header.lower()
    )
    covers_body = kind.oracle != "gitlab's documentation"

    def vector(case: str, **changes: Any) -> Vector:
        return {"case": case, "secret": secret, "headers": good, "body": JSON, "now": NOW, **changes}

    yield vector("valid", expected_event_id=kind.event_id, expected_event_type=kind.event_type)
    yield vector("empty-body", body="", headers=kind.sign("", secret, NOW))
    yield vector("wrong-secret", secret=other)
    yield vector("missing-header", headers={key: value for key, value in good.items() if key != name})
    yield vector("empty-header", headers={**good, name: ""})
    yield vector("truncated", headers={**good, name: good[name][:-1]})
    yield vector("repeated-header", headers={**good, name: f"{good[name]},{good[name]}"})
    if covers_body:
        yield vector("tampered-body", body=JSON.replace("12.50", "12.5"))
        yield vector("reserialised-body", body=json.dumps(json.loads(JSON)))
        yield vector("other-bytes", body_base64=base64.b64encode(b"\xff\xfe").decode(), body="")
    if kind.timed:
        for case, offset in {
            "at-the-edge": 300,
            "stale": 301,
            "early-edge": -300,
            "from-the-future": -301,
        }.items():
            yield vector(case, now=NOW + offset)
        yield vector(
            "other-timestamp",
            headers={key: value.replace(str(NOW), str(NOW + 1)) for key, value in good.items()},
        )


def _rotations() -> Iterator[tuple[Kind, Vector]]:
    """Several signatures in one header."""
    for kind in KINDS:
        secret, other = kind.secrets
        headers, others = (kind.sign(JSON, each, NOW) for each in (secret, other))
        if kind.name == "stripe":
            second = others["Stripe-Signature"].partition(",")[2]
            for case, value in {
                "rotation": f"t={NOW},{second},v0=00,{headers['Stripe-Signature'].partition(',')[2]}",
                "only-v0": headers["Stripe-Signature"].replace("v1=", "v0="),
            }.items():
                yield (
                    kind,
                    {
                        "case": case,
                        "secret": secret,
                        "headers": {"Stripe-Signature": value},
                        "body": JSON,
                        "now": NOW,
                    },
                )
        elif "v1" in kind.name or kind.name == "gitlab/signing-token":
            name = next(key for key in headers if key.endswith("signature"))
            for case, value in {
                "rotation": f"{others[name]} v2,AAAA {headers[name]}",
                "unknown-version": headers[name].replace("v1", "v2", 1),
            }.items():
                yield (
                    kind,
                    {
                        "case": case,
                        "secret": secret,
                        "headers": {**headers, name: value},
                        "body": JSON,
                        "now": NOW,
                    },
                )


def _finished(vector: Vector) -> Vector:
    """With the oracle's verdict, and ours where it is to differ."""
    said = verdict(vector)
    vector["oracle_verdict"] = said
    vector["valid"] = said == "accepts"
    for case, reason in STRICTER.get(vector["oracle"], {}).items():
        if vector["id"].endswith(f"/{case}") and vector["valid"]:
            vector.update(valid=False, policy=reason)
    if not vector["valid"]:
        vector.pop("expected_event_id", None)
        vector.pop("expected_event_type", None)
    return vector


STRICTER = {
    "stripe": {
        "from-the-future": "the SDK has no bound on the future; the tolerance holds both ways here",
        "repeated-header": "the SDK takes the first of two timestamps; a doubtful one is refused here",
    },
}


def make() -> dict[str, list[Vector]]:
    """All vectors, by the name of the file they are in."""
    found = list(PUBLISHED)
    found += [
        {
            "id": f"{kind.name}/{vector.pop('case')}",
            "provider": kind.provider,
            "oracle": kind.oracle,
            **vector,
        }
        for kind, vector in [*((kind, each) for kind in KINDS for each in _variants(kind)), *_rotations()]
    ]
    files: dict[str, list[Vector]] = {}
    for vector in found:
        files.setdefault(vector["provider"], []).append(_finished(dict(vector)))
    return files


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name, vectors in make().items():
        text = json.dumps({"vectors": vectors}, indent=1, ensure_ascii=False)
        (DIRECTORY / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}.json: {len(vectors)}")  # noqa: T201

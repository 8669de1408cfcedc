"""Deliveries whose timestamp and body are signed: Standard Webhooks and its kin, Stripe and its kin."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import slack_sdk.signature
import standardwebhooks
import stripe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conformance.deliveries import (
    NOW,
    Delivery,
    Kind,
    TimedSample,
    b64,
    body_of,
    event,
    headed,
    header,
    listed,
    mac,
    pairs,
    said,
    same,
    two_headers,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.deliveries import Headers, Vector

MESSAGE = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
BARE_SECRETS = tuple(b64(bytes(range(start, start + 32))) for start in (0, 32))
SECRETS = tuple("whsec_" + b64(bytes(range(start, start + 32))) for start in (0, 32))

# ---- Standard Webhooks ----


def _key_pair(seed: int) -> tuple[str, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "whpk_" + b64(public), private


PRIVATE_KEYS = dict(_key_pair(seed) for seed in (1, 2))
PUBLIC_KEYS = tuple(PRIVATE_KEYS)


def _v1(secret: str, body: str, now: int) -> str:
    at = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    return str(standardwebhooks.Webhook(secret).sign(MESSAGE, at, body))


ONE_SPELLING = "the library reads other spellings of the same bytes; a signature has one here"


def _v1_of_text(secret: str, body: str, now: int) -> str:
    return _v1(b64(secret.encode()), body, now)


def _v1a(secret: str, body: str, now: int) -> str:
    """``secret`` is the public key, as a verifier has it; its private key is in this table."""
    return "v1a," + b64(PRIVATE_KEYS[secret].sign(f"{MESSAGE}.{now}.{body}".encode()))


def _standard(
    name: str,
    oracle: str,
    prefix: str = "webhook",
    *,
    make: Callable[[str, str, int], str] = _v1,
    secrets: tuple[Any, ...] = SECRETS,
    body: str = event(id="evt_1", type="invoice.paid"),
    told: tuple[str | None, str | None] = (MESSAGE, "invoice.paid"),
    sent: Headers | None = None,
    source: str | None = None,
    stricter: dict[str, str] | None = None,
    empty: bool = True,
) -> Kind:
    def sign(delivery: Delivery, secret: str, now: int) -> Delivery:
        signature = make(secret, delivery.body, now)
        return delivery.with_headers(
            {f"{prefix}-id": MESSAGE, f"{prefix}-timestamp": str(now), f"{prefix}-signature": signature}
        )

    return Kind(
        name=name, oracle=oracle, sign=sign, secrets=(secrets[0], secrets[1]), body=body, header=f"{prefix}-signature",
        sent=sent or {}, window=(300, 300), events=(told,), lists=lambda one, two: f"{one} v2,AAAA {two}", source=source,
        stricter={"padded": ONE_SPELLING, **(stricter or {})}, empty=empty,
    )  # fmt: skip


# ---- a timestamp in the signature's header, or in one of its own ----


def _dotted(secret: str, vector: Vector, stamp: str) -> str:
    return mac(secret, f"{stamp}.".encode() + body_of(vector)).hex()


def _colon(secret: str, vector: Vector, stamp: str) -> str:
    return mac(secret, f"{stamp}:".encode() + body_of(vector)).hex()


def _zoom(secret: str, vector: Vector, stamp: str) -> str:
    return mac(secret, f"v0:{stamp}:".encode() + body_of(vector)).hex()


def _zendesk(secret: str, vector: Vector, stamp: str) -> str:
    return b64(mac(secret, stamp.encode() + body_of(vector)))


def _positional(name: str) -> dict[str, Any]:
    def read(get: Callable[[str], str]) -> tuple[str, list[str]]:
        stamp, *signatures = get(name).split(",")
        return stamp, signatures

    return {"write": lambda at, made: {name: f"{at},{made}"}, "read": read}


def _iso(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


MILLISECONDS: dict[str, Any] = {"stamp": lambda now: f"{now}000", "seconds": lambda text: float(text) / 1000}
_COMMA: Callable[[str, str], str] = lambda one, two: f"{one},{two.partition(',')[2]}"  # noqa: E731
_SEMICOLON: Callable[[str, str], str] = lambda one, two: f"{one};{two.partition(';')[2]}"  # noqa: E731

_SAMPLES: dict[str, TimedSample] = {
    "zoom": TimedSample(**two_headers("x-zm-signature", "x-zm-request-timestamp", "v0="), expected=_zoom),
    "paddle": TimedSample(**listed("Paddle-Signature", ";", "ts", "h1"), expected=_colon, window=(5, 5)),
    "recurly": TimedSample(**_positional("recurly-signature"), expected=_dotted, **MILLISECONDS),
    "workos": TimedSample(**listed("WorkOS-Signature", ", ", "t", "v1"), expected=_dotted, window=(180, 180), **MILLISECONDS),
    "buildkite": TimedSample(**listed("X-Buildkite-Signature", ",", "timestamp", "signature"), expected=_dotted),
    "calendly": TimedSample(**listed("Calendly-Webhook-Signature", ",", "t", "v1"), expected=_dotted, window=(180, 180)),
    "shippo": TimedSample(**listed("Shippo-Auth-Signature", ",", "t", "v1"), expected=_dotted),
    "coinbase-cdp": TimedSample(**listed("X-Hook0-Signature", ",", "t", "v0"), expected=_dotted),
    "zendesk": TimedSample(
        **two_headers("X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"),
        expected=_zendesk, stamp=_iso, seconds=_from_iso,
    ),
}  # fmt: skip


def _timed(
    name: str,
    where: str,
    body: str,
    told: tuple[str | None, str | None],
    source: str,
    *,
    sent: Headers | None = None,
    lists: Callable[[str, str], str] | None = None,
    window: tuple[int, int] = (300, 300),
    stricter: dict[str, str] | None = None,
) -> Kind:
    return Kind(
        name=name, oracle=f"{name}'s sample", sign=_SAMPLES[name].sign, body=body, header=where, sent=sent or {},
        window=window, events=(told,), lists=lists, source=source, stricter=stricter or {},
    )  # fmt: skip


# ---- those that are like no other ----


def _stripe(delivery: Delivery, secret: str, now: int) -> Delivery:
    made = stripe.WebhookSignature.generate_signature_header(delivery.body, secret, now)
    return delivery.with_headers({"Stripe-Signature": made})


def _slack(delivery: Delivery, secret: str, now: int) -> Delivery:
    verifier = slack_sdk.signature.SignatureVerifier(secret)
    made = verifier.generate_signature(timestamp=str(now), body=delivery.body)
    assert made
    return delivery.with_headers({"X-Slack-Signature": made, "X-Slack-Request-Timestamp": str(now)})


def _persona_sets(text: str) -> list[dict[str, str]]:
    return [dict(pairs(each, ",")) for each in text.split(" ")]


def _persona(vector: Vector) -> str:
    """https://docs.withpersona.com/webhooks-best-practices: whole sets, of the old and of the new secret."""
    for each in _persona_sets(header(vector, "Persona-Signature") or ""):
        stamp, signature = each.get("t", ""), each.get("v1", "")
        if (
            stamp.isdecimal()
            and abs(vector["now"] - int(stamp)) <= 300
            and same(_dotted(vector["secret"], vector, stamp), signature)
        ):
            return "accepts"
    return "rejects"


def _sign_persona(delivery: Delivery, secret: str, now: int) -> Delivery:
    signature = _dotted(secret, {"body": delivery.body}, str(now))
    return delivery.with_headers({"Persona-Signature": f"t={now},v1={signature}"})


def _sign_linear(delivery: Delivery, secret: str, now: int) -> Delivery:
    body = delivery.body.replace(f"{NOW}000", f"{now}000")
    return delivery.with_headers({"Linear-Signature": mac(secret, body.encode()).hex()})._replace(body=body)


def _linear(vector: Vector) -> str:
    """https://linear.app/developers/webhooks: the signature, then the age of the body's own timestamp."""
    if not same(mac(vector["secret"], body_of(vector)).hex(), header(vector, "Linear-Signature")):
        return "rejects"
    try:
        at = json.loads(body_of(vector))["webhookTimestamp"]
    except (ValueError, KeyError, TypeError):
        return "rejects"
    return said(isinstance(at, int) and abs(vector["now"] * 1000 - at) <= 60_000)


BOX_SECRETS = (
    {"primary": "SamplePrimaryKey", "secondary": "SampleSecondaryKey"},
    {"primary": "p", "secondary": "s"},
)
_BOX_ZONE = timezone(timedelta(hours=-7))


def _sign_box(*which: str) -> Callable[[Delivery, dict[str, str], int], Delivery]:
    def sign(delivery: Delivery, secret: dict[str, str], now: int) -> Delivery:
        at = datetime.fromtimestamp(now, _BOX_ZONE).isoformat()
        message = delivery.body.encode() + at.encode()
        made = {f"BOX-SIGNATURE-{each.upper()}": b64(mac(secret[each], message)) for each in which}
        return delivery.with_headers({"BOX-DELIVERY-TIMESTAMP": at, **made})

    return sign


def _box(name: str, where: str, *which: str, **more: Any) -> Kind:
    return Kind(
        name=f"box/{name}", oracle="box_sdk_gen", sign=_sign_box(*which), secrets=BOX_SECRETS, window=(600, 0), header=where,
        body=event(id="eb0c4e06", trigger="FILE.UPLOADED"), events=(("eb0c4e06", "FILE.UPLOADED"),),
        sent={"BOX-DELIVERY-ID": "f96bb54b", "BOX-SIGNATURE-ALGORITHM": "HmacSHA256", "BOX-SIGNATURE-VERSION": "1"}, **more,
    )  # fmt: skip


def _box_swapped(delivery: Delivery) -> Delivery:
    one, two = (delivery.headers[f"BOX-SIGNATURE-{each}"] for each in ("PRIMARY", "SECONDARY"))
    return delivery.with_headers({"BOX-SIGNATURE-PRIMARY": two, "BOX-SIGNATURE-SECONDARY": one})


def _sign_mailgun(delivery: Delivery, secret: str, now: int) -> Delivery:
    token = "5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6"
    triple = {"timestamp": str(now), "token": token, "signature": mac(secret, f"{now}{token}".encode()).hex()}
    rest = json.loads(delivery.body)
    return delivery._replace(body=event(**{"signature": triple, "event-data": rest["event-data"]}))


def _mailgun(vector: Vector) -> str:
    """https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks, the sample in Python."""
    try:
        triple = json.loads(body_of(vector))["signature"]
        expected = mac(vector["secret"], f"{triple['timestamp']}{triple['token']}".encode()).hex()
        fresh = abs(vector["now"] - float(triple["timestamp"])) <= 300
        return said(fresh and same(expected, triple["signature"]))
    except (ValueError, KeyError, TypeError):
        return "rejects"


def _sign_mailgun_form(delivery: Delivery, secret: str, now: int) -> Delivery:
    token = "5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6"
    signature = mac(secret, f"{now}{token}".encode()).hex()
    return delivery._replace(body=f"{delivery.body}&timestamp={now}&token={token}&signature={signature}")


def _mailgun_form(vector: Vector) -> str:
    """The older form: the three beside the event's own fields."""
    form = dict(parse_qsl(body_of(vector).decode()))
    return _mailgun({**vector, "body": json.dumps({"signature": form})})


SAMPLES: dict[str, Callable[[Vector], str]] = {
    **{f"{name}'s sample": sample for name, sample in _SAMPLES.items()},
    "persona's sample": _persona,
    "linear's rule": _linear,
    "mailgun's sample": _mailgun,
    "mailgun's sample, of a form": _mailgun_form,
}

KINDS = [
    _standard("standard-webhooks/v1", "standardwebhooks"),
    _standard("standard-webhooks/v1a", "cryptography", make=_v1a, secrets=PUBLIC_KEYS),
    _standard("standard-webhooks/bare", "standardwebhooks", secrets=BARE_SECRETS),
    _standard("svix/bare", "svix", "svix", secrets=BARE_SECRETS),
    _standard("svix/bare-webhook-headers", "svix", secrets=BARE_SECRETS),
    _standard("svix/v1a-webhook-headers", "cryptography", make=_v1a, secrets=PUBLIC_KEYS),
    _standard("svix/v1", "svix", "svix"),
    _standard("svix/v1-webhook-headers", "svix"),
    _standard("svix/v1a", "cryptography", "svix", make=_v1a, secrets=PUBLIC_KEYS),
    _standard("clerk", "svix", "svix", source="https://clerk.com/docs/webhooks/sync-data"),
    _standard("resend", "resend", "svix", empty=False, stricter={"unknown-version": "the library takes any version for v1"}),
    _standard("openai", "standardwebhooks", source="https://platform.openai.com/docs/guides/webhooks"),
    _standard("anthropic", "standardwebhooks", body=event(id="wevt_01", data={"type": "session.status_idled"}),
              told=(MESSAGE, "session.status_idled"), source="the anthropic package's beta.webhooks.unwrap calls this library"),
    _standard("bigcommerce", "standardwebhooks, of the client secret", make=_v1_of_text,
              secrets=("client_sécret_0123456789abcdef", "client_secret_two"), body=event(scope="store/order/created"),
              told=(MESSAGE, "store/order/created"), source="https://developer.bigcommerce.com/docs/integrations/webhooks"),
    _standard("gitlab/signing-token", "standardwebhooks", sent={"X-Gitlab-Event": "Push Hook", "Idempotency-Key": MESSAGE},
              told=(MESSAGE, "Push Hook"), source="https://docs.gitlab.com/user/project/integrations/webhooks/"),
    Kind(name="stripe", oracle="stripe", sign=_stripe, secrets=("whsec_one", "whsec_two"), header="Stripe-Signature", window=(300, 300),
         events=(("evt_1", "invoice.paid"),), lists=lambda one, two: f"{one},v0=00,{two.partition(',')[2]}", stricter={
             "padded": ONE_SPELLING,
             "from-the-future": "the SDK has no bound on the future; the tolerance holds both ways here",
             "repeated-header": "the SDK takes the first of two timestamps; a doubtful one is refused here",
         }),
    Kind(name="slack", oracle="slack_sdk", sign=_slack, secrets=("8f742231b10e", "9f742231b10e"), header="X-Slack-Signature",
         body=event(type="event_callback", event_id="Ev1", event={"type": "app_mention"}), window=(300, 300), events=(("Ev1", "app_mention"),)),
    Kind(name="slack/command", oracle="slack_sdk", sign=_slack, secrets=("8f742231b10e", "9f742231b10e"), header="X-Slack-Signature",
         sent={"Content-Type": "application/x-www-form-urlencoded"}, body="command=%2Fpay&text=12.50+Zo%C3%AB", window=(300, 300), events=((None, "/pay"),)),
    Kind(name="slack/without-event", oracle="slack_sdk", sign=_slack, secrets=("8f742231b10e", "9f742231b10e"), header="X-Slack-Signature",
         body=event(type="block_actions"), window=(300, 300), events=((None, "block_actions"),)),
    _timed("zoom", "x-zm-signature", event(event="meeting.started"), (None, "meeting.started"), "https://developers.zoom.us/docs/api/webhooks/"),
    _timed("paddle", "Paddle-Signature", event(event_id="evt_p", event_type="price.created"), ("evt_p", "price.created"),
           "https://developer.paddle.com/webhooks/signature-verification", lists=_SEMICOLON, window=(5, 5)),
    _timed("recurly", "recurly-signature", event(id="r1", object_type="account", event_type="created"), ("r1", "created"),
           "https://recurly.com/developers/pages/webhooks.html", lists=_COMMA),
    _timed("workos", "WorkOS-Signature", event(id="event_w", event="dsync.activated"), ("event_w", "dsync.activated"),
           "https://workos.com/docs/events/data-syncing/webhooks", window=(180, 180),
           stricter={"repeated-header": "the sample parts at comma and space; of two timestamps neither is taken here"}),
    _timed("buildkite", "X-Buildkite-Signature", event(event="build.finished"), (None, "build.finished"),
           "https://buildkite.com/docs/apis/webhooks", sent={"X-Buildkite-Event": "build.finished"}),
    _timed("calendly", "Calendly-Webhook-Signature", event(event="invitee.created"), (None, "invitee.created"),
           "https://developer.calendly.com/api-docs/ (webhook signatures)", window=(180, 180)),
    _timed("shippo", "Shippo-Auth-Signature", event(event="track_updated"), (None, "track_updated"), "https://docs.goshippo.com/docs/tracking/webhooksecurity/"),
    _timed("coinbase-cdp", "X-Hook0-Signature", event(eventType="x"), (None, None), "https://docs.cdp.coinbase.com/webhooks/verify-signatures"),
    _timed("zendesk", "X-Zendesk-Webhook-Signature", event(type="zen:event-type:user.created"), ("01Z", "zen:event-type:user.created"),
           "https://developer.zendesk.com/documentation/webhooks/verifying/", sent={"X-Zendesk-Webhook-Invocation-Id": "01Z"}),
    Kind(name="persona", oracle="persona's sample", sign=_sign_persona, header="Persona-Signature", window=(300, 300), lists=lambda one, two: f"{one} {two}",
         stricter={"repeated-header": "a set has one timestamp"},
         body=event(data={"id": "evt_per", "attributes": {"name": "inquiry.completed"}}), events=(("evt_per", "inquiry.completed"),),
         source="https://docs.withpersona.com/webhooks-best-practices"),
    Kind(name="linear", oracle="linear's rule", sign=_sign_linear, header="Linear-Signature", window=(60, 60), empty=False,
         sent={"Linear-Delivery": "234d1a4e", "Linear-Event": "Comment"}, body=event(type="comment", webhookTimestamp=NOW * 1000),
         events=(("234d1a4e", "Comment"),), source="https://linear.app/developers/webhooks"),
    Kind(name="linear/body-alone", oracle="linear's rule", sign=_sign_linear, header="Linear-Signature", window=(60, 60), empty=False,
         sent={"Linear-Delivery": "234d1a4e"}, body=event(type="Issue", webhookTimestamp=NOW * 1000), events=(("234d1a4e", "Issue"),)),
    _box("primary", "BOX-SIGNATURE-PRIMARY", "primary"),
    _box("secondary", "BOX-SIGNATURE-SECONDARY", "secondary"),
    _box("both", "BOX-DELIVERY-TIMESTAMP", "primary", "secondary", cases={
        "another-version": headed(BOX_SIGNATURE_VERSION="2"),
        "another-algorithm": headed(BOX_SIGNATURE_ALGORITHM="HmacSHA1"),
        "swapped": _box_swapped,
    }),
    Kind(name="mailgun", oracle="mailgun's sample", sign=_sign_mailgun, window=(300, 300), covers=frozenset(), empty=False, inside=True,
         body=event(**{"event-data": {"id": "Ase7i2zsRYeDXztHGENqRA", "event": "opened"}}), events=(("Ase7i2zsRYeDXztHGENqRA", "opened"),),
         source="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks"),
    Kind(name="mailgun/form", oracle="mailgun's sample, of a form", sign=_sign_mailgun_form, window=(300, 300), covers=frozenset(), empty=False, inside=True,
         sent={"Content-Type": "application/x-www-form-urlencoded"}, body="event=opened&recipient=zoe%40example.com",
         events=(("5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6", "opened"),),
         source="https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks"),
]  # fmt: skip

"""Deliveries that come with a JSON Web Token."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import parse_qsl, quote, urlsplit

import jwt

from tests.conformance import keys
from tests.conformance.deliveries import (
    NOW,
    Delivery,
    Kind,
    body_of,
    event,
    header,
    mac,
    said,
    same,
    sha256,
)
from tests.conformance.kinds_timed import ONE_SPELLING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.deliveries import Secret, Vector

Claims = dict[str, Any]
_SECRETS = ("a secret of thirty-two characters", "another of thirty-two characters!")


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: Claims, algorithm: str, key: Any, **head: Any) -> str:
    """A token in compact form (RFC 7515), made here and not by the library that is tried."""
    parts = ({"alg": algorithm, "typ": "JWT", **head}, claims)
    text = ".".join(_part(json.dumps(each, separators=(",", ":")).encode()) for each in parts)
    sign: dict[str, Callable[[bytes], bytes]] = {
        "none": lambda _text: b"",
        "HS256": lambda signed: mac(key, signed),
        "HS384": lambda signed: mac(key, signed, "sha384"),
        "HS512": lambda signed: mac(key, signed, "sha512"),
        "RS256": lambda signed: keys.rsa_sign(key, signed),
        "ES256": lambda signed: keys.jose(keys.ec_sign(key, signed)),
    }
    return f"{text}.{_part(sign[algorithm](text.encode()))}"


@contextmanager
def _at(now: float) -> Iterator[None]:
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(now, tz or UTC)

    with patch("jwt.api_jwt.datetime", Frozen):
        yield


def claims_of(vector: Vector, text: str, key: Any, algorithms: list[str], **options: Any) -> Claims:
    with _at(vector["now"]):
        return jwt.decode(text, key, algorithms=algorithms, **options)


def refuses(judge: Callable[[Vector], bool]) -> Callable[[Vector], str]:
    def ask(vector: Vector) -> str:
        try:
            return said(judge(vector))
        except (jwt.InvalidTokenError, ValueError, KeyError, TypeError):
            return "rejects"

    return ask


class _Way:
    """How a provider sends its token: where, of which claims, by which algorithm."""

    def __init__(
        self,
        where: str,
        claims: Callable[[Delivery, Secret, int], Claims],
        algorithm: str = "HS256",
        *,
        before: str = "",
        key: Callable[[Secret], Any] = lambda secret: secret,
        head: Callable[[Secret], dict[str, Any]] = lambda _secret: {},
    ) -> None:
        self._where, self._claims, self._algorithm = where, claims, algorithm
        self._before, self._key, self._head = before, key, head

    def sign(self, delivery: Delivery, secret: Secret, now: int) -> Delivery:
        return self.send(delivery, secret, self._claims(delivery, secret, now))

    def send(
        self, delivery: Delivery, secret: Secret, claims: Claims, algorithm: str = "", key: Any = None
    ) -> Delivery:
        made = token(
            claims,
            algorithm or self._algorithm,
            self._key(secret) if key is None else key,
            **self._head(secret),
        )
        return delivery.with_headers({self._where: self._before + made})

    def change(
        self, secret: Secret, algorithm: str = "", key: Any = None, **changes: Any
    ) -> Callable[[Delivery], Delivery]:
        """A delivery with other claims, or a token of another algorithm; None is a claim that is not there."""

        def make(delivery: Delivery) -> Delivery:
            claims = {**self._claims(delivery, secret, NOW), **changes}
            told = {name: value for name, value in claims.items() if value is not None}
            return self.send(delivery, secret, told, algorithm, key)

        return make

    def cases(
        self, secret: Secret, public: str | None = None, but: str = ""
    ) -> dict[str, Callable[[Delivery], Delivery]]:
        """What every such way must withstand: other claims, another algorithm, none, and the wrong key for it."""
        change = partial(self.change, secret)
        found = self._claims(Delivery({}, ""), secret, NOW)
        cases = {
            "none": change("none"),
            "another-algorithm": change("HS512", "x" * 64 if self._algorithm[0] != "H" else None),
            **{
                f"another-{name}": change(**{name: _other(value)})
                for name, value in found.items()
                if name not in ("sub", "azp", "jti")
            },
            **{
                f"without-{name}": change(**{name: None})
                for name in found
                if name not in ("sub", "azp", "jti", "nbf")
            },
        }
        if public is not None:
            cases["public-key-as-secret"] = change("HS256", public)
        return {name: case for name, case in cases.items() if name != but}


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value - 100_000 if isinstance(value, int) else f"x{value}"


# ---- Plaid: https://plaid.com/docs/api/webhooks/webhook-verification/ ----


def _jwk(number: int) -> dict[str, Any]:
    public = keys.ec_key(number).public_key().public_numbers()
    x, y = (_part(each.to_bytes(32, "big")) for each in (public.x, public.y))
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": x,
        "y": y,
        "alg": "ES256",
        "use": "sig",
        "kid": "bfbd5111",
        "expired_at": None,
    }


_PLAID = tuple({"jwks": {"bfbd5111": _jwk(number)}} for number in (0, 1))
_PLAID_WAY = _Way(
    "Plaid-Verification",
    lambda delivery, _secret, now: {"iat": now, "request_body_sha256": sha256(delivery.body.encode())},
    "ES256",
    key=_PLAID.index,
    head=lambda _secret: {"kid": "bfbd5111"},
)


def _plaid(vector: Vector) -> bool:
    text = header(vector, "Plaid-Verification") or ""
    head = jwt.get_unverified_header(text)
    key = vector["secret"]["jwks"].get(head.get("kid"))
    if head.get("alg") != "ES256" or not key or key["expired_at"] is not None:
        return False
    claims = claims_of(vector, text, jwt.PyJWK(key).key, ["ES256"], options={"verify_iat": False})
    return claims["iat"] >= vector["now"] - 300 and same(
        claims["request_body_sha256"], sha256(body_of(vector))
    )


# ---- Pub/Sub ----

_PUBSUB = tuple(
    {"certs": {"g1": keys.certificate(number, "google.example")}, "audience": "https://hooks.example.com/webhooks/push",
     "email": "push@my-project.iam.gserviceaccount.com"}
    for number in (0, 1)
)  # fmt: skip
_PUBSUB_WAY = _Way(
    "Authorization",
    lambda _delivery, secret, now: {
        "aud": secret["audience"], "azp": "1137", "email": secret["email"], "email_verified": True, "iat": now,
        "exp": now + 300, "iss": "https://accounts.google.com", "sub": "1137",
    },
    "RS256",
    before="Bearer ",
    key=_PUBSUB.index,
    head=lambda _secret: {"kid": "g1"},
)  # fmt: skip

# ---- monday: https://developer.monday.com/api-reference/reference/webhooks ----

_MONDAY_WAY = _Way(
    "Authorization", lambda delivery, _secret, now: {"aud": delivery.url, "iat": now, "exp": now + 300}
)


def _monday(vector: Vector) -> bool:
    return bool(claims_of(vector, header(vector, "Authorization") or "", vector["secret"], ["HS256"], audience=vector["url"],
                        options={"require": ["exp"], "verify_iat": False}))  # fmt: skip


# ---- Netlify: https://docs.netlify.com/deploy/deploy-notifications/#payload-signature ----

_NETLIFY_WAY = _Way(
    "X-Webhook-Signature",
    lambda delivery, _secret, _now: {"iss": "netlify", "sha256": sha256(delivery.body.encode())},
)


def _netlify(vector: Vector) -> bool:
    claims = claims_of(
        vector, header(vector, "X-Webhook-Signature") or "", vector["secret"], ["HS256"], issuer="netlify"
    )
    return same(claims["sha256"], sha256(body_of(vector)))


# ---- MessageBird: https://developers.messagebird.com/api/#verifying-http-requests; its library answers ----

_MESSAGEBIRD_WAY = _Way(
    "MessageBird-Signature-JWT",
    lambda delivery, _secret, now: {
        "iss": "MessageBird", "nbf": now, "exp": now + 60, "jti": "01H", "url_hash": sha256(delivery.url.encode()),
        "payload_hash": sha256(delivery.body.encode()),
    },
)  # fmt: skip

# ---- Atlassian Connect: https://developer.atlassian.com/cloud/bitbucket/query-string-hash/ ----


def _qsh(method: str, url: str) -> str:
    parts = urlsplit(url)
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "jwt":
            values.setdefault(quote(name, safe="~"), []).append(quote(value, safe="~"))
    query = "&".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values))
    path = "/" + parts.path.strip("/").replace("&", "%26")
    return sha256(f"{method.upper()}&{path}&{query}".encode())


_CONNECT_WAY = _Way(
    "Authorization",
    lambda delivery, _secret, now: {"iss": "abc123", "iat": now, "exp": now + 180, "qsh": _qsh(delivery.method, delivery.url)},
    before="JWT ",
)  # fmt: skip


def _connect(vector: Vector) -> bool:
    kind, _, text = (header(vector, "Authorization") or "").partition(" ")
    claims = claims_of(
        vector,
        text,
        vector["secret"],
        ["HS256"],
        options={"require": ["exp", "iss", "iat"], "verify_iat": False},
    )
    return kind == "JWT" and same(claims["qsh"], _qsh(vector["method"], vector["url"]))


SAMPLES: dict[str, Callable[[Vector], str]] = {
    "plaid's sample": refuses(_plaid),
    "monday's sample, with the audience": refuses(_monday),
    "netlify's sample": refuses(_netlify),
    "atlassian's rule": refuses(_connect),
}

_STRICTER = {"padded": ONE_SPELLING}
_BODY, _NOTHING, _LINE = frozenset({"body"}), frozenset[str](), frozenset({"url", "method"})
KINDS = [
    Kind(name="plaid", oracle="plaid's sample", sign=_PLAID_WAY.sign, secrets=_PLAID, header="Plaid-Verification", window=(300, 300),
         body=event(webhook_type="TRANSACTIONS", webhook_code="DEFAULT_UPDATE"), events=((None, "TRANSACTIONS.DEFAULT_UPDATE"),),
         cases=_PLAID_WAY.cases(_PLAID[0], json.dumps(_jwk(0))), source="https://plaid.com/docs/api/webhooks/webhook-verification/",
         stricter={"from-the-future": "the sample has no bound on the future"} | _STRICTER),
    Kind(name="google-pubsub", lives=300, oracle="google.auth", sign=_PUBSUB_WAY.sign, secrets=_PUBSUB, header="Authorization",
         body=event(message={"messageId": "2070443601311540", "data": "SGVsbG8="}), events=(("2070443601311540", None),), covers=_NOTHING,
         stricter=_STRICTER, cases=_PUBSUB_WAY.cases(_PUBSUB[0], keys.public_pem(keys.rsa_key(0)), but="without-iat") | {
             "iss-without-scheme": _PUBSUB_WAY.change(_PUBSUB[0], iss="accounts.google.com")}),
    Kind(name="monday", lives=300, oracle="monday's sample, with the audience", sign=_MONDAY_WAY.sign, secrets=_SECRETS, header="Authorization",
         body=event(event={"triggerUuid": "b5ed2e17", "type": "create_pulse"}), events=(("b5ed2e17", "create_pulse"),), covers=frozenset({"url"}),
         stricter=_STRICTER, cases=_MONDAY_WAY.cases(_SECRETS[0]), source="https://developer.monday.com/api-reference/reference/webhooks"),
    Kind(name="netlify", oracle="netlify's sample", sign=_NETLIFY_WAY.sign, secrets=_SECRETS, header="X-Webhook-Signature", sent={"X-Netlify-Event": "deploy_created"},
         body=event(id="5b"), events=(("5b", "deploy_created"),), stricter=_STRICTER, cases=_NETLIFY_WAY.cases(_SECRETS[0]),
         source="https://docs.netlify.com/deploy/deploy-notifications/#payload-signature"),
    Kind(name="messagebird", lives=60, oracle="messagebird", sign=_MESSAGEBIRD_WAY.sign, secrets=_SECRETS, header="MessageBird-Signature-JWT",
         body=event(id="m1"), events=(("01H", None),), covers=frozenset({"body", "url"}), empty=False, stricter=_STRICTER, cases=_MESSAGEBIRD_WAY.cases(_SECRETS[0]) | {
             "HS384": _MESSAGEBIRD_WAY.change(_SECRETS[0], "HS384")}),
    Kind(name="atlassian-connect", lives=180, oracle="atlassian's rule", sign=_CONNECT_WAY.sign, secrets=_SECRETS, header="Authorization",
         body=event(webhookEvent="jira:issue_updated"), events=((None, "jira:issue_updated"),), covers=_LINE,
         url="https://hooks.example.com/webhooks/jira?user_id=admin&xdm_e=a%20b&list=2&list=10", stricter=_STRICTER, cases=_CONNECT_WAY.cases(_SECRETS[0]),
         source="https://developer.atlassian.com/cloud/bitbucket/query-string-hash/"),
]  # fmt: skip

"""JSON Web Tokens as providers send them, and what is said of them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import jwt

from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.providers.web_tokens import WEB_TOKENS
from causeway.webhooks.verify import Rejected, Verified, verify
from tests.support.publishers import (
    NOW,
    Web,
    key_set,
    rsa_key,
)

if TYPE_CHECKING:
    from causeway.plan.records import Scheme


URL = "https://hooks.example.com/webhooks/x?a=1"
BODY = b'{"id": "evt_1"}'
SECRET = "a shared secret that is long enough for everybody, and for SHA-512, too"
PUSH = json.dumps({"audience": "https://push.example.com", "email": "push@project.iam.example.com"})
PLAID = json.dumps({"client_id": "c1", "secret": "s1"})
CLAIMS = {
    "iss": "https://accounts.google.com",
    "aud": "https://push.example.com",
    "email": "push@project.iam.example.com",
    "email_verified": True,
    "iat": int(NOW) - 60,
    "exp": int(NOW) + 3540,
}
GOOGLE = SOURCES["google"].url

HS256: Scheme = {
    "algorithm": "jwt",
    "header": "x-token",
    "jwt": {"algorithms": ["HS256"], "expires": True, "issued": True, "body_sha256": "hash"},
}


def google(web: Web | None = None) -> Web:
    return web or Web({GOOGLE: key_set(k1=rsa_key(1))})


def push(
    claims: dict[str, Any] = CLAIMS, key: Any = None, algorithm: str = "RS256", **header: Any
) -> SignedRequest:
    token = jwt.encode(claims, key or rsa_key(1), algorithm, headers={"kid": "k1", **header})
    return SignedRequest("POST", URL, {"authorization": f"Bearer {token}"}, BODY)


def judge(
    name: str | Scheme,
    request: SignedRequest,
    secrets: list[str],
    fetch: Any = None,
    *,
    now: float = NOW,
    tolerance: float | None = None,
) -> Verified | str:
    """The proof, or the rule that is broken."""
    schemes = WEB_TOKENS[name] if isinstance(name, str) else [name]
    try:
        return verify(schemes, request, secrets, tolerance=tolerance, now=now, fetch=fetch)
    except Rejected as error:
        return error.rule


def own(
    claims: dict[str, Any] | None = None, key: str = SECRET, body: bytes = BODY, algorithm: str = "HS256"
) -> SignedRequest:
    said = {"iat": int(NOW), "exp": int(NOW) + 60, "hash": hashlib.sha256(BODY).hexdigest(), **(claims or {})}
    token = jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm)
    return SignedRequest("POST", URL, {"x-token": token}, body)


def raw_token(header: Any, claims: Any, signature: bytes = b"x") -> str:
    parts = [json.dumps(part).encode() if not isinstance(part, bytes) else part for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))

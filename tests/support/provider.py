"""A small OpenID provider: authorization code with PKCE for one public client; its page is skipped."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.page import listening

CLIENT, AUDIENCE = "causeway-console", "https://causeway.example.com"


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """What it has seen, and what it does wrong when it is told to."""

    def __init__(self):
        self.token = "token-of-ann"
        self.good_for = 3600
        self.asked, self.exchanged = [], []
        self.codes = {}
        self.claims = {}  # of the ID token, instead of what is right
        self.said = {}  # of its configuration, likewise
        self.handed_back = {}  # in the address, likewise

    def answer(self, handler):
        url = urlsplit(handler.path)
        if url.path == "/.well-known/openid-configuration":
            return self._json(200, self._configuration())
        if url.path == "/authorize":
            return self._authorize({name: values[0] for name, values in parse_qs(url.query).items()})
        size = int(handler.headers.get("content-length") or 0)
        return self._exchange(
            {name: each[0] for name, each in parse_qs(handler.rfile.read(size).decode()).items()}
        )

    def _configuration(self):
        ends = {f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorize", "token")}
        return {
            "issuer": self.url,
            "authorization_endpoint": ends["authorize_endpoint"],
            "token_endpoint": ends["token_endpoint"],
        } | self.said

    def _authorize(self, asked):
        self.asked.append(asked)
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url} | self.handed_back
        return 302, {"location": f"{asked['redirect_uri']}?{urlencode(back)}"}, ""

    def _exchange(self, sent):
        """A code is good once, for who can show what its challenge was made of (RFC 7636, section 4.6)."""
        self.exchanged.append(sent)
        asked = self.codes.pop(sent.get("code"), None)
        shown = _encoded(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or asked["code_challenge"] != shown
            or (sent["client_id"], sent["redirect_uri"]) != (asked["client_id"], asked["redirect_uri"])
        ):
            return self._json(400, {"error": "invalid_grant"})
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "ann",
            "nonce": asked["nonce"],
            "exp": int(time.time()) + 300,
        } | self.claims
        parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims)]
        given = {"access_token": self.token, "token_type": "Bearer", "expires_in": self.good_for}
        return self._json(200, given | {"id_token": ".".join([*parts, "c2lnbmF0dXJl"])})

    @staticmethod
    def _json(status, body):
        return (
            status,
            {"content-type": "application/json", "access-control-allow-origin": "*"},
            json.dumps(body),
        )


@contextmanager
def providing():
    """A running one."""
    provider = Provider()
    with listening(provider.answer) as provider.url:
        yield provider

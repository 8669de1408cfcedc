"""Clients that call in: an OpenID provider of their own, and the events in which API Gateway asks who they are."""

from __future__ import annotations

import jwt

from causeway.authorizing.issuer import Issuer
from tests.support.publishers import NOW, Web, fetcher, key_set, private_pem, rsa_key

ISSUER = "https://login.example.com/tenant"
AUDIENCE = "https://causeway.example.com"
KEYS_URL = "https://login.example.com/tenant/keys"


class Provider:
    """An OpenID provider: it publishes keys on a web that can be down, and gives tokens."""

    def __init__(self, clock):
        self.clock = clock
        self.web = Web()
        self.publish(one=rsa_key(1))

    def publish(self, **keys):
        self.web.pages[KEYS_URL] = key_set(**keys)

    def issuer(self):
        """What a new instance of the authorizer knows of it."""
        return Issuer(
            issuer=ISSUER,
            audience=AUDIENCE,
            keys_url=KEYS_URL,
            fetch=fetcher(self.web, self.clock),
            clock=self.clock,
        )

    def token(self, *, key=None, kid="one", algorithm="RS256", header=None, leave=(), **claims):
        """A token that is good, but for what is said here."""
        now = int(self.clock.now())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "app-1", "iat": now, "nbf": now, "exp": now + 300}
        said = {**good, "scope": "requests:call", **claims}
        for name in leave:
            del said[name]
        headers = {**({"kid": kid} if kid else {}), **(header or {})}
        return jwt.encode(said, key or private_pem(rsa_key(1)), algorithm, headers=headers)


def asking(credential, *, scheme="Bearer "):
    """The event of a request with this credential, as API Gateway asks the authorizer."""
    header = f"{scheme}{credential}"
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:api/$default/POST/requests/orders",
        "identitySource": [header],
        "routeKey": "POST /requests/{integration}",
        "rawPath": "/requests/orders",
        "rawQueryString": "",
        "headers": {"authorization": header},
        "requestContext": {"http": {"method": "POST", "path": "/requests/orders"}},
        "pathParameters": {"integration": "orders"},
    }


__all__ = ["AUDIENCE", "ISSUER", "KEYS_URL", "NOW", "Provider", "asking"]

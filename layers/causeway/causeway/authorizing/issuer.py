"""Tokens of an OpenID provider: signed by it (RFC 7519), for this stack, and good now.

Its keys come from one address, the template's; what a token says of where its keys are is not read. They are
kept for an hour, through an outage for a day, and are asked for again when a token names one that is not
among them, though at most every five minutes (:mod:`causeway.webhooks.key_material`).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from causeway.authorizing.clients import SCOPES, Client, Refused
from causeway.webhooks.key_sets import ASYMMETRIC
from causeway.webhooks.patterns import Malformed
from causeway.webhooks.tokens import claims_by_id, expiry_holds
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.tokens import Claims

SKEW = 60.0
"""Seconds that the provider's clock may be from ours, both ways."""

_LONGEST_SUBJECT = 256
_NO_SECRET = ""


class Issuer:
    """One OpenID provider.

    Args:
        issuer: what ``iss`` must be, to the letter.
        audience: what ``aud`` must be or contain.
        keys_url: where it publishes its keys (``jwks_uri``).
        fetch: fetches them.
        clock: the time.

    Raises:
        ValueError: one of the three is missing, or the keys do not come by https.
    """

    def __init__(self, *, issuer: str, audience: str, keys_url: str, fetch: Fetch, clock: Clock) -> None:
        if not (issuer and audience and keys_url.startswith("https://")):
            raise ValueError(
                "tokens need OidcIssuer, OidcAudience and an OidcJwksUrl that begins with https://"
            )
        self._issuer = issuer
        self._audience = audience
        self._keys_url = keys_url
        self._fetch = fetch
        self._clock = clock

    def client_of(self, token: str) -> Client:
        """The client whom a token names.

        Raises:
            Refused: it is no token of this provider for this stack that is good now; ``keys``: its keys
                cannot be had.
        """
        try:
            claims = claims_by_id(token, self._keys_url, ASYMMETRIC, _NO_SECRET, self._fetch)
            # By a clock that is slow by the skew, a token lives longer by it; the future is as much further.
            expiry_holds(claims, self._clock.now() - SKEW, 2 * SKEW, required=True)
        except Rejected as error:  # first: it is what some of the others become
            raise Refused(error.rule) from error
        except (Malformed, ValueError) as error:
            raise Refused("malformed") from error
        if not _same(claims.get("iss"), self._issuer):
            raise Refused("issuer")
        audiences = claims.get("aud")
        if not any(_same(each, self._audience) for each in _list(audiences)):
            raise Refused("audience")
        return Client(f"oidc:{_subject(claims)}", _scopes(claims))


def _subject(claims: Claims) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise Refused("subject")
    return subject


def _scopes(claims: Claims) -> frozenset[str]:
    """``scope`` is a text (RFC 9068, section 2.2.3); ``scp`` is Okta's list, or Entra's text."""
    granted: set[str] = set()
    for name in ("scope", "scp"):
        for each in _list(claims.get(name)):
            if isinstance(each, str):
                granted.update(each.split())
    return frozenset(granted.intersection(SCOPES))


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _same(said: JSON, wanted: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(
        said.encode("utf-8", "surrogatepass"), wanted.encode("utf-8")
    )

"""Microsoft Graph: a shared text in every entry, and tokens of Microsoft's where an entry holds content.

https://learn.microsoft.com/en-us/graph/change-notifications-with-resource-data#validating-the-authenticity-of-notifications

``clientState`` must be right in every entry of ``value``, not only in the first. Where an entry holds
encrypted content, ``validationTokens`` must be there, and every token right: RS256 by Microsoft's keys, for
one of our apps (``app_ids`` of the secret), by one of our tenants' issuers (``tenant_ids``), sent by
Graph's own publisher.

The secret is the client state alone, or a JSON object with ``client_state``, ``tenant_ids`` and ``app_ids``.

What is not bound: the body. The client state is a password that every notification repeats, and the tokens
say who sent one, not what. The encrypted content carries its own proof, which its decryption checks.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, NamedTuple

from causeway.webhooks.patterns import Malformed, Missing
from causeway.webhooks.special import fields_of
from causeway.webhooks.special.bodies import json_of
from causeway.webhooks.special.secrets import all_texts, text, utf8
from causeway.webhooks.special.way import Way
from causeway.webhooks.tokens import claims_by_id, expiry_holds
from causeway.webhooks.verdicts import Rejected, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.special import Fetch
    from causeway.webhooks.special.way import Moment

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The application that sends change notifications."""

_ISSUERS = ("https://login.microsoftonline.com/{}/v2.0", "https://sts.windows.net/{}/")
_MAX_TOKENS = 20
_MAX_TOKEN = 8192


class _Secret(NamedTuple):
    text: str
    client_state: bytes
    tenants: list[str]
    apps: list[str]


def _verify(
    scheme: Scheme, request: SignedRequest, known: Sequence[tuple[int, _Secret]], moment: Moment
) -> Verified:
    data = json_of(request.body)
    entries, tokens = _parts(data)
    ahead = moment.window
    rejected: Rejected | ValueError = Rejected("signature")
    for index, secret in known:
        try:
            _judge(secret, entries, tokens, now=moment.now, ahead=ahead, fetch=moment.fetch)
        except (Rejected, ValueError) as error:  # of this secret; another may be right
            rejected = error
        else:
            return Verified(scheme, index, None)
    raise rejected


def _sign(_scheme: Scheme, request: SignedRequest, secret: str, _now: float) -> SignedRequest:
    """It puts the client state into the entries; tokens are Microsoft's to make."""
    data = json_of(request.body)
    entries, _ = _parts(data)
    for entry in entries:
        entry["clientState"] = _secret(secret).client_state.decode()
    return request._replace(body=json.dumps(data).encode())


def _secret(secret: str) -> _Secret:
    fields = fields_of(secret)
    if not fields:
        return _Secret(secret, utf8(secret), [], [])
    state = text(fields, "client_state").encode()
    return _Secret(secret, state, all_texts(fields, "tenant_ids"), all_texts(fields, "app_ids"))


def _parts(data: JSON) -> tuple[list[dict[str, JSON]], list[str]]:
    """The entries, all of them, and the tokens that came with them."""
    value = data.get("value") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(value, list) or not value:
        raise Missing("value")
    entries = [entry for entry in value if isinstance(entry, dict)]
    if len(entries) != len(value):
        raise Malformed("an entry that is none")
    tokens = data.get("validationTokens") or []
    if not isinstance(tokens, list) or len(tokens) > _MAX_TOKENS:
        raise Malformed("validationTokens")
    found = [token for token in tokens if isinstance(token, str) and len(token) <= _MAX_TOKEN]
    if len(found) != len(tokens):
        raise Malformed("validationTokens")
    if not found and any(entry.get("encryptedContent") is not None for entry in entries):
        raise Missing("validationTokens")
    return entries, found


def _judge(
    secret: _Secret,
    entries: Sequence[dict[str, JSON]],
    tokens: Sequence[str],
    *,
    now: float,
    ahead: float,
    fetch: Fetch | None,
) -> None:
    states = [entry.get("clientState") for entry in entries]
    right = [
        isinstance(state, str) and hmac.compare_digest(state.encode("utf-8", "replace"), secret.client_state)
        for state in states
    ]
    if not all(right):
        raise Rejected("signature")
    if tokens and not (secret.tenants and secret.apps):
        raise Rejected("secret")
    for token in tokens:
        claims = claims_by_id(token, "microsoft", ("RS256",), secret.text, fetch)
        expiry_holds(claims, now, ahead, required=True)
        if not _is_ours(claims, secret):
            raise Rejected("signature")


def _is_ours(claims: dict[str, JSON], secret: _Secret) -> bool:
    tenant = claims.get("tid")
    sender = claims.get("azp") or claims.get("appid")  # of tokens of version 2, and 1
    return (
        isinstance(tenant, str)
        and tenant in secret.tenants
        and claims.get("iss") in [issuer.format(tenant) for issuer in _ISSUERS]
        and claims.get("aud") in secret.apps
        and sender == PUBLISHER
    )


WAY = Way(read=_secret, verify=_verify, sign=_sign)

"""What no record can express: one small module for each such way to sign, and the table that names them.

A record reaches a module by ``{"code": "twilio"}``, and JSON Web Tokens, which are data on top of one module,
by ``{"algorithm": "jwt"}``. A module is imported when the first request for it comes, so that a function
that receives from others pays nothing for it. Each of the table offers a :class:`Special` as ``WAY``.

A secret that holds several values is a JSON object in one text (``{"public_key": ..., "private_key": ...}``);
:func:`fields_of` reads it.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from causeway.webhooks.patterns import SchemeError

if TYPE_CHECKING:  # Protocols are made in a millisecond each, which every cold start would pay
    from collections.abc import Collection, Sequence
    from typing import Protocol

    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.patterns import SignedRequest
    from causeway.webhooks.verdicts import Verified

    class Fetch(Protocol):
        """Fetches key material (:class:`causeway.webhooks.key_material.KeyMaterial`).

        What may be fetched from where is judged before, by who knows the provider's addresses.
        """

        def __call__(self, url: str, body: bytes | None = None, *, anew: bool = False) -> bytes:
            """Raises ValueError (there is no such thing) or OSError (it cannot be had now)."""

    class Special(Protocol):
        """What verifies by code."""

        def check(self, scheme: Scheme) -> None:
            """Raise SchemeError where a record asks for what the module cannot do."""

        def headers(self, scheme: Scheme) -> Collection[str]:
            """The headers, in lower case, that hold signatures or credentials: they are not kept."""

        def usable(self, scheme: Scheme, secret: str) -> bool:
            """Whether a secret's text is one of this scheme. Never raises."""

        def verify(  # what a verdict depends on
            self,
            scheme: Scheme,
            request: SignedRequest,
            secrets: Sequence[str],
            *,
            tolerance: float | None,
            now: float,
            fetch: Fetch | None,
        ) -> Verified:
            """The proof, or Rejected.

            A secret that is unusable verifies nothing and hinders no other; with none that is usable the rule
            is ``secret``. ``tolerance`` is None where the operator wrote none: the provider's own window
            holds then, or :data:`causeway.webhooks.timestamps.TOLERANCE`. ``fetch`` is None where nothing may
            be fetched: key material is then in the secret, or there is none. Missing, Malformed, any other
            ValueError and SchemeError are rejections, too, as of any scheme; nothing else is ever raised.
            """

        def sign(self, scheme: Scheme, request: SignedRequest, secret: str, *, now: float) -> SignedRequest:
            """The request as the provider would send it. Raises ValueError where that cannot be done here."""


SPECIAL: dict[str, str] = {
    "adyen-items": "causeway.webhooks.special.adyen",
    "atlassian-connect": "causeway.webhooks.special.atlassian",
    "aws-sns": "causeway.webhooks.special.sns",
    "braintree": "causeway.webhooks.special.braintree",
    "contentful": "causeway.webhooks.special.contentful",
    "microsoft-graph": "causeway.webhooks.special.graph",
    "paypal": "causeway.webhooks.special.paypal",
    "twilio": "causeway.webhooks.special.twilio",
    "twilio-sha256": "causeway.webhooks.special.twilio",
}
"""By name: the module."""

JWT = "jwt"


def special(scheme: Scheme) -> Special | None:
    """The module that verifies a record, or None of a record that is data alone.

    Raises:
        SchemeError: there is no such module.
    """
    name = scheme.get("code")
    if name is None:
        if scheme.get("algorithm") != JWT:
            return None
        return cast("Special", import_module("causeway.webhooks.jwt"))
    if name not in SPECIAL:
        raise SchemeError(f"code: {name!r} is not known; there are {', '.join(SPECIAL)}")
    way: Special = import_module(SPECIAL[name]).WAY
    return way


def fields_of(secret: str) -> dict[str, JSON]:
    """The values in a secret that is a JSON object; none of any other text."""
    try:
        value: Any = json.loads(secret)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}

"""API Gateway's question who somebody is, and the answer: a client, or a refusal.

Payload format 2.0 with simple responses:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

API Gateway asks once for a credential and keeps the answer for a minute (``ReauthorizeEvery`` in the
template), a refusal as well: so long a revoked key may still let its client in. Whatever is not clear is a
refusal, our own faults too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from causeway.authorizing.clients import Client, Refused
from causeway.authorizing.keys import is_key
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.authorizing.issuer import Issuer
    from causeway.authorizing.keys import Keys

LONGEST = 8192
"""Characters of a credential. API Gateway takes 10,240 bytes of headers."""

_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)


class Verdict(TypedDict):
    """What API Gateway is answered."""

    isAuthorized: bool
    context: NotRequired[dict[str, str]]


class Authorizer:
    """Tells who somebody is. One object serves an instance of the function.

    Args:
        keys: the stack's API keys.
        issuer: whose tokens are taken besides; None: nobody's.
    """

    def __init__(self, keys: Keys, issuer: Issuer | None) -> None:
        self._keys = keys
        self._issuer = issuer

    def judge(self, event: Mapping[str, Any]) -> Verdict:
        """The verdict on one request. Never raises."""
        try:
            client = self._client(event)
        except Refused as refused:
            logger().warning("not authorized", rule=refused.rule)
            return {"isAuthorized": False}
        except Exception as error:  # noqa: BLE001 - the edge: what cannot be judged is refused
            # Its text might quote the credential; the type does not.
            logger().error("not authorized: it cannot be judged", reason=type(error).__name__)
            return {"isAuthorized": False}
        return {
            "isAuthorized": True,
            "context": {"client": client.name, "scopes": " ".join(sorted(client.scopes))},
        }

    def _client(self, event: Mapping[str, Any]) -> Client:
        credential = _credential(event)
        if is_key(credential):
            return self._keys.client_of(credential)
        if self._issuer is None:
            raise Refused("key")
        return self._issuer.client_of(credential)


def _credential(event: Mapping[str, Any]) -> str:
    """What the template's identity source, the Authorization header, holds (RFC 6750, section 2.1)."""
    sources = event.get("identitySource") or []
    if len(sources) != 1 or not isinstance(sources[0], str) or len(sources[0]) > LONGEST:
        raise Refused("credential")
    match = _BEARER.fullmatch(sources[0])
    if match is None:
        raise Refused("credential")
    return match[1]

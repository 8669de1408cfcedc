"""Clients, as functions behind the authorizer know them: a name, and what it may do.

The authorizer says who somebody is; whether that is enough for what they ask is said where it is asked, by
:func:`client_with`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPES = ("requests:call", "console:read", "console:operate")
"""All there are. Others that a token carries are for somebody else, and are not passed on."""


class Client(NamedTuple):
    """Who calls. The name's prefix says who vouches for it, so none can be taken for the other."""

    name: str  # key:CLIENT, or oidc:SUBJECT
    scopes: frozenset[str]


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """It is not known who calls, or they may not; ``rule`` says why in a word, and may be told to anybody."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def client_with(scope: str, event: Mapping[str, Any]) -> Client:
    """The client of a request that has passed the authorizer, who must have a scope.

    Args:
        scope: one of :data:`SCOPES`.
        event: of API Gateway's HTTP API.

    Raises:
        Refused: they may not (``scope``), or nobody says who they are (``unauthorized``: the route has no
            authorizer).
    """
    said = (event["requestContext"].get("authorizer") or {}).get("lambda") or {}
    name, scopes = said.get("client"), said.get("scopes")
    if not name or not isinstance(scopes, str):
        raise Refused("unauthorized")
    if scope not in scopes.split():
        raise Refused("scope")
    return Client(name, frozenset(scopes.split()))

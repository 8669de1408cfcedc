"""How a call proves who it is: a table of what each type of ``auth`` adds to a request.

What is made from the whole request (``aws_sigv4``, ``signing``) is not here: :mod:`causeway.calls.signing`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from causeway.calls.literals import Reveal, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan.records import Api, Auth

TokenOf = Callable[["Auth"], str]
"""From an ``auth`` whose token is made or fetched, to that token, or to what is shown in its stead."""


class Credentials(NamedTuple):
    """What is added to a request."""

    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}


def each_auth(api: Api) -> list[Auth]:
    """The ways in which calls of a system prove who they are; a map writes one, or a list."""
    auth = api["auth"]
    return auth if isinstance(auth, list) else [auth]


def credentials_of(api: Api, reveal: Reveal, token: TokenOf | None = None) -> Credentials:
    """What all of a system's ways together add; of headers with one name the last."""
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for auth in each_auth(api):
        added = credentials(auth, reveal, token)
        headers |= added.headers
        query |= added.query
    return Credentials(headers, query)


def credentials(auth: Auth, reveal: Reveal, token: TokenOf | None = None) -> Credentials:
    """The credentials that this kind of ``auth`` adds.

    Args:
        auth: of the plan.
        reveal: from a secret's name to its value, or to what is shown in its stead.
        token: makes or fetches tokens, where there may be some.
    """
    if auth["type"] in WITH_TOKEN:
        assert token, "a call with tokens is given where they come from"
        return _bearer_of(token(auth))
    return _TYPES[auth["type"]](auth, reveal)


def _none(_auth: Auth, _reveal: Reveal) -> Credentials:
    return Credentials()


def _bearer(auth: Auth, reveal: Reveal) -> Credentials:
    return _bearer_of(reveal(auth["token"]))


def _bearer_of(token: str) -> Credentials:
    """RFC 6750 2.1."""
    return Credentials(headers={"Authorization": f"Bearer {token}"})


def _basic(auth: Auth, reveal: Reveal) -> Credentials:
    """RFC 7617, in UTF-8."""
    pair = f"{literal(auth['username'], reveal)}:{reveal(auth['password'])}"
    return Credentials(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


def _api_key(auth: Auth, reveal: Reveal) -> Credentials:
    key = reveal(auth["key"])
    if "query" in auth:
        return Credentials(query={auth["query"]: key})
    return Credentials(headers={auth["header"]: key})


FETCHED = frozenset({"oauth2", "jwt_bearer"})
"""Types whose tokens an authorization server grants."""

WITH_TOKEN = FETCHED | {"jwt"}
"""Types whose credential is a token that is made or fetched."""

_TYPES: dict[str, Callable[[Auth, Reveal], Credentials]] = {
    "none": _none,
    "bearer": _bearer,
    "basic": _basic,
    "api_key": _api_key,
    "aws_sigv4": _none,
}

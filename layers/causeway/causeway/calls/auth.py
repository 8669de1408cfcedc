"""How a call proves who it is: a table of what each type of ``auth`` adds to a request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.plan.records import Auth, SecretName, SecretRef

    Reveal = Callable[[SecretName], str]


class Credentials(NamedTuple):
    """What is added to a request."""

    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}


def credentials(auth: Auth, reveal: Reveal) -> Credentials:
    """The credentials that this kind of ``auth`` adds.

    Args:
        auth: of the plan.
        reveal: from a secret's name to its value, or to what is shown in its stead.
    """
    return _TYPES[auth["type"]](auth, reveal)


def literal(value: str | SecretRef, reveal: Reveal) -> str:
    """A value that is written in the map, or is the name of a secret there."""
    return value if isinstance(value, str) else reveal(value["secret"])


def _none(_auth: Auth, _reveal: Reveal) -> Credentials:
    return Credentials()


def _bearer(auth: Auth, reveal: Reveal) -> Credentials:
    """RFC 6750 2.1."""
    return Credentials(headers={"Authorization": f"Bearer {reveal(auth['token'])}"})


def _basic(auth: Auth, reveal: Reveal) -> Credentials:
    """RFC 7617, in UTF-8."""
    pair = f"{literal(auth['username'], reveal)}:{reveal(auth['password'])}"
    return Credentials(headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


def _api_key(auth: Auth, reveal: Reveal) -> Credentials:
    key = reveal(auth["key"])
    if "query" in auth:
        return Credentials(query={auth["query"]: key})
    return Credentials(headers={auth["header"]: key})


_TYPES: dict[str, Callable[[Auth, Reveal], Credentials]] = {
    "none": _none,
    "bearer": _bearer,
    "basic": _basic,
    "api_key": _api_key,
}

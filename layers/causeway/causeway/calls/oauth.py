"""What is sent to an authorization server for a token, and what its answer means (RFC 6749, RFC 7523).

Servers answer oddly, so answers are read leniently: JSON or a form; names with and without underscores, in
any case, also one level down; a lifetime as number or text, or a time at which it ends, or none at all; an
error with status 200. Of an error only its code is told, since its description may quote what was sent.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qsl, quote_plus

from causeway.calls.jwts import client_assertion, grant_assertion
from causeway.calls.literals import literal
from causeway.calls.request import Request, user_agent
from causeway.events.texts import encode_query
from causeway.settings.clock import from_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causeway.calls.literals import Reveal
    from causeway.calls.transport import RawAnswer
    from causeway.plan.records import JSON, Auth

UNKNOWN_LIFETIME = 3600.0
"""Seconds for which a token is used whose server does not say how long it is good; a 401 ends it sooner."""

_GRANT_LOST = frozenset(
    {"invalidgrant", "badrefreshtoken", "invalidrefreshtoken", "tokenexpired", "tokenrevoked"}
)
"""Codes that say that the refresh token is not (or no longer) good: the RFC's, GitHub's, Slack's."""

_LATER = frozenset({"slowdown", "temporarilyunavailable", "servererror"})
_STATUS_LATER = frozenset({408, 425, 429})
_ACCESS = ("accesstoken", "token", "jwt", "sessiontoken")
_LASTS = ("expiresin", "expires", "expiry", "expiresat", "expireson", "expirationtime", "expiration")
_REFRESH_LASTS = (
    "refreshtokenexpiresin",
    "xrefreshtokenexpiresin",
    "refreshexpiresin",
    "refreshtokenexpiresat",
)
"""What GitHub, LinkedIn and eBay call it, QuickBooks, Keycloak, and those who tell the time of its end."""
_EPOCH = 1_000_000_000.0
"""A lifetime above this is a time, in seconds since 1970; above a thousand times this, in milliseconds."""


@dataclass(frozen=True)
class Token:
    """What a server granted. Its ``repr`` tells no token."""

    access: str
    good_until: float  # epoch seconds
    refresh: str | None = None  # the refresh token from now on, where there is a new one
    refresh_until: float | None = None  # when the refresh token ends, where the server says so

    def __repr__(self) -> str:
        return f"Token(..., good_until={self.good_until})"


class TokenRefused(Exception):  # noqa: N818 - an outcome
    """The server gives no token for what was sent.

    Attributes:
        code: the RFC's or the server's own, such as ``invalid_grant``; empty where it tells none.
        lost: it is the refresh token (or assertion) that is not good.
        later: the same may succeed later.
    """

    def __init__(self, reason: str, *, code: str, lost: bool, later: bool) -> None:
        super().__init__(reason)
        self.code = code
        self.lost = lost
        self.later = later


def token_request(auth: Auth, reveal: Reveal, *, now: float, refresh_token: str | None = None) -> Request:
    """The request for a token.

    Args:
        auth: of type ``oauth2`` or ``jwt_bearer``.
        reveal: from a secret's name to its value.
        now: epoch seconds, for assertions.
        refresh_token: the one to use, of the grant ``refresh_token``.

    Raises:
        SecretMissing: a secret is not there, or cannot be used.
    """
    if auth["type"] == "jwt_bearer":
        grant = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": grant_assertion(auth, reveal, now=now),
        }
        return form_request(auth["token_url"], {**grant, **_asked(auth, reveal)}, {})
    fields: dict[str, str] = {"grant_type": auth["grant"]}
    if refresh_token is not None:
        fields["refresh_token"] = refresh_token
    client, headers = client_proof(auth, reveal, now=now)
    return form_request(auth["token_url"], {**fields, **_asked(auth, reveal), **client}, headers)


def client_proof(auth: Auth, reveal: Reveal, *, now: float) -> tuple[dict[str, str], dict[str, str]]:
    """How a client proves who it is: parameters, and headers.

    A client without a secret (a public one) names itself in the body (RFC 6749, 3.2.1).
    """
    client = literal(auth["client_id"], reveal)
    how = auth.get("client_auth", "basic")
    if how == "private_key_jwt":
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assertion = client_assertion(auth, reveal, now=now)
        return {"client_id": client, "client_assertion_type": kind, "client_assertion": assertion}, {}
    if "client_secret" not in auth:
        return {"client_id": client}, {}
    secret = reveal(auth["client_secret"])
    if how == "body":
        return {"client_id": client, "client_secret": secret}, {}
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1: form-encoded first
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def form_request(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Request:
    """A POST of a form to an authorization server."""
    return Request(
        method="POST",
        url=url,
        headers={
            "User-Agent": user_agent(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        },
        body=encode_query(fields).encode(),
    )


def read_token(answer: RawAnswer, *, now: float) -> Token:
    """The token that a server granted.

    Args:
        answer: the server's.
        now: epoch seconds, when it came.

    Raises:
        TokenRefused: there is none in it.
    """
    fields = dict(_fields(_parsed(answer)))
    error = fields.get("error") or fields.get("errorcode")
    if answer.status >= 300 or error:  # noqa: PLR2004 - what HTTP calls success ends there
        _refuse(answer, error)
    access = next((fields[name] for name in _ACCESS if _is_token(fields.get(name))), None)
    if access is None:
        raise TokenRefused(f"it answered {answer.status} without a token", code="", lost=False, later=True)
    kind = str(fields.get("tokentype", "")).lower()
    if kind in ("mac", "dpop", "pop"):
        raise TokenRefused(f"its token is of the kind {kind}", code="", lost=False, later=False)
    refresh = fields.get("refreshtoken")
    return Token(
        access,
        _told_end(fields, _LASTS, now) or _own_expiry(access) or now + UNKNOWN_LIFETIME,
        refresh if _is_token(refresh) else None,
        _told_end(fields, _REFRESH_LASTS, now),
    )


def _refuse(answer: RawAnswer, error: JSON) -> NoReturn:
    if isinstance(error, dict):
        error = error.get("code") or error.get("type")
    code = error if isinstance(error, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", error) else ""
    plain = _plain(code)
    later = answer.status >= 500 or answer.status in _STATUS_LATER or plain in _LATER  # noqa: PLR2004
    raise TokenRefused(
        f"it answered {answer.status}{f' {code}' if code else ''}",
        code=code,
        lost=plain in _GRANT_LOST and not later,
        later=later,
    )


def _asked(auth: Auth, reveal: Reveal) -> dict[str, str]:
    """What else the map asks with."""
    extra = {name: literal(value, reveal) for name, value in auth.get("extra", {}).items()}
    named = ("scope",) if auth["type"] == "jwt_bearer" else ("scope", "audience")
    return extra | {name: literal(auth[name], reveal) for name in named if name in auth}  # type: ignore[literal-required]


def _parsed(answer: RawAnswer) -> JSON:
    text = answer.body.decode("utf-8", "replace").strip()
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    return dict(parse_qsl(text)) if "=" in text and "\n" not in text else None


def _fields(value: JSON) -> Iterator[tuple[str, JSON]]:
    """Values by plain names; what is one level down counts where nothing above has its name."""
    if not isinstance(value, dict):
        return
    for inner in value.values():
        if isinstance(inner, dict):
            yield from ((_plain(name), each) for name, each in inner.items())
    yield from ((_plain(name), each) for name, each in value.items() if each is not None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())


def _is_token(value: JSON) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()


def _told_end(fields: Mapping[str, JSON], names: Sequence[str], now: float) -> float | None:
    for name in names:
        seconds = _number(fields.get(name))
        if seconds is not None and seconds > 0:
            return _time(seconds, now)
    return None


def _time(seconds: float, now: float) -> float:
    """When a lifetime ends that is written as one, or as the time of its end."""
    if seconds < _EPOCH:
        return now + seconds
    return seconds / 1000 if seconds > 1000 * _EPOCH else seconds


def _number(value: JSON) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    for read in (from_rfc3339, lambda text: parsedate_to_datetime(text).timestamp()):
        try:
            return read(value)
        except (TypeError, ValueError, AttributeError):
            continue
    return None


def _own_expiry(access: str) -> float | None:
    """The time at which a token ends that says so itself, as a JWT; nothing is trusted but that."""
    try:
        payload = access.split(".")[1]
        expires = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return float(expires)
    except (IndexError, KeyError, TypeError, ValueError):
        return None

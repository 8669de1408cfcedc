"""A call and what an event says make a request: URL, headers and body, with the system's credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import causeway
from causeway.calls.auth import credentials_of
from causeway.calls.literals import literal
from causeway.events.expressions import ExpressionError
from causeway.events.texts import OMITTED, encode_query, render, render_headers, render_path, render_query
from causeway.settings.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.calls.auth import TokenOf
    from causeway.calls.literals import Reveal
    from causeway.plan.records import JSON, Api, Call, ReplyTarget

OWN_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
    }
)
"""Headers that belong to the transport: a map cannot set them (the compiler says so)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent. Its ``repr`` tells no header and no body: they hold secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.headers)} headers, {len(self.body or b'')} bytes)"


def user_agent() -> str:
    """Who we say that we are."""
    return f"causeway/{causeway.__version__}"


def make_request(
    call: Call,
    api: Api,
    scope: Mapping[str, JSON],
    *,
    reveal: Reveal,
    headers: Mapping[str, str],
    token: TokenOf | None = None,
    at: str | None = None,
) -> Request:
    """Fill in a call.

    Of headers with the same name the later one counts: ours, the system's, the call's, ``headers``, and last
    the credentials.

    Args:
        call: of a step or a target.
        api: how its system is called.
        scope: what the call's expressions see.
        reveal: from a secret's name to its value, or to what is shown in its stead.
        headers: those of this attempt.
        token: from an ``auth`` whose token is made or fetched, to that token.
        at: path and query on the system's origin, instead of the call's.

    Raises:
        ExpressionError: the call cannot be filled in with this event.
        SecretMissing: a secret has characters that cannot stand where it is used.
    """
    reveal = _checked(reveal)
    proof = credentials_of(api, reveal, token)
    filled = body_of(call, scope)
    own = {"User-Agent": user_agent(), "Accept-Encoding": "gzip"}
    if filled is not None:
        own["Content-Type"] = filled[0]
    return Request(
        method=call["method"],
        url=_url(call, api, scope, reveal, proof=proof.query, at=at),
        headers=_merged(
            own,
            _filled(api["headers"], scope, reveal),
            _filled(call["headers"], scope, reveal),
            headers,
            proof.headers,
        ),
        body=None if filled is None else filled[1],
    )


def _url(
    call: Call,
    api: Api,
    scope: Mapping[str, JSON],
    reveal: Reveal,
    *,
    proof: Mapping[str, str],
    at: str | None,
) -> str:
    """Below the base URL, whatever the event says; the path ``/`` is the base URL as it is written."""
    base = literal(api["base_url"], reveal)
    if at is None:
        path = render_path(call["path"], scope)
        url = base if path == "/" else base.rstrip("/") + path
        query = render_query(call["query"], scope)
    else:
        origin = urlsplit(base)
        url, _, query = f"{origin.scheme}://{origin.netloc}{at}".partition("?")
    query = "&".join(part for part in (query, encode_query(proof)) if part)
    return f"{url}?{query}" if query else url


def _filled(templates: Mapping[str, JSON], scope: Mapping[str, JSON], reveal: Reveal) -> dict[str, str]:
    secret = {
        name: reveal(value["secret"])
        for name, value in templates.items()
        if isinstance(value, dict) and set(value) == {"secret"}
    }
    texts = {name: value for name, value in templates.items() if name not in secret}
    return render_headers(texts, scope) | secret


def _merged(*several: Mapping[str, str]) -> dict[str, str]:
    """Headers of which the later ones win, whatever the case of their names."""
    found: dict[str, tuple[str, str]] = {}
    for headers in several:
        found |= {name.lower(): (name, value) for name, value in headers.items()}
    for name, value in found.values():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ExpressionError(
                "the value has half a character (a lone surrogate)", f"header {name}"
            ) from None
    return dict(found.values())


def _checked(reveal: Reveal) -> Reveal:
    """The same, but no value may break the header that it stands in."""

    def revealed(name: str) -> str:
        value = reveal(name)
        if not value.isprintable():
            raise SecretMissing(
                f"the secret {name} has a line break or another control character: put it anew"
            )
        return value

    return revealed


def body_of(words: Call | ReplyTarget, scope: Mapping[str, JSON]) -> tuple[str, bytes] | None:
    """The content type and the bytes of a body that a template makes; None: there is none.

    Raises:
        ExpressionError: it cannot be filled in, or is not what its ``content`` says.
    """
    if "body" not in words:
        return None
    value = render(words["body"], scope)
    if value is OMITTED:
        return None
    type_, write = _CONTENT[words["content"]]
    try:
        return type_, write(value)
    except UnicodeEncodeError:
        raise ExpressionError("the body has half a character (a lone surrogate)", "body") from None
    except (TypeError, ValueError) as error:
        raise ExpressionError(f"the body is not JSON: {type(error).__name__}", "body") from None


def _json(value: JSON) -> bytes:
    # ASCII with escapes is always valid, also for half characters, which JSON's own escapes can bring.
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _form(value: JSON) -> bytes:
    if not isinstance(value, dict):
        raise ExpressionError("content: form needs an object of values", "body")
    return encode_query(value).encode()


def _ndjson(value: JSON) -> bytes:
    if not isinstance(value, list):
        raise ExpressionError("content: ndjson needs a list", "body")
    return b"".join(_json(item) + b"\n" for item in value)


def _text(value: JSON) -> bytes:
    if not isinstance(value, str):
        raise ExpressionError("content: text needs a string", "body")
    return value.encode()


_CONTENT: dict[str, tuple[str, Callable[[JSON], bytes]]] = {
    "json": ("application/json", _json),
    "form": ("application/x-www-form-urlencoded", _form),
    "ndjson": ("application/x-ndjson", _ndjson),
    "text": ("text/plain; charset=utf-8", _text),
}

"""Calls: base URLs that may be called, and paths that stay below them."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from causeway.calls.address import ForbiddenAddressError, check_base_url, check_host, origin_of
from causeway.calls.request import OWN_HEADERS
from causeway.events import texts
from causeway.plan.checks.expressions import CALLS, PATHS, POLLS
from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.records import JSON
    from causeway.plan.yaml import Document

_HEADERS = ("api.headers", *(f"{call}.headers" for call in (*CALLS, POLLS)))
_HEADERS_OF_ANSWERS = ("webhooks.reply.headers", "target.reply.headers")
_OF_THE_ATTEMPT = frozenset({"idempotency-key", "causeway-event-id", "causeway-attempt", "traceparent"})


def check_calls(merged: Merged) -> Iterator[Problem]:
    """Find URLs that lead where no call may go, and headers that no manifest may set."""
    for document in (*merged.systems.values(), *merged.integrations.values()):
        yield from _headers(document)
    for document in merged.systems.values():
        for path, url in find(document.value, "api.base_url"):
            problem = (
                _base_url(url, _networks(document)) if isinstance(url, str) and "${" not in url else None
            )
            if problem:
                yield document.problem(path, problem)
        yield from _servers(document)
    for document in (*merged.systems.values(), *merged.integrations.values()):
        for pattern in PATHS:
            for path, text in find(document.value, pattern):
                problem = _path(text) if isinstance(text, str) else None
                if problem:
                    yield document.problem(path, problem)


def _servers(document: Document) -> Iterator[Problem]:
    """Authorization servers, to which secrets are sent."""
    for key in ("token_url", "authorize_url"):
        for pattern in (f"api.auth.{key}", f"api.auth.*.{key}"):
            for path, url in find(document.value, pattern):
                problem = _server(url, _networks(document)) if isinstance(url, str) else None
                if problem:
                    yield document.problem(path, problem)


def _server(url: str, allow_private: list[str]) -> str | None:
    if "${" in url:
        return "taken as it is: no expression can stand here"
    return _base_url(url.partition("?")[0], allow_private)


def _headers(document: Document) -> Iterator[Problem]:
    for pattern in _HEADERS:
        for path, headers in find(document.value, pattern):
            for name, value in headers.items() if isinstance(headers, dict) else ():
                problem = _header(name.lower(), value) or _unprintable(value)
                if problem:
                    yield document.problem((*path, name), problem)
    for pattern in _HEADERS_OF_ANSWERS:
        for path, value in find(document.value, f"{pattern}.*"):
            problem = _connections(str(path[-1]).lower()) or _unprintable(value)
            if problem:
                yield document.problem(path, problem)


def _header(name: str, value: JSON) -> str | None:
    if name in OWN_HEADERS:
        return _connections(name)
    if name in _OF_THE_ATTEMPT:
        return "set by Causeway on every call: leave it out"
    if name in ("authorization", "proxy-authorization") and isinstance(value, str):
        return "a credential is never written in a manifest: use the system's `auth`"
    return None


def _connections(name: str) -> str | None:
    return "belongs to the connection: no manifest sets it" if name in OWN_HEADERS else None


def _unprintable(value: JSON) -> str | None:
    """What a header cannot hold, in a text as it is written; what an event brings is seen when it is sent."""
    try:
        written = "".join(texts.literals(value)) if isinstance(value, str) else ""
    except texts.TextError:
        return None  # told with the other texts
    if texts.NOT_IN_HEADER.search(written):
        return "has a line break or another character that is not printable ASCII, which no header can hold"
    return None


def _networks(document: Document) -> list[str]:
    """allow_private, as far as it is right; the manifest's model tells the rest."""
    found = []
    for _, network in find(document.value, "api.allow_private.*"):
        with suppress(ValueError):
            found += [str(ipaddress.ip_network(network))] if isinstance(network, str) else []
    return found


def _base_url(url: str, allow_private: list[str]) -> str | None:
    try:
        check_base_url(url, allow_private)
    except (ValueError, ForbiddenAddressError) as error:
        return str(error)
    origin = origin_of(url)
    if origin.scheme == "http" and not _is_private(origin.host, origin.port, allow_private):
        return "must be https: http is only for private addresses that allow_private names"
    return None


def _is_private(host: str, port: int, allow_private: list[str]) -> bool:
    """Whether a host is private; of a name only sending can tell, so allow_private must be there at all."""
    try:
        check_host(host, port)
    except ForbiddenAddressError:
        return True
    is_name = not re.fullmatch(r"[0-9a-fx.:]+", host)
    return is_name and bool(allow_private)


def _path(text: str) -> str | None:
    try:
        outside = "".join(texts.literals(text))
        embedded = texts.check(text)
    except texts.TextError:
        return None  # told with the other texts
    if text and (not text.startswith("/") or text.startswith("//")):
        return "a path below the system's base_url: it begins with one /"
    if "?" in outside or "#" in outside:
        return "has a `?` or `#`: parameters stand in `query`, where they are encoded"
    if re.search(r"(^|/)\.\.?(/|$)", outside):
        return "leads elsewhere: a path has no . and no .. between its slashes"
    if any(part.optional for part in embedded):
        return "nothing can be left out of a path: write the expression without its `?`"
    return None

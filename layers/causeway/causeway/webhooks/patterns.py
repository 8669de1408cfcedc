"""How a scheme writes things: signatures in a header, and the bytes that are signed.

Verifying reads by these patterns and signing writes by them, so that the two cannot drift apart.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

MAX_HEADER = 8192
"""Characters of a header that is read at all; API Gateway allows 10,240 bytes for all of them together."""


class SchemeError(Exception):
    """A scheme's record says something that the engine cannot do."""


class SignedRequest(NamedTuple):
    """What a signature may cover. Nothing in it is trusted before it is verified.

    ``headers`` have lower-case names. ``url`` is the public URL as configured, with path and query, never one
    rebuilt from the Host header; empty where none is known.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Malformed(ValueError):  # noqa: N818 # an outcome of reading, not a fault
    """A header is not written as its scheme writes it."""


class Missing(Malformed):
    """A header that the scheme needs is not there, or empty."""


class Item(NamedTuple):
    """One element of a header: a placeholder between two literals."""

    before: str
    name: str
    after: str


class HeaderPattern:
    """How signatures, and a timestamp where it travels with them, are written in one header.

    With a separator the header is a list, and so is the pattern: ``t={timestamp},v1={signature}``. An element
    is read by the first part of the pattern that it fits; elements that fit none are of versions that this
    scheme does not know, and are skipped. ``{signature}`` may occur any number of times, all else once. In
    ``{timestamp},{signature}`` the first element is the timestamp.
    Without a separator the header holds one signature.
    """

    def __init__(self, pattern: str, separator: str | None, allowed: frozenset[str]) -> None:
        self.separator = separator
        parts = [part.strip(" ") for part in pattern.split(separator)] if separator else [pattern]
        self.items = [_item(part, allowed) for part in parts]
        names = [item.name for item in self.items]
        if names.count("signature") != 1 or len(set(names)) != len(names):
            raise SchemeError(f"pattern: {pattern!r} must hold {{signature}} once, and nothing else twice")

    def read(self, header: str) -> tuple[list[str], dict[str, str]]:
        """The signatures in a header's value, and what else the pattern names.

        Raises:
            Malformed: there is no signature in it, or something that may occur once occurs twice.
        """
        if len(header) > MAX_HEADER:
            raise Malformed("too long")
        separator = self.separator
        elements = [header] if separator is None else header.split(separator)
        signatures: list[str] = []
        others: dict[str, str] = {}
        for element in elements:
            text = element if separator is None else element.lstrip(" ")
            for before, name, after in self.items:
                if not text.startswith(before) or (after and not text.endswith(after)):
                    continue
                value = text[len(before) : len(text) - len(after)]
                if name == "signature":
                    signatures.append(value)
                elif name in others:
                    if not before and not after:
                        continue  # it is read by its position, and what comes later is something else
                    raise Malformed(f"{name} occurs twice")
                else:
                    others[name] = value
                break
        if not signatures:
            raise Malformed("no signature of a known version")
        return signatures, others

    def write(self, values: Mapping[str, str]) -> str:
        """The header's value for one signature."""
        separator = self.separator or ""
        return separator.join(f"{before}{values[name]}{after}" for before, name, after in self.items)


def _item(part: str, allowed: frozenset[str]) -> Item:
    found = _PLACEHOLDER.findall(part)
    if len(found) != 1 or found[0] not in allowed:
        choices = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        raise SchemeError(f"pattern: {part!r} must hold exactly one of {choices}")
    before, after = part.split(f"{{{found[0]}}}")
    return Item(before, found[0], after)


class SignedPattern:
    """The bytes that are signed, as a text with placeholders: ``{id}.{timestamp}.{body}``.

    A header's value may not contain the literal that ends it: otherwise two different requests would have
    the same signed bytes. (Standard Webhooks says the same: no dot in an id.)
    """

    def __init__(self, template: str, headers: Mapping[str, str]) -> None:
        """Read the template.

        Args:
            template: the text.
            headers: the headers that placeholders such as ``{id}`` stand for; ``{header:NAME}`` needs none.
        """
        pieces = _PLACEHOLDER.split(template)
        self.names = pieces[1::2]
        self._format = b"%b".join(literal.encode().replace(b"%", b"%%") for literal in pieces[::2])
        self._readers = [
            _reader(name, headers, until=literal)
            for name, literal in zip(self.names, pieces[2::2], strict=True)
        ]

    def bytes_of(self, request: SignedRequest, timestamp: bytes) -> bytes:
        """The signed bytes of a request.

        Raises:
            Malformed: a header that they need is missing or odd.
        """
        return self._format % tuple([read(request, timestamp) for read in self._readers])


def _reader(name: str, headers: Mapping[str, str], *, until: str) -> Callable[[SignedRequest, bytes], bytes]:
    if name in _REQUEST_FIELDS:
        return _REQUEST_FIELDS[name]
    header = name.removeprefix("header:").lower() if name.startswith("header:") else headers.get(name)
    if not header:
        raise SchemeError(f"signed: {{{name}}} is not known; {known_fields()}")

    def read(request: SignedRequest, _timestamp: bytes) -> bytes:
        value = header_of(request, header)
        if until and until in value:
            raise Malformed(f"{header} holds a {until!r}")
        return value.encode("ascii")

    return read


def header_of(request: SignedRequest, name: str) -> str:
    """The value of a header that must be there, ASCII and of bounded length.

    Raises:
        Missing: it is absent or empty.
        Malformed: it is not ASCII, or longer than any signature.
    """
    value = request.headers.get(name)
    if not value:
        raise Missing(name)
    if len(value) > MAX_HEADER or not value.isascii():
        raise Malformed(name)
    return value


def _url(request: SignedRequest, _timestamp: bytes) -> bytes:
    if not request.url:
        raise SchemeError("signed: {url} needs webhooks.base_url, or the stack's public base URL")
    return request.url.encode()


def _path(request: SignedRequest, _timestamp: bytes) -> bytes:
    after_scheme = request.url.partition("://")[2] or request.url
    return ("/" + after_scheme.partition("/")[2]).partition("?")[0].encode()


_REQUEST_FIELDS: dict[str, Callable[[SignedRequest, bytes], bytes]] = {
    "body": lambda request, _timestamp: request.body,
    "timestamp": lambda _request, timestamp: timestamp,
    "method": lambda request, _timestamp: request.method.encode(),
    "url": _url,
    "path": _path,
    "query": lambda request, _timestamp: request.url.partition("?")[2].encode(),
    "body_sha256": lambda request, _timestamp: hashlib.sha256(request.body).hexdigest().encode(),
}


def known_fields() -> str:
    """What may stand in ``signed``, for messages to people."""
    names = [*_REQUEST_FIELDS, "id", "nonce", "header:NAME"]
    return "there are " + ", ".join(f"{{{name}}}" for name in names)

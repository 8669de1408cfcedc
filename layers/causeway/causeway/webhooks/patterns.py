"""How a scheme writes things: signatures in a header, and the bytes that are signed.

Verifying reads by these patterns and signing writes by them, so that the two cannot drift apart.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.plan.records import JSON

    Reader = Callable[["SignedRequest", bytes, bytes, JSON], bytes]

FORM = "application/x-www-form-urlencoded"
"""The content type of a form."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

MAX_HEADER = 8192
"""Characters of a header that is read at all; API Gateway allows 10,240 bytes for all of them together."""


_MAX_NUMBER = 10**18
"""Of a number in a body that is read as a text: str() of a long one is slow."""


class SchemeError(Exception):
    """A scheme's record says something that the engine cannot do."""


class SignedRequest(NamedTuple):
    """What a signature may cover. Nothing in it is trusted before it is verified.

    ``headers`` have lower-case names. ``url`` is the public URL as configured, with path and query, never one
    rebuilt from the Host header; empty where none is known. ``query`` is what came after the question mark,
    for what is read there although no URL is known.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""


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
        self._usual = _usual(self.items, separator)
        self._signature = names.index("signature") + 1
        self._timestamp = names.index("timestamp") + 1 if "timestamp" in names else 0

    def read(self, header: str) -> tuple[list[str], dict[str, str]]:
        """The signatures in a header's value, and what else the pattern names.

        Raises:
            Malformed: there is no signature in it, or something that may occur once occurs twice.
        """
        if len(header) > MAX_HEADER:
            raise Malformed("too long")
        if self._usual is not None and (usual := self._usual.fullmatch(header)):
            others = {"timestamp": usual[self._timestamp]} if self._timestamp else {}
            return [usual[self._signature]], others
        if self.separator is None:
            raise Malformed("no signature of a known version")
        return self._read_list(header.split(self.separator))

    def _read_list(self, elements: list[str]) -> tuple[list[str], dict[str, str]]:
        signatures: list[str] = []
        others: dict[str, str] = {}
        for element in elements:
            text = element.lstrip(" ")
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


def _usual(items: list[Item], separator: str | None) -> re.Pattern[str] | None:
    """What a header looks like that holds each element once and in order: most do, and it is read at once.

    None where an element could be read in two ways, so that they are read one by one.
    """
    value = f"([^{re.escape(separator)}]*)" if separator else "(.*)"
    starts = [item.before for item in items]
    clear = all(a == b or not b.startswith(a) for a in starts for b in starts)
    if separator and (len(separator) != 1 or not clear or any(item.after for item in items)):
        return None
    parts = [re.escape(item.before) + value + re.escape(item.after) for item in items]
    return re.compile(f"{re.escape(separator or '')} *".join(parts), re.DOTALL)


def _item(part: str, allowed: frozenset[str]) -> Item:
    found = _PLACEHOLDER.findall(part)
    if "timestamp" in found and "timestamp" not in allowed:
        raise SchemeError("pattern: {timestamp} needs `timestamp: {unit: s}`, which says what is read there")
    if len(found) != 1 or found[0] not in allowed:
        choices = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        several = ": `separator` says what stands between several" if len(found) > 1 else ""
        raise SchemeError(f"pattern: {part!r} must hold exactly one of {choices}{several}")
    before, after = part.split(f"{{{found[0]}}}")
    return Item(before, found[0], after)


class SignedPattern:
    """The bytes that are signed, as a text with placeholders: ``{id}.{timestamp}.{body}``.

    A value that a sender chooses may not contain the literal that ends it: otherwise two different requests
    would have the same signed bytes. (Standard Webhooks says the same: no dot in an id.)
    """

    def __init__(self, template: str, headers: Mapping[str, str]) -> None:
        """Read the template.

        Args:
            template: the text.
            headers: the headers that placeholders such as ``{id}`` stand for; ``{header:NAME}`` needs none.
        """
        pieces = _PLACEHOLDER.split(template)
        self.names = pieces[1::2]
        self.body_paths = [path_of(name) for name in self.names if name.startswith("body.")]
        self.covers_body = not {"body", "body_sha256", "form"}.isdisjoint(self.names)
        self.has_secret = "secret" in self.names
        self._format = b"%b".join(literal.encode().replace(b"%", b"%%") for literal in pieces[::2])
        self._readers = [
            _reader(name, headers, until=literal)
            for name, literal in zip(self.names, pieces[2::2], strict=True)
        ]
        self._is_body = template == "{body}"
        # Nearly all are one of these, and are written without asking for each part.
        self._usual_parts = _USUAL_PARTS.get(tuple(self.names))
        self._is_timed_after_one = self.names[1:] == ["timestamp", "body"]

    def bytes_of(
        self, request: SignedRequest, timestamp: bytes, secret: bytes = b"", data: JSON = None
    ) -> bytes:
        """The signed bytes of a request.

        Args:
            request: whose.
            timestamp: its text, as it was sent.
            secret: for ``{secret}``.
            data: what the body says, for ``{body.NAME}``.

        Raises:
            Malformed: a value that they need is missing or odd.
        """
        if self._is_body:
            return request.body
        if self._usual_parts is not None:
            return self._format % self._usual_parts(request, timestamp)
        if self._is_timed_after_one:
            return self._format % (
                self._readers[0](request, timestamp, secret, data),
                timestamp,
                request.body,
            )
        return self._format % tuple([read(request, timestamp, secret, data) for read in self._readers])


_DESCRIBED = {"id": "headers.NAME", "nonce": "{header: NAME}"}
"""What stands in a header that another key of the record names."""


def _reader(name: str, headers: Mapping[str, str], *, until: str) -> Reader:
    if name in _REQUEST_FIELDS:
        return _REQUEST_FIELDS[name]
    if name.startswith("body."):
        return _body_reader(path_of(name), until)
    header = name.removeprefix("header:").lower() if name.startswith("header:") else headers.get(name)
    if not header and name in _DESCRIBED:
        raise SchemeError(f"signed: {{{name}}} needs `{name}: {_DESCRIBED[name]}`, which says where it is")
    if not header:
        raise SchemeError(f"signed: {{{name}}} is not known; {known_fields()}")

    def read(request: SignedRequest, _timestamp: bytes, _secret: bytes, _data: JSON) -> bytes:
        value = header_of(request, header)
        if until and until in value:
            raise Malformed(f"{header} holds a {until!r}")
        return value.encode("ascii")

    return read


def _body_reader(path: str, until: str) -> Reader:
    def read(_request: SignedRequest, _timestamp: bytes, _secret: bytes, data: JSON) -> bytes:
        value = text_at(data, path)
        if until and until in value:
            raise Malformed(f"{path} holds a {until!r}")
        return value.encode()

    return read


def path_of(expression: str) -> str:
    """The names after ``body.``, joined by dots.

    Raises:
        SchemeError: it is no such path.
    """
    place, _, path = expression.partition(".")
    if place != "body" or not all(path.split(".")):
        raise SchemeError(f"{expression!r} is not body.NAME, with more names after dots")
    return path


def text_at(data: JSON, path: str) -> str:
    """The text, or the whole number, at a path into a body that nothing has verified yet.

    Raises:
        Missing: there is nothing.
        Malformed: it is something else.
    """
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    if data is None or data == "":
        raise Missing(path)
    if isinstance(data, int) and not isinstance(data, bool) and abs(data) < _MAX_NUMBER:
        return str(data)
    if not isinstance(data, str):
        raise Malformed(path)
    return data


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


def _url(request: SignedRequest, *_: object) -> bytes:
    if not request.url:
        raise SchemeError("signed: {url} needs webhooks.base_url, or the stack's public base URL")
    return request.url.encode()


def _path(request: SignedRequest, *_: object) -> bytes:
    after_scheme = request.url.partition("://")[2] or request.url
    return ("/" + after_scheme.partition("/")[2]).partition("?")[0].encode()


def _form(request: SignedRequest, *_: object) -> bytes:
    """A form's fields, sorted, each name followed by its value: Twilio and Mandrill sign so."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Malformed("form")
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(request.body))
    return "".join(name + value for name, value in sorted(set(pairs))).encode()


_REQUEST_FIELDS: dict[str, Reader] = {
    "body": lambda request, _timestamp, _secret, _data: request.body,
    "timestamp": lambda _request, timestamp, _secret, _data: timestamp,
    "method": lambda request, *_: request.method.encode(),
    "url": _url,
    "path": _path,
    "query": lambda request, *_: request.url.partition("?")[2].encode(),
    "form": _form,
    "secret": lambda _request, _timestamp, secret, _data: secret,
    "body_sha256": lambda request, *_: hashlib.sha256(request.body).hexdigest().encode(),
}


_USUAL_PARTS: dict[tuple[str, ...], Callable[[SignedRequest, bytes], tuple[bytes, bytes]]] = {
    ("timestamp", "body"): lambda request, timestamp: (timestamp, request.body),
    ("body", "timestamp"): lambda request, timestamp: (request.body, timestamp),
}


def known_fields() -> str:
    """What may stand in ``signed``, for messages to people."""
    names = [*_REQUEST_FIELDS, "id", "nonce", "header:NAME", "body.NAME"]
    return "there are " + ", ".join(f"{{{name}}}" for name in names)

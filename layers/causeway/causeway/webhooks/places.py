"""Where a scheme finds its signatures: a header, numbered headers, the URL's query, the body itself.

What a body or a query holds is read before anything is verified, so it is read narrowly: one text or number
at a fixed path, or nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from causeway.webhooks.patterns import (
    FORM,
    MAX_HEADER,
    Malformed,
    Missing,
    SchemeError,
    header_of,
    path_of,
    text_at,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.events.envelope import Body
    from causeway.plan.records import JSON, Scheme
    from causeway.webhooks.patterns import SignedRequest

NUMBER = "{number}"
"""In a header's name: 1, 2, 3 ..."""

MAX_NUMBER = 100
"""As many signatures as DocuSign sends; each is a comparison."""

_PLACE = r"(body|query)\.(.+)"  # a text, which `re` compiles at its first use: most signatures are in headers


class Place:
    """Where the signatures of a request are."""

    def __init__(self, header: str, place: str | None) -> None:
        """Read a record's ``header`` and ``signature``; exactly one of them may be given."""
        self.header = header
        self.in_body = self.in_query = ""
        if bool(header) == bool(place):
            raise SchemeError("header: the signature's header must be named, or `signature` say where it is")
        if place:
            found = re.fullmatch(_PLACE, place)
            if not found:
                raise SchemeError("signature: it is body.NAME, with more names after dots, or query.NAME")
            if found[1] == "body":
                self.in_body = path_of(place)
            else:
                self.in_query = found[2]
        numbered = NUMBER in header
        self.headers = [header.replace(NUMBER, str(n)) for n in range(1, MAX_NUMBER + 1)] if numbered else []
        self.header = header.replace(NUMBER, "1")
        self.is_one_header = bool(header) and not numbered

    def read(self, request: SignedRequest, data: JSON) -> Sequence[str]:
        """The texts that hold signatures.

        Raises:
            Missing: there is none.
            Malformed: it is odd.
        """
        if self.is_one_header:
            return [header_of(request, self.header)]
        if self.in_body:
            return [_narrow(text_at(data, self.in_body))]
        if self.in_query:
            return [_narrow(query_value(request, self.in_query))]
        found = [header_of(request, name) for name in self.headers if name in request.headers]
        if not found:
            raise Missing(self.header)
        return found

    def write(self, request: SignedRequest, text: str) -> SignedRequest:
        """The request with a signature at its place."""
        if self.in_body:
            return with_body_value(request, self.in_body, text)
        if self.in_query:
            joint = "&" if "?" in request.url else "?"
            added = f"{quote(self.in_query, safe='')}={quote(text, safe='')}"
            return request._replace(url=f"{request.url}{joint}{added}")
        return request._replace(headers={**request.headers, self.header: text})


def body_data(request: SignedRequest) -> JSON:
    """What the body says, by its content type, for schemes that sign inside it.

    Raises:
        Malformed: it is not what its content type says.
    """
    from causeway.events.envelope import MalformedBody, read_body  # noqa: PLC0415 # few schemes need it

    try:
        return read_body(request.body, request.headers.get("content-type")).data
    except MalformedBody as error:
        raise Malformed("body") from error


def told_body(scheme: Scheme, request: SignedRequest) -> Body:
    """What a verified body says: by the scheme's own content type where it has one, else by the request's.

    Raises:
        MalformedBody: it is not that.
    """
    from causeway.events.envelope import read_body  # noqa: PLC0415 # what verifies has no need of it

    return read_body(request.body, scheme.get("content_type") or request.headers.get("content-type"))


def query_value(request: SignedRequest, name: str) -> str:
    """The value of a parameter that must be in a request's query once.

    Raises:
        Missing: it is not there, or empty.
        Malformed: it is there twice.
    """
    given = [pair.partition("=") for pair in (request.url.partition("?")[2] or request.query).split("&")]
    values = [value for key, _, value in given if unquote_plus(key) == name]
    if not any(values):
        raise Missing(name)
    if len(values) != 1:
        raise Malformed(name)
    return unquote_plus(values[0], errors="strict")


def with_body_value(request: SignedRequest, path: str, value: JSON) -> SignedRequest:
    """The request with a value at a path of its body, which is written anew.

    Raises:
        Malformed: the body has no such place.
    """
    import json  # noqa: PLC0415 # only to sign
    from urllib.parse import urlencode  # noqa: PLC0415

    data: Any = body_data(request)
    *parents, last = path.split(".")
    inner = data
    for name in parents:
        inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        raise Malformed(path)
    inner[last] = value
    is_form = request.headers.get("content-type", "").startswith(FORM)
    text = urlencode(data, doseq=True) if is_form else json.dumps(data, ensure_ascii=False)
    return request._replace(body=text.encode())


def _narrow(text: str) -> str:
    if len(text) > MAX_HEADER or not text.isascii():
        raise Malformed("signature")
    return text

"""Texts: strings in which ``${...}`` holds an expression, and templates, which are JSON of such strings.

A text that is nothing but one ``${...}`` keeps the value's JSON type, null included. ``${expression?}``
leaves out the key, header, parameter or list element that holds it when the value is null; anywhere else
null is an error, and so are lists and objects inside a longer text. ``$${`` is a literal ``${``.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

from causeway.events.expressions import CACHED, ExpressionError, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causeway.plan.records import JSON


class _Omitted:
    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final = _Omitted()
"""What :func:`render` returns for a template that is itself left out, such as a body ``${data.note?}``."""


class TextError(ExpressionError):
    """A text cannot be read, whatever the event."""

    def __init__(self, problem: str, text: str, position: int) -> None:
        super().__init__(f"{problem}, at character {position + 1}", text)
        self.position = position


class Embedded(NamedTuple):
    """An expression in a text."""

    expression: str
    optional: bool
    position: int
    """Where its ``${`` starts in the text, from 0."""
    quoted: bool
    """It stands between quotes of the text itself: URL-encoding does not make that safe (SOQL, JQL)."""


# What matters on the way to the matching brace: braces, and literals and quoted identifiers, which are
# skipped whole, so that the braces in them do not count. JMESPath escapes with a backslash in all three.
_IN_EXPRESSION = re.compile(
    r"""[{}] | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*` | ['"`]""", re.VERBOSE | re.DOTALL
)
NOT_IN_HEADER = re.compile(r"[^\t\x20-\x7e]")
"""What the value of a header cannot hold (RFC 9110, section 5.5)."""
_START = re.compile(r"\$\$\{|\$\{")
_URL_SAFE = "/%:@!$&'()*+,;=~"
"""What stays as the map's author wrote it in a path (RFC 3986, section 3.3); ``%`` is their own encoding."""


def check(text: str) -> list[Embedded]:
    """The expressions of a text, for the compiler to check.

    Raises:
        TextError: a brace has no partner, or there is nothing between the two.
    """
    return [part for part in _parts(text) if isinstance(part, Embedded)]


def literals(text: str) -> list[str]:
    """The pieces of a text that are no expressions, for the compiler to check.

    Raises:
        TextError: as :func:`check`.
    """
    return [part for part in _parts(text) if isinstance(part, str)]


def render(template: JSON, scope: Mapping[str, JSON]) -> JSON:
    """The template with its expressions replaced by their values. The result may share parts with the scope.

    Returns:
        JSON, or :data:`OMITTED`.

    Raises:
        ExpressionError: an expression fails, or its value cannot stand where it does.
    """
    match template:
        case str():
            return _render_text(template, scope)
        case dict():
            pairs = ((key, render(value, scope)) for key, value in template.items())
            return {key: value for key, value in pairs if value is not OMITTED}
        case list():
            return [value for item in template if (value := render(item, scope)) is not OMITTED]
        case _:
            return template


def render_headers(headers: Mapping[str, JSON], scope: Mapping[str, JSON]) -> dict[str, str]:
    """Headers, whose values are texts or JSON scalars.

    Raises:
        ExpressionError: as :func:`render`; or a value is null, a list or an object, or holds a line break or
            anything else that is not printable ASCII (RFC 9110, section 5.5).
    """
    rendered: dict[str, str] = {}
    for name, template in headers.items():
        value = render(template, scope)
        if value is OMITTED:
            continue
        rendered[name] = _as_text(value, f"header {name}")
        if NOT_IN_HEADER.search(rendered[name]):
            problem = "the value has a line break or another character that is not printable ASCII"
            raise ExpressionError(problem, f"header {name}")
    return rendered


def render_path(text: str, scope: Mapping[str, JSON]) -> str:
    """A path with every value URL-encoded, ``/`` included, so that a value stays within one segment.

    Raises:
        ExpressionError: as :func:`render`; or a value is empty, or makes ``.`` or ``..`` of its segment, also
            once a server has decoded it: each would address something else than the map says (RFC 3986,
            section 5.2.4).
    """
    path = "".join(
        quote(part, safe=_URL_SAFE) if isinstance(part, str) else _in_path(part, scope)
        for part in _parts(text)
    )
    for segment in path.split("/"):
        if "." in (decoded := unquote(segment)) and not {".", ".."}.isdisjoint(re.split(r"[/\\]", decoded)):
            raise ExpressionError("a segment of the path would become . or .., which leads elsewhere", text)
    return path


def render_query(query: Mapping[str, JSON], scope: Mapping[str, JSON]) -> str:
    """A query such as ``a=1&b=2&b=3``: values are URL-encoded, and a list repeats its parameter.

    Raises:
        ExpressionError: as :func:`render`, or a value is null or an object.
    """
    rendered = ((name, render(value, scope)) for name, value in query.items())
    return encode_query({name: value for name, value in rendered if value is not OMITTED})


def encode_query(values: Mapping[str, JSON]) -> str:
    """Rendered values as ``application/x-www-form-urlencoded``: a query, or the body of a form.

    Raises:
        ExpressionError: a value is null or an object, or a list of them.
    """
    return "&".join(
        f"{_encode(name, name)}={_encode(_as_text(value, f'parameter {name}'), f'parameter {name}')}"
        for name, found in values.items()
        for value in (found if isinstance(found, list) else [found])
    )


def _render_text(text: str, scope: Mapping[str, JSON]) -> JSON:
    parts = _parts(text)
    if len(parts) == 1 and isinstance(parts[0], Embedded):
        value = select(parts[0].expression, scope)
        return OMITTED if value is None and parts[0].optional else value
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        value = select(part.expression, scope)
        if value is None and part.optional:
            return OMITTED
        texts.append(_as_text(value, part.expression))
    return "".join(texts)


def _in_path(part: Embedded, scope: Mapping[str, JSON]) -> str:
    value = _as_text(select(part.expression, scope), part.expression)
    if not value:
        raise ExpressionError("the value is empty, which would change the path", part.expression)
    return _encode(value, part.expression)


def _as_text(value: JSON, where: str) -> str:
    match value:
        case str():
            return value
        case None:
            raise ExpressionError("the value is null where a text is needed", where)
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            kind = "a list" if isinstance(value, list) else "an object"
            raise ExpressionError(f"the value is {kind}, which cannot stand inside a text", where)


def _encode(value: str, where: str) -> str:
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        problem = "the value has half a character (a lone surrogate), which no URL can hold"
        raise ExpressionError(problem, where) from None


@lru_cache(maxsize=CACHED)
def _parts(text: str) -> Sequence[str | Embedded]:
    """The text in pieces: literal ones, without their escapes, and expressions."""
    parts: list[str | Embedded] = []
    for part in _pieces(text):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part:
            parts.append(part)
    return tuple(parts)


def _pieces(text: str) -> Iterator[str | Embedded]:
    position = 0
    quotes = ""
    while start := _START.search(text, position):
        literal = text[position : start.start()]
        yield literal
        quotes += literal
        if start[0] == "$${":
            yield "${"
            position = start.end()
            continue
        end = _closing(text, start)
        expression = text[start.end() : end].strip()
        optional = expression.endswith("?")
        expression = expression.removesuffix("?").rstrip()
        if not expression:
            raise TextError("there is no expression in ${}", text, start.start())
        yield Embedded(expression, optional, start.start(), any(quotes.count(mark) % 2 for mark in "'\""))
        position = end + 1
    yield text[position:]


def _closing(text: str, start: re.Match[str]) -> int:
    """Where the brace is that closes the ``${`` at the start."""
    depth = 1
    for token in _IN_EXPRESSION.finditer(text, start.end()):
        if token[0] in "'\"`":
            raise TextError(f"a {token[0]} in an expression has no partner", text, token.start())
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    raise TextError("the brace of ${ is never closed", text, start.start())

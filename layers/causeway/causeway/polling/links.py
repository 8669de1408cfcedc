"""Links in a header (RFC 8288): where the next page is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECES = re.compile(r'<[^>]*>|"(?:[^"\\]|\\.)*"|[,;]|[^<",;]+|.', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def link_to(header: str, relation: str) -> str | None:
    """The reference of the first link of a relation, as it is written: it may be relative.

    Args:
        header: the value of ``Link``; of several such headers their values, joined by commas.
        relation: such as ``next``; a link may have several, in any case.
    """
    for target, parameters in _links(header):
        if "anchor" in parameters:
            continue  # the link of something else than this page
        if relation in parameters.get("rel", "").lower().split():
            return target
    return None


def _links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    for pieces in _split([match[0] for match in _PIECES.finditer(header)], ","):
        target, *parts = ("".join(part).strip() for part in _split(pieces, ";"))
        if target.startswith("<") and target.endswith(">"):
            yield target[1:-1].strip(), _parameters(parts)


def _parameters(parts: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        value = value.strip()
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        parameters.setdefault(name.strip().lower(), value)  # of several the first counts (section 3.3)
    return parameters


def _split(pieces: list[str], separator: str) -> Iterator[list[str]]:
    part: list[str] = []
    for piece in pieces:
        if piece == separator:
            yield part
            part = []
        else:
            part.append(piece)
    yield part

"""Which names the expressions inside texts use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from causeway.events import texts
from causeway.plan.finding import find

if TYPE_CHECKING:
    from causeway.plan.records import JSON

_LITERALS = re.compile(r"""'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`""")
_NAMES = re.compile(r"(?<![.\w])[A-Za-z_]\w*")


def names_in(value: JSON, *, optional: bool = True) -> set[str]:
    """The names at the beginning of paths, as ``since`` in ``${since}``; texts that cannot be read have none.

    Args:
        value: Any JSON; all texts in it are read.
        optional: Whether those with ``?`` count, which may be null.
    """
    names: set[str] = set()
    for _, text in find(value, "**"):
        try:
            embedded = texts.check(text)
        except texts.TextError:
            continue  # which another check tells
        for part in embedded:
            if optional or not part.optional:
                names.update(_NAMES.findall(_LITERALS.sub("", part.expression)))
    return names

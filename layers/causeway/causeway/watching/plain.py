"""Texts of others in messages of ours: reasons come from targets, those of pauses from people.

Such a text is one line without control characters, or it could look like lines that we have written; it is
bounded, or a message could be larger than SNS takes; and in a chat it is no markup.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED = 20
"""So many names are listed, and how many there are besides."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = str.maketrans(_ENTITIES | {"[": "(", "]": ")"})  # in Slack, entities; in Teams, [texts](links)
_LINE_BREAKS = ("Zl", "Zp")


def plain(text: str, most: int) -> str:
    """On one line, printable, and no longer than so many characters."""
    shown = "".join(" " if _breaks(each) else each for each in text[: 4 * most])
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def without_markup(text: str) -> str:
    """The same in a chat: it mentions nobody, and links to nothing."""
    return text.translate(_MARKUP)


def listing(names: Sequence[str]) -> str:
    """Names, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _breaks(each: str) -> bool:
    """Whether a character is no text: a control, a direction, half of a pair, the end of a line."""
    category = unicodedata.category(each)
    return category[0] == "C" or category in _LINE_BREAKS

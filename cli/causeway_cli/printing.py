"""How commands print what they found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WIDE = 220


def print_json(value: Any) -> None:
    """Print what a program reads."""
    print(json.dumps(value, indent=2))


def wide_console() -> Console:
    """A console on which nothing is cut where lines are only kept."""
    from rich.console import Console  # noqa: PLC0415 - slow to import

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console


def plain(text: str) -> str:
    """A text of others, without what a terminal would take for a command."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)


def as_told(value: object) -> Text:
    """A value of others as it is shown: none of it is markup. None is nothing."""
    from rich.text import Text  # noqa: PLC0415 - slow to import

    return Text("" if value is None else plain(str(value)))

"""How commands print what they found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

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

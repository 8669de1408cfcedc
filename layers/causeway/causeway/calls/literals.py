"""Values of the map that are literal, or the name of a secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import SecretRef

Reveal = Callable[[str], str]
"""From a secret's name to its value, or to what is shown in its stead."""


def literal(value: str | SecretRef, reveal: Reveal) -> str:
    """A value that is written in the map, or is the name of a secret there."""
    return value if isinstance(value, str) else reveal(value["secret"])

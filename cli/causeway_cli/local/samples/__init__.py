"""Sample events of the built-in schemes: a file per scheme, with event types and their bodies."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme


def for_schemes(schemes: Sequence[Scheme]) -> dict[str, Any]:
    """Event types and bodies that a provider with these schemes sends; empty for schemes of one's own."""
    for name, known in SCHEMES.items():
        if known == list(schemes):
            content: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_bytes())
            return content
    return {}

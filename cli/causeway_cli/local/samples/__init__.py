"""Sample events of built-in schemes: a file per scheme, with event types and their bodies."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme


def for_schemes(schemes: Sequence[Scheme]) -> dict[str, Any]:
    """Event types and bodies that a provider with these schemes sends; empty where there are no samples."""
    for name, known in SCHEMES.items():
        file = files(__name__) / f"{name}.json"
        if known == list(schemes) and file.is_file():
            content: dict[str, Any] = json.loads(file.read_bytes())
            return content
    return {}

"""Sample events of the built-in schemes, in our own words: a file per scheme, event types and their bodies."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme


def for_schemes(schemes: Sequence[Scheme]) -> dict[str, Any]:
    """Event types and bodies that a provider with these schemes might send; empty for one that is not built in."""
    for name, known in SCHEMES.items():
        if known == list(schemes):
            content: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_bytes())
            return content
    return {}

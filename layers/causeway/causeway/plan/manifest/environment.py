"""What differs by environment: partial manifests that are merged over the map."""

from __future__ import annotations

from typing import Any

from causeway.plan.manifest.base import Manifest
from causeway.plan.manifest.values import Name


class Environment(Manifest):
    """Partial manifests by name: objects merge, lists and scalars replace, null removes."""

    systems: dict[Name, dict[str, Any] | None] = {}
    integrations: dict[Name, dict[str, Any] | None] = {}
    """null switches an integration off."""

"""JSON Schemas of the manifests, made of their models, so that editors complete and check what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.plan.manifest.environment import Environment
from causeway.plan.manifest.integration import Integration
from causeway.plan.manifest.system import System

if TYPE_CHECKING:
    from causeway.plan.manifest.base import Manifest

_MODELS: dict[str, type[Manifest]] = {
    "system": System,
    "integration": Integration,
    "environment": Environment,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas (JSON Schema 2020-12) by kind of manifest: system, integration, environment."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {name: dialect | model.model_json_schema() for name, model in _MODELS.items()}

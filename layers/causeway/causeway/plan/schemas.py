"""JSON Schemas of the manifests, made of their models, so that editors complete and check what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from causeway.plan.manifest.environment import Environment
from causeway.plan.manifest.integration import Integration
from causeway.plan.manifest.system import System

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import DictSchema, WithDefaultSchema

    from causeway.plan.manifest.base import Manifest

_MODELS: dict[str, type[Manifest]] = {
    "system": System,
    "integration": Integration,
    "environment": Environment,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas (JSON Schema 2020-12) by kind of manifest: system, integration, environment."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        name: dialect | model.model_json_schema(schema_generator=_Schemas) for name, model in _MODELS.items()
    }


class _Schemas(GenerateJsonSchema):
    """Schemas in which a key is left out and never null, and keys that are names are nothing else."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """What has the default None is absent; null is an error ("empty"), but where any JSON may stand."""
        made = super().default_schema(schema)
        if schema.get("default", ...) is None:
            made.pop("default", None)
            choices = [each for each in made.get("anyOf", ()) if each != {"type": "null"}]
            if choices:
                made["anyOf"] = choices
        return made

    def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
        """An object whose keys all have the form of its keys."""
        made = super().dict_schema(schema)
        return made | {"additionalProperties": False} if "patternProperties" in made else made

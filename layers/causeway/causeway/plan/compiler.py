"""The compiler: a map's directory becomes one plan per environment, or all that is wrong with it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from causeway.plan.checks import check
from causeway.plan.environments import merge
from causeway.plan.files import Transform, read_map
from causeway.plan.manifest.environment import Environment
from causeway.plan.manifest.integration import Integration
from causeway.plan.manifest.system import System
from causeway.plan.plan import FORMAT
from causeway.plan.problems import InvalidMapError, KeyPath, Problem, by_environment
from causeway.plan.records_of import integration_record, system_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from causeway.plan.environments import Merged
    from causeway.plan.manifest.base import Manifest
    from causeway.plan.records import PlanRecord
    from causeway.plan.yaml import Document

_M = TypeVar("_M", bound="Manifest")


@dataclass(frozen=True)
class Compiled:
    """A map that compiles."""

    plans: dict[str, PlanRecord]  # by environment
    transforms: dict[str, Transform]  # by module
    remarks: list[Problem]  # warnings and notes


def compile_map(directory: Path) -> Compiled:
    """Compile a map for each of its environments.

    Raises:
        InvalidMapError: and everything that is wrong with it, at once.
    """
    files = read_map(directory)
    problems = list(files.problems)
    for document in files.environments.values():
        _validated(Environment, document, problems)
    found: dict[str, list[Problem]] = {name: [] for name in sorted(files.environments)}
    manifests = {name: _manifests(merge(files, name), found[name]) for name in found}
    problems = sorted(problems + by_environment(found))
    if any(problem.severity == "error" for problem in problems):
        raise InvalidMapError(problems)
    plans = {name: _plan(name, *parts) for name, parts in manifests.items()}
    return Compiled(plans, files.transforms, problems)


def _manifests(merged: Merged, problems: list[Problem]) -> tuple[dict[str, System], dict[str, Integration]]:
    """What is right of one environment's systems and integrations; the rest is among the problems."""
    problems += merged.problems
    systems = _all_validated(System, merged.systems, problems)
    integrations = _all_validated(Integration, merged.integrations, problems)
    problems += check(merged)
    return systems, integrations


def _plan(environment: str, systems: dict[str, System], integrations: dict[str, Integration]) -> PlanRecord:
    return {
        "format": FORMAT,
        "environment": environment,
        "systems": {name: system_record(system) for name, system in systems.items()},
        "integrations": {name: integration_record(each, systems) for name, each in integrations.items()},
    }


def _all_validated(
    model: type[_M], documents: Mapping[str, Document], problems: list[Problem]
) -> dict[str, _M]:
    validated = {name: _validated(model, documents[name], problems) for name in sorted(documents)}
    return {name: manifest for name, manifest in validated.items() if manifest}


def _validated(model: type[_M], document: Document, problems: list[Problem]) -> _M | None:
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        for finding in error.errors(include_url=False, include_input=False):
            problems.append(document.problem(_path(finding["loc"]), finding["msg"]))  # noqa: PERF401
        return None


def _path(loc: tuple[int | str, ...]) -> KeyPath:
    """A key's path, without what pydantic adds: tags of unions, and that it is a key that is wrong."""
    return tuple(
        part
        for part in loc
        if isinstance(part, int) or not (part == "[key]" or (part.startswith("<") and part.endswith(">")))
    )


def write(compiled: Compiled, directory: Path) -> None:
    """Write what functions load: ``plan/<environment>.json`` and ``python/transforms/*.py``.

    This is the content of the plan layer, below /opt. Files of an earlier run are replaced.
    """
    for part in ("plan", "python/transforms"):
        shutil.rmtree(directory / part, ignore_errors=True)
        (directory / part).mkdir(parents=True)
    for environment, plan in compiled.plans.items():
        text = json.dumps(plan, ensure_ascii=False, separators=(",", ":"))
        (directory / "plan" / f"{environment}.json").write_text(text + "\n", encoding="utf-8")
    for module, transform in compiled.transforms.items():
        shutil.copyfile(transform.path, directory / "python" / "transforms" / f"{module}.py")

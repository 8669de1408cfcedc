"""The map, compiled into the directory that becomes the plan's layer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from causeway.plan.compiler import Compiled, compile_map, write
from causeway.plan.plan import Plan
from causeway.plan.problems import InvalidMapError
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path


def plan_of(integrations: Path, environment: str) -> Plan:
    """Compile a map for one environment.

    Raises:
        CommandError: It does not compile, or it has no such environment.
    """
    return _plan(_compiled(integrations), environment)


def build(integrations: Path, environment: str, layer: Path) -> Plan:
    """Compile a map and replace the layer's directory by what comes out; what was there stays if it fails.

    Raises:
        CommandError: It does not compile, or it has no such environment.
    """
    compiled = _compiled(integrations)
    plan = _plan(compiled, environment)
    fresh = layer.with_name(f"{layer.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    write(compiled, fresh)
    shutil.rmtree(layer, ignore_errors=True)
    fresh.rename(layer)
    return plan


def _compiled(integrations: Path) -> Compiled:
    if not integrations.is_dir():
        raise CommandError(f"{integrations} is no directory: --integrations names the map's")
    try:
        return compile_map(integrations)
    except InvalidMapError as error:
        raise CommandError(f"the map does not compile:\n{error}") from error


def _plan(compiled: Compiled, environment: str) -> Plan:
    if environment not in compiled.plans:
        known = ", ".join(sorted(compiled.plans)) or "none"
        raise CommandError(f"the map has no environment {environment!r}; it has: {known}")
    return Plan(compiled.plans[environment])

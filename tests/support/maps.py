"""Maps for tests: whole ones in few words, written to a directory."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from causeway.plan.compiler import compile_map
from causeway.plan.problems import InvalidMapError

if TYPE_CHECKING:
    from pathlib import Path

    from causeway.plan.compiler import Compiled
    from causeway.plan.problems import Problem
    from causeway.plan.records import Integration, PlanRecord, System

HUB = """
    system: hub
    webhooks: {scheme: github, secrets: [hub/webhook]}
"""
"""A system that sends."""

DESK = """
    system: desk
    api: {base_url: "https://desk.example.com/api"}
"""
"""A system that is called."""

COPY = """
    integration: copy
    owner: {team: desk, email: desk@example.com}
    source: {system: hub, events: ["*"]}
    flow: {}
    target: {system: desk, post: /in}
    frequency: {expect_every: never}
    errors: {}
"""
"""An integration with nothing but what must be written."""

SIMPLE = {"systems/hub.yaml": HUB, "systems/desk.yaml": DESK, "copy.yaml": COPY}


def write_map(directory: Path, files: dict[str, str]) -> Path:
    """Write files of a map; their texts may be indented."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return directory


def compiled(directory: Path, files: dict[str, str] | None = None) -> Compiled:
    """The simple map, with these files beside or instead of its own, compiled."""
    return compile_map(write_map(directory, SIMPLE | (files or {})))


def plan(directory: Path, files: dict[str, str] | None = None, environment: str = "dev") -> PlanRecord:
    """The same, one environment's plan."""
    return compiled(directory, files).plans[environment]


def desk(directory: Path, api: str) -> System:
    """The compiled record of a system whose manifest ends in this."""
    return plan(directory, {"systems/desk.yaml": f"system: desk\n{dedent(api)}"})["systems"]["desk"]


def copy(directory: Path, **changed: str) -> Integration:
    """The compiled integration with these keys changed, or added: ``copy(tmp_path, flow="{filter: ...}")``."""
    return plan(directory, {"copy.yaml": copy_text(**changed)})["integrations"]["copy"]


def copy_text(**changed: str) -> str:
    """The manifest of ``copy`` with these keys changed, added, or left out (empty)."""
    keys = dict(line.split(": ", 1) for line in dedent(COPY).strip().splitlines()) | changed
    return "".join(f"{key}: {value}\n" for key, value in keys.items() if value)


def problems(directory: Path, files: dict[str, str] | None = None) -> list[Problem]:
    """What is wrong with the simple map after this change; a map that compiles has remarks."""
    try:
        return compiled(directory, files).remarks
    except InvalidMapError as error:
        return error.problems


def errors(directory: Path, files: dict[str, str] | None = None) -> list[str]:
    """The errors among them as people read them, without the directory."""
    return [
        str(problem).removeprefix(f"{directory}/")
        for problem in problems(directory, files)
        if problem.severity == "error"
    ]


def told(directory, **changed):
    """What is told of the simple integration with these keys changed, without its place."""
    return [error.split(": ", 1)[1] for error in errors(directory, {"copy.yaml": copy_text(**changed)})]


def told_of_api(directory, api):
    """What is told of a called system with these keys."""
    text = f"system: desk\napi: {{{api}}}\n"
    return [error.split(": ", 1)[1] for error in errors(directory, {"systems/desk.yaml": text})]


def told_of_webhooks(directory, webhooks):
    """What is told of a sending system with these keys."""
    text = f"system: hub\nwebhooks: {{{webhooks}}}\n"
    return [error.split(": ", 1)[1] for error in errors(directory, {"systems/hub.yaml": text})]

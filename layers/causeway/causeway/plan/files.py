"""The files of a map, read: manifests by name, environments, and the functions of its transforms."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.plan.manifest.values import NAME_FORM
from causeway.plan.problems import Place, Problem
from causeway.plan.yaml import Document, UnreadableError, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALWAYS = ("dev", "production", "staging")
"""Environments that are compiled whether or not anything differs in them."""


@dataclass
class MapFiles:
    """What a map's directory holds."""

    systems: dict[str, Document] = field(default_factory=dict)
    integrations: dict[str, Document] = field(default_factory=dict)
    environments: dict[str, Document] = field(default_factory=dict)
    transforms: dict[str, Transform] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)  # names of files that could not be read


@dataclass(frozen=True)
class Transform:
    """A Python module of the map."""

    path: Path
    names: frozenset[str]


def read_map(directory: Path) -> MapFiles:
    """Read all files of a map; what cannot be read is among the problems.

    File names in problems begin with the directory as it was given, so that they can be opened.
    """
    files = MapFiles()
    if not directory.is_dir():
        files.problems.append(Problem(Place(str(directory)), "", "there is no such directory"))
        return files
    _read_manifests(files.systems, directory / "systems", files)
    _read_manifests(files.integrations, directory, files)
    if not (files.systems or files.integrations or files.unreadable):
        nothing_here = "no manifest is here: integrations are *.yaml in it, systems in systems/"
        files.problems.append(Problem(Place(str(directory)), "", nothing_here, "warning"))
    _read_manifests(files.environments, directory / "environments", files, may_be_empty=True)
    _read_transforms(directory / "transforms", files)
    for name, document in files.environments.items():
        if not re.fullmatch(NAME_FORM.pattern, name):
            message = f"the file's name must be {NAME_FORM.what}"
            files.problems.append(Problem(Place(document.file), "", message))
    for name in ALWAYS:
        if name not in files.unreadable:
            nothing = Document(str(directory / "environments" / f"{name}.yaml"), {}, {})
            files.environments.setdefault(name, nothing)
    files.problems += _overlooked(directory)
    return files


def _read_manifests(
    manifests: dict[str, Document], folder: Path, files: MapFiles, *, may_be_empty: bool = False
) -> None:
    for path in sorted(folder.glob("*.yaml")):
        try:
            manifests[path.stem] = read(path, str(path), may_be_empty=may_be_empty)
        except UnreadableError as error:
            files.problems += error.problems
            files.unreadable.add(path.stem)


def _read_transforms(folder: Path, files: MapFiles) -> None:
    for path in sorted(folder.glob("*.py")):
        try:
            files.transforms[path.stem] = Transform(path, _names(path))
        except (SyntaxError, ValueError) as error:  # ValueError: a null byte, before Python 3.12
            place = Place(str(path), getattr(error, "lineno", None) or 1)
            files.problems.append(Problem(place, "", f"not Python: {getattr(error, 'msg', error)}"))
            files.unreadable.add(path.stem)


def _names(path: Path) -> frozenset[str]:
    """The names that a module defines, without running it: the build may lack what it imports."""
    return frozenset(_defined(ast.parse(path.read_bytes(), str(path)).body))


def _defined(nodes: list[ast.stmt]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.FunctionDef():
                yield node.name
            case ast.ImportFrom() | ast.Import():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If() | ast.Try():  # such as an import with something in its stead
                yield from _defined([*node.body, *node.orelse])
                for handler in getattr(node, "handlers", ()):
                    yield from _defined(handler.body)


def _overlooked(directory: Path) -> Iterator[Problem]:
    """Files that look like manifests and would not be read."""
    for path in sorted(directory.rglob("*.[yY]*")):
        if path.suffix != ".yaml" and path.suffix.lower() in (".yaml", ".yml"):
            yield Problem(Place(str(path)), "", "not read: a manifest's name ends in .yaml")
    for path in sorted(directory.rglob("*.yaml")):
        folders = path.relative_to(directory).parts[:-1]
        if folders and (len(folders) > 1 or folders[0] not in ("systems", "environments")):
            yield Problem(
                Place(str(path)),
                "",
                "not read: manifests are in the map's directory, in systems/ or environments/",
            )

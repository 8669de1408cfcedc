"""Environments: partial manifests merged over the map, with the place that each value came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.plan.finding import paths
from causeway.plan.problems import did_you_mean
from causeway.plan.yaml import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.files import MapFiles, Transform
    from causeway.plan.problems import KeyPath, Place, Problem
    from causeway.plan.records import JSON

_KINDS = ("systems", "integrations")


@dataclass
class Merged:
    """The map as one environment has it."""

    systems: dict[str, Document]
    integrations: dict[str, Document]
    transforms: dict[str, Transform] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()  # names of files that are there, and have problems of their own
    problems: list[Problem] = field(default_factory=list)


def merge(files: MapFiles, environment: str) -> Merged:
    """Merge an environment over the map: objects merge, lists and scalars replace, null removes."""
    over = files.environments[environment]
    merged = Merged(
        dict(files.systems), dict(files.integrations), files.transforms, frozenset(files.unreadable)
    )
    for kind in _KINDS:
        documents: dict[str, Document] = getattr(merged, kind)
        for name, partial in _parts(over, kind):
            if name in files.unreadable:
                continue
            if name not in documents:
                message = f"there is no such manifest; {did_you_mean(name, documents)}"
                merged.problems.append(over.problem((kind, name), message))
            elif partial is None:
                del documents[name]
            elif isinstance(partial, dict):
                documents[name] = _Merging(over, (kind, name)).onto(documents[name], merged.problems)
    return merged


def _parts(over: Document, kind: str) -> Iterator[tuple[str, JSON]]:
    parts = over.value.get(kind)
    if isinstance(parts, dict):
        yield from parts.items()


class _Merging:
    """Merges one part of an environment's file onto one manifest."""

    def __init__(self, over: Document, root: KeyPath) -> None:
        self.over = over
        self.root = root

    def onto(self, base: Document, problems: list[Problem]) -> Document:
        places = dict(base.places)
        partial = self.over.value[self.root[0]][self.root[1]]
        value = self._merge(base.value, partial, (), places, problems)
        return Document(base.file, value, places, over=self.root)

    def _merge(
        self, base: JSON, partial: JSON, path: KeyPath, places: dict[KeyPath, Place], problems: list[Problem]
    ) -> JSON:
        if not (isinstance(base, dict) and isinstance(partial, dict)):
            self._replace(path, base, partial, places)
            return partial
        merged = dict(base)
        for key, value in partial.items():
            here = (*path, key)
            if value is not None:
                merged[key] = self._merge(base.get(key), value, here, places, problems)
            elif key in merged:
                self._replace(here, merged.pop(key), None, places)
            else:
                message = "null removes a key, and there is none"
                problems.append(self.over.problem((*self.root, *here), message))
        return merged

    def _replace(self, path: KeyPath, old: JSON, new: JSON, places: dict[KeyPath, Place]) -> None:
        """Take the places at and below a path from the environment's file."""
        for gone in paths(old, path):
            places.pop(gone, None)
        for come in paths(new, path):
            places[come] = self.over.places[*self.root, *come]

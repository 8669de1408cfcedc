"""What manifests name must be there: files as they are called, systems, steps' names, Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.finding import find
from causeway.plan.problems import did_you_mean
from causeway.plan.sources import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.yaml import Document

_USES = (
    ("source.system", "webhooks", "it sends nothing: its manifest has no `webhooks`"),
    ("flow.steps.*.system", "api", "it cannot be called: its manifest has no `api`"),
    ("target.system", "api", "it cannot be called: its manifest has no `api`"),
)


def check_references(merged: Merged) -> Iterator[Problem]:
    """Find names that lead nowhere."""
    for name, document in merged.systems.items():
        yield from _name(document, "system", name)
        yield from _functions(document, merged, "polls.*.parse")
        if name in RESERVED:
            yield document.problem(("system",), f"{name!r} is a reserved name: choose another")
    for name, document in merged.integrations.items():
        yield from _name(document, "integration", name)
        yield from _systems(document, merged)
        yield from _step_names(document)
        yield from _functions(document, merged, "flow.steps.*.run")


def _name(document: Document, key: str, name: str) -> Iterator[Problem]:
    written = document.value.get(key)
    if isinstance(written, str) and written != name:
        yield document.problem((key,), f"the file is called {name}.yaml: file and {key} have one name")


def _systems(document: Document, merged: Merged) -> Iterator[Problem]:
    for pattern, part, problem in _USES:
        for path, name in find(document.value, pattern):
            if not isinstance(name, str) or name in merged.unreadable:
                continue  # told already
            system = merged.systems.get(name)
            if system is None:
                yield document.problem(
                    path, f"there is no system {name!r} in systems/; {did_you_mean(name, merged.systems)}"
                )
            elif path == ("source", "system") and _polled(document):
                yield from _poll(document, system)
            elif system.value.get(part) is None:
                yield document.problem(path, f"{name}: {problem}")


def _polled(document: Document) -> bool:
    return any(True for _ in find(document.value, "source.poll"))


def _poll(document: Document, system: Document) -> Iterator[Problem]:
    """A poll is one that its system has."""
    polls = system.value.get("polls")
    known = polls if isinstance(polls, dict) else {}
    for path, name in find(document.value, "source.poll"):
        if isinstance(name, str) and name not in known:
            of = document.value["source"]["system"]
            yield document.problem(path, f"{of} has no poll {name!r}; {did_you_mean(name, known)}")


def _step_names(document: Document) -> Iterator[Problem]:
    seen = set()
    for path, name in find(document.value, "flow.steps.*.name"):
        if isinstance(name, str):
            if name in seen:
                yield document.problem(path, f"{name!r} is the name of an earlier step: choose another")
            seen.add(name)


def _functions(document: Document, merged: Merged, pattern: str) -> Iterator[Problem]:
    for path, run in find(document.value, pattern):
        package, _, rest = str(run).partition(".")
        module, _, function = rest.partition(":")
        if package != "transforms" or not function or module in merged.unreadable:
            continue  # told already
        if module not in merged.transforms:
            meant = did_you_mean(module, merged.transforms)
            yield document.problem(path, f"there is no transforms/{module}.py; {meant}")
        elif function not in merged.transforms[module].names:
            meant = did_you_mean(function, merged.transforms[module].names)
            yield document.problem(path, f"transforms/{module}.py has no {function}; {meant}")

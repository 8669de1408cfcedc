"""What is wrong with a map: every problem with its place, what is wrong, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KeyPath = tuple[str | int, ...]
"""Where a value is inside a manifest: ``("target", "body", "lines", 0)``."""

Severity = Literal["error", "warning", "note"]
"""An error keeps the map from compiling; a warning is probably a mistake; a note is worth knowing."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file of the map; lines and columns count from 1. 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with the map, or worth knowing about it."""

    place: Place
    key: str  # "target.body.memo"; empty: the file as a whole
    message: str
    severity: Severity = "error"
    environments: tuple[str, ...] = field(default=(), compare=False)  # where it holds; empty: everywhere

    def __str__(self) -> str:
        severity = "" if self.severity == "error" else f"{self.severity}: "
        key = f"{self.key}: " if self.key else ""
        only = f" (in {', '.join(self.environments)})" if self.environments else ""
        return f"{self.place}: {severity}{key}{self.message}{only}"


class InvalidMapError(Exception):
    """The map does not compile; all that is wrong with it at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def key_text(path: KeyPath) -> str:
    """Write a path as people do: ``target.body.lines[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant, or all of them when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 (only when something is wrong)

    known = sorted(set(known))
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def by_environment(found: dict[str, list[Problem]]) -> list[Problem]:
    """Join what was found in each environment: what holds in all is said once and without their names."""
    where: dict[Problem, list[str]] = {}
    for environment, problems in found.items():
        for problem in problems:
            where.setdefault(problem, [])
            if environment not in where[problem]:
                where[problem].append(environment)
    return sorted(
        replace(problem, environments=() if len(names) == len(found) else tuple(names))
        for problem, names in where.items()
    )

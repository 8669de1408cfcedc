"""The locks are complete, exact, hashed, name no registry, and hold what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
LOCKS = ["layer", *(name for name in GROUPS if name != "cli")]


def wanted(group: str) -> Iterator[Requirement]:
    for entry in GROUPS[group]:
        if isinstance(entry, dict):
            yield from wanted(entry["include-group"])
        else:
            yield Requirement(entry)


def asked_of(lock: str) -> list[Requirement]:
    of_project = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    if lock == "layer":
        return of_project
    return [*wanted(lock), *(of_project if lock == "dev" else [])]


def locked(lock: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    pins = [
        re.match(r"([A-Za-z0-9._-]+)(?:\[.*\])?==([^ ;]+)", line)
        for line in lines
        if not line.startswith(" ")
    ]
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_is_asked_for(lock):
    pins = locked(lock)
    for requirement in asked_of(lock):
        version = pins[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_a_hash(lock):
    """An index address, a path or a range would make the installation depend on the machine."""
    pin = r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==[^ ]+( ; [^\\]+)? \\"
    hash_ = r"    --hash=sha256:[0-9a-f]{64}( \\)?"
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines():
        assert re.fullmatch(f"{pin}|{hash_}", line), line

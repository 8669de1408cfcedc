"""Finding values in manifests by where they stand, whatever else may be wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.problems import KeyPath
    from causeway.plan.records import JSON


def find(value: JSON, pattern: str) -> Iterator[tuple[KeyPath, JSON]]:
    """All values at the places that a pattern describes.

    Args:
        value: What to look through: anything, since manifests are looked through before they are right.
        pattern: Keys joined by dots; ``*`` is each element of a list or value of an object, and ``**`` at the
            end each text inside: ``flow.steps.*.body.**``.
    """
    yield from _find(value, pattern.split("."), ())


def paths(value: JSON, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Where all values are that are part of a value: its own path first, and those below it."""
    yield path
    for key, item in _items(value):
        yield from paths(item, (*path, key))


def _find(value: JSON, parts: list[str], path: KeyPath) -> Iterator[tuple[KeyPath, JSON]]:
    if not parts:
        yield path, value
    elif parts[0] == "**":
        yield from _texts(value, path)
    elif parts[0] == "*":
        for key, item in _items(value):
            yield from _find(item, parts[1:], (*path, key))
    elif isinstance(value, dict) and parts[0] in value:
        yield from _find(value[parts[0]], parts[1:], (*path, parts[0]))


def _items(value: JSON) -> Iterator[tuple[str | int, JSON]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _texts(value: JSON, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    for key, item in _items(value):
        yield from _texts(item, (*path, key))

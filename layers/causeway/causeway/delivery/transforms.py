"""Transforms: Python of the map's own, for what expressions should not do (DESIGN 4.2, ``run:``).

The compiled map's folder ``transforms`` is on the path as a package. A transform is a function that gets what
expressions see, as one object, and returns JSON.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.plan.records import JSON

    Transform = Callable[..., JSON]


class TransformFailed(Exception):  # noqa: N818 - an outcome with a name of its own
    """A transform raised, or did not return JSON: the map's fault, and the same again on every attempt."""


class TransformMissing(Exception):  # noqa: N818 - likewise
    """There is no such function, or its module cannot be imported: plan and transforms do not fit."""


def run(name: str, scope: Mapping[str, JSON]) -> JSON:
    """Run a transform on its own copy of what expressions see.

    Args:
        name: Such as ``transforms.orders:to_entry``.
        scope: What expressions see.

    Raises:
        TransformFailed: it raised, or returned what is not JSON.
        TransformMissing: there is none of that name.
    """
    return _returned(name, deepcopy(dict(scope)))


def parse(name: str, body: bytes, headers: Mapping[str, str]) -> JSON:
    """Run a transform that reads an answer which is no JSON: ``(bytes, headers) -> JSON``.

    Args:
        name: Such as ``transforms.shop:read``.
        body: The answer's, unpacked.
        headers: Names in lower case.

    Raises:
        TransformFailed: it raised, or returned what is not JSON.
        TransformMissing: there is none of that name.
    """
    return _returned(name, body, dict(headers))


def _returned(name: str, *arguments: object) -> JSON:
    transform = _find(name)
    try:
        result = transform(*arguments)
    except Exception as error:
        # Its message may quote the event; redaction sees to what the map names.
        raise TransformFailed(f"{name} raised {type(error).__name__}: {error}") from error
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TransformFailed(f"{name} returned what is not JSON: {error}") from error


@lru_cache(maxsize=256)
def _find(name: str) -> Transform:
    module, _, function = name.partition(":")
    try:
        found: Transform = getattr(import_module(module), function)
    except Exception as error:
        raise TransformMissing(f"{name} cannot be used: {type(error).__name__}: {error}") from error
    return found

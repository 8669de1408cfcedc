"""Secrets of code schemes: a text, or a JSON object of several values in one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from causeway.webhooks.special import fields_of
from causeway.webhooks.verdicts import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from causeway.plan.records import JSON

_T = TypeVar("_T")


def readable(read: Callable[[str], _T], secrets: Sequence[str]) -> list[tuple[int, _T]]:
    """What the secrets hold, with their indexes; what cannot be read is left out.

    Raises:
        Rejected: none can be read.
    """
    found = []
    for index, secret in enumerate(secrets):
        try:
            found.append((index, read(secret)))
        except ValueError:
            continue
    if not found:
        raise Rejected("secret")
    return found


def is_readable(read: Callable[[str], object], secret: str) -> bool:
    """Whether a secret is one of the scheme."""
    try:
        read(secret)
    except ValueError:
        return False
    return True


def utf8(secret: str) -> bytes:
    """A secret that is its text. Raises ValueError where it is empty."""
    if not secret.strip():
        raise ValueError("an empty secret")
    return secret.encode("utf-8")


def texts(secret: str, names: Collection[str]) -> dict[str, str]:
    """Values of a secret that is a JSON object. Raises ValueError where one is missing or no text."""
    fields = fields_of(secret)
    return {name: text(fields, name) for name in names}


def text(fields: Mapping[str, JSON], name: str) -> str:
    """One value, which must be a text. Raises ValueError where it is not."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a text")
    return value


def all_texts(fields: Mapping[str, JSON], name: str) -> list[str]:
    """A list of texts, or none where there is no such value. Raises ValueError where it is something else."""
    value = fields.get(name, [])
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) and each for each in values):
        raise ValueError(f"{name} must be a list of texts")
    return [str(each) for each in values]

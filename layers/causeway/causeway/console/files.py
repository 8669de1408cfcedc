"""The page's files, as they are served: each under a version that is made of the content of all."""

from __future__ import annotations

import hashlib
import string
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC = Path(__file__).parent / "static"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Types of what the page loads, by the ending of the file's name."""


@cache
def names() -> tuple[str, ...]:
    """Everything that the page loads."""
    return tuple(sorted(path.name for path in STATIC.iterdir() if path.suffix in TYPES))


@cache
def text(name: str) -> str:
    """A file's text; ``name`` is one of :func:`names`, or the page's own."""
    return (STATIC / name).read_text(encoding="utf-8")


@cache
def version() -> str:
    """Changes with any of the files, so that a browser may keep each for good."""
    digest = hashlib.sha256()
    for name in names():
        digest.update(f"{name}\0{text(name)}\0".encode())
    return digest.hexdigest()[:12]


def page(told: Mapping[str, str]) -> str:
    """The page, which is told this: the values are escaped."""
    scripts = (name for name in names() if name.endswith(".js"))
    preloads = "\n".join(f'<link rel="modulepreload" href="console/{version()}/{name}">' for name in scripts)
    values = {name: escape(value, quote=True) for name, value in told.items()}
    return string.Template(text("page.html")).substitute(values, version=version(), preloads=preloads)

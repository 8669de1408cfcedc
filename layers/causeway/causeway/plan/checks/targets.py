"""Targets that are no call: keys of objects that lead where they are meant to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from causeway.events import texts
from causeway.plan.finding import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.records import JSON


def check_targets(merged: Merged) -> Iterator[Problem]:
    """Find keys of objects that no bucket should have, or that would overwrite each other."""
    for document in merged.integrations.values():
        for path, key in find(document.value, "target.key"):
            content = [value for _, value in find(document.value, "target.content")]
            problem = _key(key, content) if isinstance(key, str) else None
            if problem:
                yield document.problem(path, problem)


def _key(key: str, content: list[JSON]) -> str | None:
    try:
        outside = "/".join(texts.literals(key))
        embedded = texts.check(key)
    except texts.TextError:
        return None  # told with the other texts
    if not key or key.startswith("/"):
        return "the key of an object: it does not begin with /"
    if re.search(r"(^|/)\.\.?(/|$)", outside):
        return "leads elsewhere: a key has no . and no .. between its slashes"
    if any(part.optional for part in embedded):
        return "nothing can be left out of a key: write the expression without its `?`"
    if content == ["ndjson"] and not any(part.expression == "id" for part in embedded):
        return "must hold ${id}, the object's own with `content: ndjson`: objects would overwrite each other"
    return None

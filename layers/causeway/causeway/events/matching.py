"""Which event types an integration takes."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def matches(globs: Sequence[str], event_type: str) -> bool:
    """Whether any of the globs matches the whole type.

    ``*`` stands for any text, also an empty one and one with ``/`` or ``.``; ``?`` for any one character.
    Everything else is itself, ``[`` too, and upper and lower case differ.
    """
    return any(_compiled(glob).match(event_type) for glob in globs)


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    # fnmatch's translation does not backtrack, however many stars there are. Its [sets] are not offered:
    # they would make "a[b]" match "ab", which nobody expects of an event type.
    return re.compile(fnmatch.translate(glob.replace("[", "[[]")))

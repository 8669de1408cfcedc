"""Times and counts as people read them."""

from __future__ import annotations

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def span(seconds: float) -> str:
    """``2 d 3 h``, ``25 min``, ``40 s``: the two largest units, rounded down."""
    left = max(0.0, seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count:.0f} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def count(number: float, noun: str, *, at_least: bool = False) -> str:
    """``1 delivery``, ``at least 12 deliveries``."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{'at least ' if at_least else ''}{number:.0f} {noun}"

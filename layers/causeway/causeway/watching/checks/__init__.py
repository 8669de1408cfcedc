"""The checks: a table. A check is a small pure function over facts; a new one is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.watching.finding import AnyCheck

CHECKS: tuple[AnyCheck, ...] = ()

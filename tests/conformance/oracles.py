"""Who says what a vector is worth: the providers' own libraries and, re-typed, the samples in their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance import (
    kinds_bodies,
    kinds_graph,
    kinds_jwt,
    kinds_keys,
    kinds_timed,
    kinds_tokens,
    kinds_urls,
    libraries,
    libraries_timed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.deliveries import Kind, Vector

FAMILIES = (kinds_bodies, kinds_graph, kinds_jwt, kinds_keys, kinds_timed, kinds_tokens, kinds_urls)

KINDS: list[Kind] = [kind for family in FAMILIES for kind in family.KINDS]
"""Every way in which a provider signs."""

ORACLES: dict[str, Callable[[Vector], str]] = {
    **libraries.LIBRARIES,
    **libraries_timed.LIBRARIES,
    **{name: sample for family in FAMILIES for name, sample in family.SAMPLES.items()},
}
"""By the name that vectors use."""


def verdict(vector: Vector) -> str:
    """What the vector's oracle says: "accepts", "rejects", or "fails" when it raises what it does not document."""
    return ORACLES[vector["oracle"]](vector)

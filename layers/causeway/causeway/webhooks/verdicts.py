"""What comes of verifying a request: a proof, or a rejection with its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Scheme

Rule = Literal["scheme", "secret", "missing", "malformed", "timestamp", "keys", "signature"]

RULES: dict[Rule, str] = {
    # In the order in which they are met: of several schemes' rejections the one that came furthest is told.
    "scheme": "Signatures cannot be verified here.",
    "secret": "Signatures cannot be verified here.",
    "missing": "A header that the signature needs is missing.",
    "malformed": "The signature's headers are not written as they should be.",
    "timestamp": "The signature's timestamp is too far from our clock.",
    "keys": "The provider's keys cannot be had now.",
    "signature": "No signature matches.",
}
"""The rules that a request can break, in the words that an unverified caller is told."""


class Rejected(Exception):  # noqa: N818 # an outcome, not a fault
    """A request is not proven to come from its provider.

    Attributes:
        rule: the rule that it broke. ``scheme`` and ``secret`` are the operator's to mend; the cause of the
            former says how.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__(RULES[rule])
        self.rule = rule


class Verified(NamedTuple):
    """A proof: which scheme and which secret matched, and when it was signed (epoch seconds), if it says.

    ``claims`` is what the proof itself says and the body does not: a token's claims, the kind of a
    notification inside a signed payload. The scheme's expressions see it.
    """

    scheme: Scheme
    secret_index: int
    timestamp: float | None
    claims: JSON = None

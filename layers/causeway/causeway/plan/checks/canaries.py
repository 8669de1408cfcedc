"""Canaries: the watchdog must be able to sign with what verifies, and do so only where the stack lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.plan.finding import find
from causeway.webhooks.canaries import SYMMETRIC
from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.environments import Merged
    from causeway.plan.problems import Problem
    from causeway.plan.records import JSON

_NEEDS_SECRETS = (
    "needs the stack's CanarySecrets to name this system's verifying secrets, or no canary is sent"
)


def check_canaries(merged: Merged) -> Iterator[Problem]:
    """Find canaries that nobody could sign; of the others, say what they need."""
    for document in merged.systems.values():
        for path, wanted in find(document.value, "webhooks.canary"):
            if wanted is not True:
                continue
            schemes = [value for _, value in find(document.value, "webhooks.scheme")]
            if any(_can_be_signed(value) for value in schemes):
                yield document.problem(path, _NEEDS_SECRETS, "note")
            else:
                yield document.problem(
                    path,
                    "needs a scheme whose secret also signs (hmac, sha256, token, basic): "
                    "with a public key a request can only be verified",
                )


def _can_be_signed(scheme: JSON) -> bool:
    """Whether one of a system's schemes is symmetric; of what is no scheme, others tell."""
    parts = scheme if isinstance(scheme, list) else [scheme]
    records = [
        record for part in parts for record in (SCHEMES.get(part, [{}]) if isinstance(part, str) else [part])
    ]
    return any(
        not isinstance(record, dict)
        or record.get("algorithm", "" if "code" in record else "sha256") in SYMMETRIC
        for record in records
    )

"""Vectors put to the engine, offline: the clock at the vector's time, keys from its own secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from causeway.events.envelope import MalformedBody, read_body
from causeway.webhooks.identity import read_events
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import Rejected, SignedRequest, Verified, verify
from tests.conformance.deliveries import body_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import Scheme
    from causeway.webhooks.identity import Told
    from tests.conformance.deliveries import Vector


def secret_of(vector: Vector) -> str:
    """A secret's text; of several values it is a JSON object."""
    secret = vector["secret"]
    if isinstance(secret, dict) and set(secret) == {"username", "password"}:
        return f"{secret['username']}:{secret['password']}"
    return secret if isinstance(secret, str) else json.dumps(secret)


def request_of(vector: Vector) -> SignedRequest:
    """What came."""
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    return SignedRequest(vector.get("method", "POST"), vector.get("url", ""), headers, body_of(vector))


def verified(vector: Vector, schemes: Sequence[Scheme] | None = None) -> Verified:
    """The proof, or Rejected."""
    records = SCHEMES[vector["provider"]] if schemes is None else schemes
    return verify(records, request_of(vector), [secret_of(vector)], tolerance=None, now=vector["now"])


def accepts(vector: Vector, schemes: Sequence[Scheme] | None = None) -> bool:
    """Whether it is proven."""
    try:
        verified(vector, schemes)
    except Rejected:
        return False
    return True


def events_of(vector: Vector, schemes: Sequence[Scheme] | None = None) -> list[Told]:
    """What a proven vector brings, with the provider's words alone: nothing from a manifest."""
    proof, request = verified(vector, schemes), request_of(vector)
    try:
        body = read_body(
            request.body, proof.scheme.get("content_type") or request.headers.get("content-type")
        )
    except MalformedBody:
        return []
    manifest: Any = {}
    return read_events(manifest, proof.scheme, request, body, proof.timestamp, claims=proof.claims).events

"""Who is who: the identity of a delivery follows from its event and its integration."""

from __future__ import annotations

import hashlib


def delivery_id(system: str, event_id: str, integration: str) -> str:
    r"""The id of the delivery of one event to one integration: 32 hex digits.

    It is the beginning of SHA-256 over the three, joined by "\n", so "what happened to event X" is a look-up
    and not a search, and a repeat of the event is the same delivery.
    """
    # A provider may send half a surrogate pair in JSON ("\ud83d"): it is hashed as it came, not refused.
    identity = f"{system}\n{event_id}\n{integration}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identity).hexdigest()[:32]

"""Bodies that are read before they are verified, because what is signed is inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.events.envelope import MalformedBody, read_body
from causeway.webhooks.patterns import Malformed

if TYPE_CHECKING:
    from causeway.plan.records import JSON


def json_of(body: bytes) -> JSON:
    """A body that is JSON, whatever its content type says; it is read as what is delivered is.

    Raises:
        Malformed: it is none.
    """
    try:
        return read_body(body, "application/json").data
    except MalformedBody as error:
        raise Malformed("body") from error

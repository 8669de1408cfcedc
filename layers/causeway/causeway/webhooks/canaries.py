"""Canaries: requests that the watchdog signs and sends through the public URL, to see whether they arrive.

A canary is a body like any other, with a number at a place of its own. Before it is sent, the watchdog writes
that number into the state, and what arrives is a canary only if its signature is right and its number stands
there. So nobody can make an event vanish by making it look like one: not a stranger, who cannot sign; nor
somebody whose words a provider sends on, who cannot guess.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.aws.table import Table
    from causeway.events.envelope import Body
    from causeway.plan.records import Scheme
    from causeway.settings.clock import Clock

PLACE = "causeway_canary"
"""The member of the body that holds the number."""

KEPT_FOR = 86_400.0
"""Seconds for which one that arrives is known as a canary."""

SYMMETRIC = frozenset({"hmac-sha1", "hmac-sha256", "hmac-sha512", "sha256", "token", "basic"})
"""Algorithms whose secret verifies and signs."""


def symmetric(schemes: list[Scheme]) -> list[Scheme]:
    """Those of a system's schemes by which the watchdog can sign with what verifies."""
    return [scheme for scheme in schemes if scheme.get("algorithm") in SYMMETRIC]


def id_of(system: str) -> str:
    """The hash key of a system's canaries; the range key is the number."""
    return f"canary#{system}"


def body_with(number: str, *, form: bool = False) -> tuple[bytes, str]:
    """A canary's body and its content type."""
    if form:
        return f"{PLACE}={number}".encode(), "application/x-www-form-urlencoded"
    return json.dumps({PLACE: number}).encode(), "application/json"


class Canaries:
    """Those that are under way.

    Args:
        state: Opens the state's table: of those who receive, few ever need it.
        clock: The time.
    """

    def __init__(self, state: Callable[[], Table], clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def sent(self, system: str, number: str, now: float) -> None:
        """Write down one that is about to be sent. Raises ``AwsError`` as AWS does."""
        self._state().put(
            {"id": id_of(system), "part": number, "sent_at": now, "expires_at": int(now + KEPT_FOR)}
        )

    def met(self, system: str, body: Body) -> str | None:
        """Whether a proven request is a canary: its number, and it is written down that it arrived.

        Raises:
            AwsError: the state does not answer.
        """
        number = _number(body.data)
        if number is None:
            return None
        from causeway.aws.table import ConditionFailed  # noqa: PLC0415 - as above

        try:
            self._state().update(
                id_of(system),
                number,
                values={"arrived_at": self._clock.now()},
                condition="attribute_exists(#sent_at)",
            )
        except ConditionFailed:
            return None
        return number

    def arrived(self, system: str, number: str) -> bool:
        """Whether it was met. Raises ``AwsError`` as AWS does."""
        return "arrived_at" in (self._state().get(id_of(system), number) or {})


def _number(data: Any) -> str | None:
    number = data.get(PLACE) if isinstance(data, dict) else None
    return number if isinstance(number, str) and 0 < len(number) <= 64 else None  # noqa: PLR2004 - it is a key

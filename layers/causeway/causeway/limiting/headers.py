"""What an answer's headers say of limits: for how long the system is not to be asked.

Sources: RFC 9110 10.2.3 (``Retry-After``); draft-ietf-httpapi-ratelimit-headers, revision 10 (``RateLimit:
"name";r=0;t=30``) and revision 3 (``RateLimit-Remaining`` and ``RateLimit-Reset``, in seconds); and the
common ``X-RateLimit-Remaining`` and ``X-RateLimit-Reset``, which is in seconds from now, or the epoch's
seconds (GitHub) or milliseconds.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.calls.outcome import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.calls.outcome import Answer

_LONGEST = 7 * 86400.0
_SINCE_2001 = 1_000_000_000.0  # a reset above is a time, not a wait
_NUMBER = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*(?:[;,].*)?", re.ASCII)
_LEFT = re.compile(r";\s*r=(\d{1,15})", re.ASCII)
_UNTIL = re.compile(r";\s*t=(\d{1,15})", re.ASCII)


def hold(answer: Answer, *, now: float) -> float | None:
    """Seconds for which the system wants no call at all, or None.

    ``Retry-After`` speaks of the system with 429 and 5xx; with anything else it speaks of what was asked for.
    """
    waits = [used_up(answer.headers, now=now)]
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        waits.append(retry_after(answer.headers, now=now))
    told = [wait for wait in waits if wait]
    return min(max(told), _LONGEST) if told else None


def used_up(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds until there is quota again, when an answer says that none is left."""
    waits = []
    for policy in headers.get("ratelimit", "").split(","):
        left, until = _LEFT.search(policy), _UNTIL.search(policy)
        if left and until and int(left[1]) == 0:
            waits.append(float(until[1]))
    for prefix in ("ratelimit", "x-ratelimit"):
        remaining = _number(headers.get(f"{prefix}-remaining", ""))
        reset = _number(headers.get(f"{prefix}-reset", ""))
        if remaining == 0 and reset is not None:
            waits.append(_from_now(reset, now))
    return max(waits, default=None)


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    return float(found[1]) if found else None


def _from_now(reset: float, now: float) -> float:
    if reset < _SINCE_2001:
        return reset
    moment = reset / 1000 if reset > _SINCE_2001 * 100 else reset
    return max(moment - now, 0.0)

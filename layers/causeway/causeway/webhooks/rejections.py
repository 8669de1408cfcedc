"""Refused requests, kept for a while where a system's ``keep_rejected`` says so, for ``causeway verify``.

Whole, since a diagnosis needs every byte, so they lie where events lie: in the payloads bucket,
encrypted, under a prefix that only operators read and that its lifecycle empties. Strangers cause them,
so few are kept: so many per minute and instance, and none that is large.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from causeway.webhooks.patterns import SignedRequest

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.plan.records import JSON
    from causeway.settings.clock import Clock

PREFIX = "rejected"
PER_MINUTE = 10
MAX_BODY = 1024 * 1024
LONGEST = 7 * 86_400
"""Seconds for which one can be kept: the bucket's lifecycle deletes them soon after."""


class Rejection(NamedTuple):
    """A refused request, and when and by which rule it was refused."""

    request: SignedRequest
    query: str
    rule: str
    at: float
    expires_at: float


class Rejections:
    """The bucket's refused requests, as the receiving function writes them.

    Args:
        aws: whose calls.
        bucket: of payloads.
        clock: the time.
    """

    def __init__(self, aws: Aws, *, bucket: str, clock: Clock) -> None:
        self._aws = aws
        self._bucket = bucket
        self._clock = clock
        self._minute = 0
        self._kept = 0

    def keep(self, system: str, request: SignedRequest, query: str, *, rule: str, seconds: float) -> bool:
        """Keep a request, unless there were too many of late or it is too large.

        Raises:
            AwsError: it could not be stored.
        """
        now = self._clock.now()
        if int(now // 60) != self._minute:
            self._minute, self._kept = int(now // 60), 0
        if self._kept >= PER_MINUTE or len(request.body) > MAX_BODY:
            return False
        self._kept += 1
        content = json.dumps(written(Rejection(request, query, rule, now, now + min(seconds, LONGEST))))
        self._aws.put_object(
            self._bucket, key_of(system, now), content.encode(), content_type="application/json"
        )
        return True


def prefix_of(system: str) -> str:
    """What the keys of a system's refused requests begin with."""
    return f"{PREFIX}/{system}/"


def key_of(system: str, at: float) -> str:
    """A key for a request; their order is that of time."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f"{prefix_of(system)}{moment}-{secrets.token_hex(4)}.json"


def written(rejection: Rejection) -> dict[str, JSON]:
    """A refused request as a JSON object: also the form of a request file for ``causeway verify``."""
    request = rejection.request
    return {
        "method": request.method,
        "url": request.url,
        "query": rejection.query,
        "headers": dict(request.headers),
        "body_base64": base64.b64encode(request.body).decode(),
        "rule": rejection.rule,
        "at": rejection.at,
        "expires_at": rejection.expires_at,
    }


def read(content: JSON) -> Rejection:
    """The mirror of :func:`written`; ``body`` may be a text in place of ``body_base64``.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(content, dict) or not isinstance(content.get("headers"), dict):
        raise ValueError(  # noqa: TRY004 # of a file's content, not of a type in code
            "a request is an object with method, url, headers, and body or body_base64"
        )
    try:
        body = (
            base64.b64decode(content["body_base64"], validate=True)
            if "body_base64" in content
            else str(content.get("body", "")).encode()
        )
        return Rejection(
            SignedRequest(
                method=str(content.get("method", "POST")).upper(),
                url=str(content.get("url", "")),
                headers={str(name).lower(): str(value) for name, value in content["headers"].items()},
                body=body,
            ),
            str(content.get("query", "")),
            str(content.get("rule", "")),
            float(content.get("at") or 0),
            float(content.get("expires_at") or 0),
        )
    except TypeError as error:
        raise ValueError(str(error)) from error

"""An authorization server on loopback that is as bad as real ones are.

It grants tokens, rotates refresh tokens and revokes the whole family when one is used twice (RFC 9700, 4.14), is slow,
fails, and writes its answers as oddly as it is told. It knows which access tokens are good, so that a target can ask.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

from tests.support.target import Reply, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.support.target import Received


@dataclass
class Answers:
    """How a token is told; the odd ones are fields of tests."""

    lasts: Any = 3600
    make: Callable[[dict[str, Any]], Any] = lambda fields: fields
    content_type: str = "application/json"


@dataclass
class TokenServer:
    """A context manager.

    ``rotates``: each refresh token is good once. ``grace``: the one before is still taken, and gets its successor again.
    ``now``: its clock.
    """

    now: Callable[[], float]
    rotates: bool = False
    grace: bool = False
    lasts: float = 3600
    answers: Answers = field(default_factory=Answers)
    before: Callable[[int], Reply | None] = lambda number: None  # noqa: ARG005 # instead of a grant
    lose: Callable[[int], bool] = lambda number: False  # noqa: ARG005 # the answer is lost after the grant

    def __post_init__(self) -> None:
        self.target = Target()
        self.target.on("/token", self._token)
        self.target.on("/api", self._api)
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.good: dict[str, float] = {}
        self.current: set[str] = {"refresh-0"}
        self.used: dict[str, str] = {}  # refresh token -> its successor
        self.revoked = False
        self.called: Counter[str] = Counter()
        self.delay = 0.0
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.target.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.target.stop()

    @property
    def url(self) -> str:
        return f"{self.target.url}/token"

    def revoke_access(self) -> None:
        """No access token that was granted so far is good."""
        self.good.clear()

    def _token(self, request: Received) -> Reply:
        with self._lock:
            fields = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            self.requests.append(fields)
            self.headers.append(request.headers)
            number = len(self.requests)
            instead = self.before(number)
            if instead is not None:
                return instead
            granted = self._grant(fields)
            if granted is None:
                return Reply(400, {"error": "invalid_grant", "error_description": str(fields)})
            self.good[granted["access_token"]] = self.now() + self.lasts
            if self.lose(number):
                return Reply(drop="unanswered")
            headers = {"Content-Type": self.answers.content_type}
            return Reply(200, self.answers.make(granted), headers, delay=self.delay)

    def _grant(self, fields: dict[str, str]) -> dict[str, Any] | None:
        number = next(self._numbers)
        answer: dict[str, Any] = {"access_token": f"access-{number}", "token_type": "Bearer"}
        if self.answers.lasts is not None:
            answer["expires_in"] = self.answers.lasts
        if fields.get("grant_type") != "refresh_token":
            return answer
        given = fields["refresh_token"]
        if self.revoked:
            return None
        if given in self.used and self.grace and self.used[given] in self.current:
            return answer | {"refresh_token": self.used[given]}
        if given not in self.current:
            self.revoked |= given in self.used  # reuse: the family is revoked
            return None
        if self.rotates:
            self.current.discard(given)
            self.used[given] = f"refresh-{number}"
            self.current.add(self.used[given])
            answer["refresh_token"] = self.used[given]
        return answer

    def _api(self, request: Received) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.called[token] += 1
        return Reply(200 if self.good.get(token, 0) > self.now() else 401)

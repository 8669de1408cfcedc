"""Asking authorization servers for tokens: with what, and what their answers come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.calls.connection import NoAnswerError
from causeway.calls.grants import GrantKey, fingerprint
from causeway.calls.oauth import TokenRefused, read_token, token_request
from causeway.calls.outcome import Refused, retry_after
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from causeway.calls.connection import Identity
    from causeway.calls.grants import Grant
    from causeway.calls.oauth import Token
    from causeway.calls.transport import Transport
    from causeway.plan.records import Auth
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets

ASK_WITHIN = 15.0
"""Seconds for a server's answer, which may hold a token that comes once: longer than for any other."""

_LEAST = 1.0  # seconds, without which a server is not asked at all


class NotAuthorized(SecretMissing):
    """The server gives no token for the secrets that are there: an operator must put others."""


class Wanted(NamedTuple):
    """Which token of which system, and how its server is reached."""

    system: str
    auth: Auth
    allow_private: tuple[str, ...]
    identity: Identity | None = None

    @property
    def key(self) -> GrantKey:
        """Its grant."""
        return GrantKey.of(self.system, self.auth)

    @property
    def rotates(self) -> bool:
        """Whether it is had for a refresh token, which the server may replace."""
        return self.auth.get("grant") == "refresh_token"

    def refused(self, refusal: TokenRefused) -> NotAuthorized:
        """What its server's refusal means for whoever wants it: what to do."""
        host = self.auth["token_url"].split("/")[2]
        remedy = "put another secret"
        if self.rotates and refusal.lost:
            remedy = f"authorize it again: causeway authorize {self.system}"
        return NotAuthorized(f"no token for {self.system} from {host}: {refusal}; {remedy}")


class Candidate(NamedTuple):
    """A refresh token to try (None: the grant needs none), and what it descends from."""

    refresh: str | None
    began_with: str = ""
    began_at: float = 0.0


class Servers:
    """Authorization servers; one object serves all threads of a function.

    Args:
        secrets: those of direction ``out``.
        clock: for ends.
        transport: reaches them.
    """

    def __init__(self, secrets: Secrets, clock: Clock, transport: Transport) -> None:
        self._secrets = secrets
        self._clock = clock
        self._transport = transport

    def candidates(self, wanted: Wanted, grant: Grant | None) -> list[Candidate]:
        """What to ask with: of a stored refresh token and an operator's the newer first.

        Args:
            wanted: what is asked for.
            grant: what is stored.

        Raises:
            SecretMissing: a secret is not there.
            SecretsUnavailable: a secret could not be read.
        """
        if not wanted.rotates:
            return [Candidate(None)]
        name = wanted.auth["refresh_token"]
        self._secrets.reread([name])
        (value,), since = self._secrets.current([name]), self._secrets.since(name)
        operators = Candidate(value, fingerprint(value), since)
        if grant is None or grant.refresh is None:
            return [operators]
        ours = Candidate(grant.refresh, grant.began_with, grant.began_at)
        if since > grant.began_at and operators.began_with != grant.began_with:
            # Where the operator's is refused, it is not tried again.
            return [operators, ours._replace(began_with=operators.began_with, began_at=since)]
        return [ours]

    def ask(self, wanted: Wanted, candidate: Candidate, *, until: float) -> Token:
        """Ask once.

        Args:
            wanted: what is asked for.
            candidate: what it is asked with.
            until: epoch seconds; an answer is there by then, or not at all.

        Raises:
            TokenRefused: the server refuses for good.
            Refused: it is not there, or cannot say now.
            SecretMissing: a secret is not there.
            SecretsUnavailable: a secret could not be read, or there is no time left.
        """
        now = self._clock.now()
        end = min(until, now + ASK_WITHIN)
        if end - now < _LEAST:
            raise SecretsUnavailable("no time is left to ask for a token")
        request = token_request(wanted.auth, self._reveal, now=now, refresh_token=candidate.refresh)
        try:
            answer = self._transport.exchange(
                request,
                allow_private=wanted.allow_private,
                seconds=end - now,
                repeatable=True,  # a lost answer is followed by the same request in any case
                identity=wanted.identity,
            )
        except NoAnswerError as error:
            raise Refused(f"no token for {wanted.system}: {error}", kind=error.kind, retry=True) from error
        now = self._clock.now()
        try:
            return read_token(answer, now=now)
        except TokenRefused as refused:
            if not refused.later:
                raise
            raise Refused(
                f"no token for {wanted.system}: {refused}",
                kind="http",
                retry=True,
                retry_after=retry_after(answer.headers, now=now),
            ) from None

    def _reveal(self, name: str) -> str:
        return self._secrets.current([name])[0]

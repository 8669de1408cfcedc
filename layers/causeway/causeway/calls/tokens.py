"""Tokens from authorization servers: shared by all instances, refreshed by one of them.

::

    held here, and good for a while ────────────────────────────────▶ used
      └─ stored, and good for a while ──────────────────────────────▶ used
           └─ lease ─▶ ask the server ─▶ store ─▶ give back the lease ─▶ used
                └─ held by another: the token is used as long as it is good, else waited for

What was granted is stored before it is used, since a server that rotates refresh tokens no longer takes the
one before. A process that is cut off before it asked costs the lease's time; one that is cut off after it
stored, nothing. Between the server's answer and the store a rotated token is lost with its process; that the
next one asks again within seconds, while servers still take the one before (their grace or reuse interval),
is why the lease is short. A refusal of the refresh token is believed only after the item was read again:
another instance may have been faster.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.calls.asking import Servers
from causeway.calls.failures import REFUSED_FOR, Failures
from causeway.calls.grants import Grant, asked_with, bounded, idle_after, refresh_end
from causeway.calls.oauth import TokenRefused
from causeway.calls.outcome import Refused
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard

    from causeway.calls.asking import Candidate, Wanted
    from causeway.calls.grants import GrantKey, Grants, Stored
    from causeway.calls.oauth import Token
    from causeway.calls.transport import Transport
    from causeway.settings.clock import Clock
    from causeway.settings.secrets import Secrets

LEASE = 20.0
"""Seconds after which another instance takes over from one that was cut off: less than servers' grace."""

AHEAD = 300.0
"""Seconds before its end from which a token is refreshed, or a fifth of its life where that is less."""

IDLE_AFTER = 86_400.0
"""Seconds after which an idle refresh token is used, so that it does not expire; or half of its life."""

_WAIT = 0.2
_READ_AGAIN = (0.0, 0.5, 1.0, 1.5)
_USELESS_FOR = 60.0


class Tokens:
    """Tokens of all systems; one object serves all threads of a function.

    Args:
        grants: what instances share.
        secrets: those of direction ``out``.
        clock: for ends and waits.
        transport: reaches the servers.
    """

    def __init__(self, grants: Grants, secrets: Secrets, clock: Clock, transport: Transport) -> None:
        self._grants = grants
        self._servers = Servers(secrets, clock, transport)
        self._failures = Failures(clock)
        self._clock = clock
        self._held: dict[GrantKey, Grant] = {}
        self._unsaved: dict[GrantKey, tuple[Stored, Grant]] = {}
        self._useless: dict[str, float] = {}
        self._locks: defaultdict[GrantKey, threading.Lock] = defaultdict(threading.Lock)

    def token(self, wanted: Wanted, *, until: float, refused: str | None = None) -> str:
        """A token that is good.

        Args:
            wanted: which one.
            until: epoch seconds; it is there by then, or not at all.
            refused: one that the system has just refused: another is had.

        Raises:
            Refused: the server is not there, or cannot say; later it may.
            NotAuthorized: the server refuses for good what it was asked with.
            SecretMissing: a secret is not there.
            SecretsUnavailable: a secret could not be read, or there is no time left.
            AwsError: the state could not be read or written.
        """
        held = self._held.get(wanted.key)
        if self._is_fresh(held, wanted, refused):
            return held.access
        usable = self._usable(held, wanted, refused)
        with self._alone(wanted, until, needed=usable is None) as alone:
            if not alone:
                assert usable is not None
                return usable
            held = self._held.get(wanted.key)
            if not self._is_fresh(held, wanted, refused):
                held = self._current(wanted, until, refused)
            return held.access

    def keep_alive(self, wanted: Wanted, *, until: float) -> float:
        """Use a refresh token that was idle for a day.

        Returns:
            When to look again (epoch seconds).

        Raises:
            Exception: what :meth:`token` raises.
        """
        with self._alone(wanted, until, needed=True):
            stored = self._grants.read(wanted.key)
            granted_at = stored.grant.granted_at if stored.grant else 0.0
            idle = idle_after(stored.grant, IDLE_AFTER)
            if self._clock.now() - granted_at >= idle and self._lease(wanted, stored):
                refreshed = self._refresh(wanted, stored, until)
                granted_at = refreshed.granted_at if refreshed else self._clock.now()
                idle = idle_after(refreshed, IDLE_AFTER)
            return granted_at + idle

    def may_renew(self, system: str) -> bool:
        """Whether a new token may help where one was refused: not where a new one was refused just now."""
        return self._clock.now() >= self._useless.get(system, 0.0)

    def note(self, system: str, *, renewed: bool, refused: bool) -> None:
        """Learn from what a call came to."""
        if not refused:
            self._useless.pop(system, None)
        elif renewed:
            self._useless[system] = self._clock.now() + _USELESS_FOR

    def _current(self, wanted: Wanted, until: float, refused: str | None) -> Grant:
        """The grant as it is stored, refreshed where it has to be."""
        while True:
            self._save_what_is_unsaved(wanted.key)
            stored = self._grants.read(wanted.key)
            if self._is_fresh(stored.grant, wanted, refused):
                return self._hold(wanted, stored.grant)
            usable = stored.grant if self._usable(stored.grant, wanted, refused) else None
            failure = self._failure(wanted, stored)
            if failure:
                if usable is None:
                    raise failure
                return usable
            if self._lease(wanted, stored):
                try:
                    granted = self._refresh(wanted, stored, until)
                except (Refused, SecretMissing, SecretsUnavailable):
                    if usable is None:
                        raise
                    granted = usable
                if granted:
                    return granted
            elif usable:
                return self._hold(wanted, usable)
            else:
                self._wait(wanted, until)

    def _refresh(self, wanted: Wanted, stored: Stored, until: float) -> Grant | None:
        """Ask the server, store what it grants. None: somebody else has done so meanwhile."""
        try:
            return self._ask(wanted, stored, until)
        except AwsError:
            raise  # the state is not there to give anything back
        except TokenRefused as refusal:
            failure = wanted.refused(refusal)
            self._give_up(wanted, stored, failure, lost=refusal.lost)
            raise failure from None
        except Exception as error:
            self._give_up(wanted, stored, error)
            raise

    def _ask(self, wanted: Wanted, stored: Stored, until: float) -> Grant | None:
        refusal: TokenRefused | None = None
        for candidate in self._servers.candidates(wanted, stored.grant):
            try:
                token = self._servers.ask(wanted, candidate, until=until)
            except TokenRefused as error:
                if not (error.lost and wanted.rotates):
                    raise
                if self._moved_on(wanted.key, stored):
                    return None
                refusal = error
            else:
                return self._keep(wanted, stored, candidate, token)
        assert refusal, "there is always something to ask with"
        raise refusal

    def _keep(self, wanted: Wanted, stored: Stored, candidate: Candidate, token: Token) -> Grant | None:
        now = self._clock.now()
        ends, lasts = refresh_end(stored.grant, used=candidate.refresh, token=token, now=now)
        grant = Grant(
            access=token.access,
            good_until=bounded(token.good_until, now),
            asked=asked_with(wanted.auth),
            granted_at=now,
            refresh=token.refresh or candidate.refresh if wanted.rotates else None,
            began_with=candidate.began_with,
            began_at=candidate.began_at,
            refresh_until=ends,
            refresh_lasts=lasts,
        )
        try:
            latest = self._grants.store(wanted.key, stored, grant)
        except (AwsError, SecretsUnavailable):
            if wanted.rotates:
                self._unsaved[wanted.key] = (stored, grant)
                raise
            latest = True
        return self._hold(wanted, grant) if latest else None

    def _save_what_is_unsaved(self, key: GrantKey) -> None:
        """A refresh token that could not be stored is kept here until it can."""
        if key in self._unsaved:
            self._grants.store(key, *self._unsaved[key])
            del self._unsaved[key]

    def _moved_on(self, key: GrantKey, seen: Stored) -> bool:
        """Whether somebody else has stored a grant; it may be about to."""
        for seconds in _READ_AGAIN:
            self._clock.sleep(seconds)
            if self._grants.read(key).version != seen.version:
                return True
        return False

    def _lease(self, wanted: Wanted, stored: Stored) -> bool:
        return self._grants.lease(wanted.key, stored, seconds=LEASE)

    def _wait(self, wanted: Wanted, until: float) -> None:
        if self._clock.now() + _WAIT > until:
            raise Refused(
                f"no token for {wanted.system}: another instance asks for it, and got none in time",
                kind="timeout",
                retry=True,
            )
        self._clock.sleep(_WAIT)

    def _give_up(self, wanted: Wanted, stored: Stored, error: Exception, *, lost: bool = False) -> None:
        """Let the next one try, and do not ask the same at once again."""
        self._failures.note(wanted.key, error)
        self._grants.give_up(wanted.key, stored, refused=lost)

    def _failure(self, wanted: Wanted, stored: Stored) -> Exception | None:
        """Why asking failed just now, here, or anywhere for good."""
        if self._clock.now() < stored.refused_at + REFUSED_FOR:
            refusal = TokenRefused("it refused the refresh token", code="", lost=True, later=False)
            return wanted.refused(refusal)
        return self._failures.of(wanted.key)

    def _hold(self, wanted: Wanted, grant: Grant) -> Grant:
        self._held[wanted.key] = grant
        self._failures.forget(wanted.key)
        return grant

    def _is_fresh(self, grant: Grant | None, wanted: Wanted, refused: str | None) -> TypeGuard[Grant]:
        """Good, and for so long that nobody needs to look for another yet."""
        if grant is None or not self._usable(grant, wanted, refused):
            return False
        ahead = min(AHEAD, 0.2 * (grant.good_until - grant.granted_at))
        return self._clock.now() < grant.good_until - ahead

    def _usable(self, grant: Grant | None, wanted: Wanted, refused: str | None) -> str | None:
        """The token, while it is good."""
        if grant is None or grant.asked != asked_with(wanted.auth) or grant.access == refused:
            return None
        return grant.access if self._clock.now() < grant.good_until else None

    @contextmanager
    def _alone(self, wanted: Wanted, until: float, *, needed: bool) -> Iterator[bool]:
        """One thread of an instance refreshes; the others wait for it, or go on with what they have."""
        lock = self._locks[wanted.key]
        alone = (
            lock.acquire(timeout=max(until - self._clock.now(), 0.0))
            if needed
            else lock.acquire(blocking=False)
        )
        if needed and not alone:
            raise Refused(f"no token for {wanted.system} in time", kind="timeout", retry=True)
        try:
            yield alone
        finally:
            if alone:
                lock.release()

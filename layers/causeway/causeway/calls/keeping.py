"""Refresh tokens that nobody uses are used once a day, since servers let idle ones expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.calls.asking import ASK_WITHIN, Wanted
from causeway.calls.auth import each_auth
from causeway.calls.connection import BadIdentityError
from causeway.calls.grants import GrantKey
from causeway.calls.outcome import Refused
from causeway.calls.proof import Proof
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

    from causeway.calls.proof import Means
    from causeway.plan.plan import Plan
    from causeway.plan.records import Auth

_AGAIN = 600.0
"""Seconds after which what failed is tried again; a day's delay is far within what servers allow."""


class Keeper:
    """Looks after the refresh tokens of a plan; an instance remembers when to look at each again."""

    def __init__(self, plan: Plan, means: Means, logger: Logger) -> None:
        self._plan = plan
        self._means = means
        self._logger = logger
        self._look_at: dict[GrantKey, float] = {}

    def run(self, *, until: float) -> int:
        """Use what was idle, as far as there is time.

        Returns:
            How many failed. Each is told in the log, with what to do.
        """
        wanted = [
            (name, auth)
            for name, system in self._plan.systems.items()
            if "api" in system
            for auth in each_auth(system["api"])
            if auth.get("grant") == "refresh_token"
        ]
        return sum(not self._look(name, auth, until) for name, auth in wanted)

    def _look(self, system: str, auth: Auth, until: float) -> bool:
        now = self._means.clock.now()
        key = GrantKey.of(system, auth)
        if now < self._look_at.get(key, 0.0) or until - now < ASK_WITHIN:
            return True
        assert self._means.tokens
        api = self._plan.systems[system]["api"]
        try:
            identity = Proof(self._means, system, api, until=until).identity()
            wanted = Wanted(system, auth, tuple(api["allow_private"]), identity)
            self._look_at[key] = self._means.tokens.keep_alive(wanted, until=until)
        except (AwsError, Refused, SecretMissing, SecretsUnavailable, BadIdentityError) as error:
            self._look_at[key] = now + _AGAIN
            reason = str(error)  # whose traceback tells nothing more
            self._logger.error("refresh token not kept alive", system=system, reason=reason)  # noqa: TRY400
            return False
        return True

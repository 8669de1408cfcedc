"""What one call proves itself with; it remembers what, so that a 401 can be met with something newer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from causeway.aws.roles import Roles
from causeway.aws.table import Table
from causeway.calls.asking import Wanted
from causeway.calls.auth import FETCHED
from causeway.calls.connection import Identity
from causeway.calls.grants import GrantKey, Grants
from causeway.calls.jwts import own_token
from causeway.calls.tokens import Tokens
from causeway.settings.sealing import Sealer

if TYPE_CHECKING:
    from causeway.aws.client import Aws
    from causeway.calls.transport import Transport
    from causeway.plan.records import Api, Auth, SecretName
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings
    from causeway.settings.secrets import Secrets


class Means(NamedTuple):
    """Where proofs come from."""

    secrets: Secrets
    clock: Clock
    tokens: Tokens | None = None
    roles: Roles | None = None


def make_means(aws: Aws, settings: Settings, secrets: Secrets, clock: Clock, transport: Transport) -> Means:
    """All of them, made of a function's settings.

    Args:
        aws: whose calls.
        settings: name the state's table and the key that seals.
        secrets: those of direction ``out``.
        clock: for ends of tokens.
        transport: reaches authorization servers.
    """
    grants = Grants(Table(aws, settings.state_table), Sealer(aws, settings.sealing_key), clock)
    return Means(secrets, clock, Tokens(grants, secrets, clock, transport), Roles(aws, clock))


class Proof:
    """The proofs of one call, and of its second try.

    Args:
        means: where they come from.
        system: which is called.
        api: how it is called.
        until: epoch seconds, by which a token must be there.
    """

    def __init__(self, means: Means, system: str, api: Api, *, until: float) -> None:
        self._means = means
        self._system = system
        self._api = api
        self._until = until
        self._secrets: dict[SecretName, str] = {}
        self._tokens: dict[GrantKey, str] = {}
        self._refused: dict[GrantKey, str] = {}

    def reveal(self, name: SecretName) -> str:
        """A secret."""
        self._secrets[name] = self._means.secrets.current([name])[0]
        return self._secrets[name]

    @property
    def revealed(self) -> list[str]:
        """The secrets so far."""
        return list(self._secrets.values())

    def token(self, auth: Auth) -> str:
        """A token, made or fetched; after a 401 another."""
        if auth["type"] not in FETCHED:
            return own_token(auth, self.reveal, now=self._means.clock.now())
        assert self._means.tokens, "tokens are fetched by functions that share them"
        wanted = Wanted(self._system, auth, tuple(self._api["allow_private"]), self.identity())
        key = wanted.key
        self._tokens[key] = self._means.tokens.token(
            wanted, until=self._until, refused=self._refused.get(key)
        )
        return self._tokens[key]

    def identity(self) -> Identity | None:
        """The certificate to show."""
        mtls = self._api.get("mtls")
        return Identity(self.reveal(mtls["certificate"]), self.reveal(mtls["key"])) if mtls else None

    def may_be_renewed(self) -> bool:
        """Whether, after a 401, there is a chance to do better: a token to replace, or a replaced secret.

        Secrets are kept for minutes. Without this, one that was rotated would cost the deliveries of those
        minutes; with it, one more try.
        """
        tokens = self._means.tokens
        if self._tokens and tokens and tokens.may_renew(self._system):
            self._refused = dict(self._tokens)
            return True
        return self._secrets_were_replaced()

    def note(self, *, refused: bool) -> None:
        """Learn from what the call came to in the end."""
        if self._tokens and self._means.tokens:
            self._means.tokens.note(self._system, renewed=bool(self._refused), refused=refused)

    def _secrets_were_replaced(self) -> bool:
        names = sorted(self._secrets)
        if not names:
            return False
        self._means.secrets.reread(names)
        return self._means.secrets.current(names) != [self._secrets[name] for name in names]

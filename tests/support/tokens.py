"""Instances that share tokens: each has its own memory, all one state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.aws.roles import Roles
from causeway.aws.table import Table
from causeway.calls.asking import Wanted
from causeway.calls.caller import Caller
from causeway.calls.grants import Grants
from causeway.calls.proof import Means
from causeway.calls.tokens import Tokens
from causeway.calls.transport import Transport
from causeway.settings.sealing import Sealer
from tests.support.calls import LOOPBACK, make_api, make_call, make_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.settings.clock import Clock


class DatedSecrets:
    """Secrets that know when they were put, and are kept until they are read anew."""

    def __init__(self, clock: Clock, **values: str) -> None:
        self._clock = clock
        self._stored = {name: (value, clock.now()) for name, value in values.items()}
        self._kept = dict(self._stored)

    def put(self, name: str, value: str) -> None:
        self._stored[name] = (value, self._clock.now())

    def current(self, names: Sequence[str]) -> list[str]:
        return [self._kept[name][0] for name in names]

    def reread(self, names: Sequence[str]) -> list[str]:
        self._kept |= {name: self._stored[name] for name in names}
        return self.current(names)

    def since(self, name: str) -> float:
        return self._kept[name][1]


SEALING = {"SecretString": "k" * 64, "CreatedDate": 0.0}


def seal_with(memory: Any) -> None:
    """Let an AWS in memory have the sealing key."""
    memory._secretsmanager_get_secret_value = lambda _: SEALING


def oauth(url: str, **changes: Any) -> Any:
    """A client of a token server, as a plan has it."""
    auth = {
        "type": "oauth2",
        "grant": "client_credentials",
        "token_url": url,
        "client_id": "us",
        "client_secret": "secret",
        "client_auth": "basic",
        "extra": {},
    } | changes
    return {name: value for name, value in auth.items() if value is not None}


_open: list[Transport] = []


def close_all() -> None:
    """Close the connections of all instances that were made."""
    while _open:
        _open.pop().close()


class Instance:
    """One process of a function."""

    def __init__(self, aws: Any, secrets: Any, clock: Clock, auth: Any, *, transport: Any = None) -> None:
        self.clock = clock
        self.auth = auth
        self.transport = transport or Transport()
        _open.append(self.transport)
        self.grants = Grants(Table(aws, "state"), Sealer(aws, "sealing"), clock)
        self.tokens = Tokens(self.grants, secrets, clock, self.transport)
        self.wanted = Wanted("ledger", auth, tuple(LOOPBACK))
        self.secrets = secrets
        self.means = Means(secrets, clock, self.tokens, Roles(aws, clock))

    def token(self, *, within: float = 60.0, refused: str | None = None) -> str:
        return self.tokens.token(self.wanted, until=self.clock.now() + within, refused=refused)

    def caller(self, url: str, **api: Any) -> Caller:
        plan = make_plan(make_api(url, auth=self.auth, **api))
        return Caller(plan, self.secrets, self.clock, transport=self.transport, means=self.means)

    def call(self, url: str, *, within: float = 60.0, **changes: Any) -> Any:
        call = make_call(path="/api", **changes)
        return self.caller(url).call(call, {"data": {}}, headers={}, deadline=self.clock.now() + within)


def rotating(instance):
    return instance(grant="refresh_token", refresh_token="refresh")

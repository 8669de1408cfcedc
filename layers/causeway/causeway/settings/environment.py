"""What the template tells a function through its environment variables.

A variable that is missing is an error when it is used: each function is told only what concerns it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class SettingError(Exception):
    """A variable is missing or is not what it should be."""


class Setting(Generic[T]):
    """One variable, read when it is asked for."""

    def __init__(self, variable: str, read: Callable[[str], T], *, default: str | None = None) -> None:
        self.variable = variable
        self._read = read
        self._default = default

    def __set__(self, settings: Settings, value: T) -> None:
        raise AttributeError("settings do not change")

    def __get__(self, settings: Settings, _: type | None = None) -> T:
        text = settings.environ.get(self.variable, self._default)
        if text is None:
            raise SettingError(
                f"{self.variable} is not set: template.yaml sets it on the functions that use it"
            )
        try:
            return self._read(text)
        except ValueError as error:
            raise SettingError(f"{self.variable} is {text!r}: {error}") from error


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text]
    except KeyError:
        raise ValueError("it must be true or false") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


class Settings:
    """The settings of a function, by name; :class:`SettingError` is raised by those that are not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    environment = Setting("CAUSEWAY_ENVIRONMENT", str)
    plan = Setting("CAUSEWAY_PLAN", Path, default="/opt/plan")
    secrets_prefix = Setting("CAUSEWAY_SECRETS_PREFIX", str)
    deliveries_url = Setting("CAUSEWAY_DELIVERIES_URL", str)
    polls_url = Setting("CAUSEWAY_POLLS_URL", str)
    deliveries_fifo_url = Setting("CAUSEWAY_DELIVERIES_FIFO_URL", str)
    dead_letters_url = Setting("CAUSEWAY_DEAD_LETTERS_URL", str)
    journal = Setting("CAUSEWAY_JOURNAL", str)
    state_table = Setting("CAUSEWAY_STATE_TABLE", str)
    sealing_key = Setting("CAUSEWAY_SEALING_KEY", str)
    payloads = Setting("CAUSEWAY_PAYLOADS", str)
    bus = Setting("CAUSEWAY_BUS", str)
    stream = Setting("CAUSEWAY_STREAM", str, default="")
    claim_check_over = Setting("CAUSEWAY_CLAIM_CHECK_OVER", int, default="262144")  # bytes
    keep_dead = Setting("CAUSEWAY_KEEP_DEAD", float, default="7776000")  # seconds: 90 days
    base_url = Setting("CAUSEWAY_BASE_URL", str, default="")
    oidc_issuer = Setting(
        "CAUSEWAY_OIDC_ISSUER", str, default=""
    )  # these the authorizer's and the console's alone
    oidc_audience = Setting("CAUSEWAY_OIDC_AUDIENCE", str, default="")
    oidc_jwks_url = Setting("CAUSEWAY_OIDC_JWKS_URL", str, default="")
    console_client_id = Setting("CAUSEWAY_CONSOLE_CLIENT_ID", str, default="")
    console_scope = Setting("CAUSEWAY_CONSOLE_SCOPE", str, default="openid console:read console:operate")
    console_token_origin = Setting("CAUSEWAY_CONSOLE_TOKEN_ORIGIN", str, default="")
    runbook_base = Setting("CAUSEWAY_RUNBOOK_BASE", str, default="docs/runbooks")
    stack = Setting("CAUSEWAY_STACK", str)  # the console's, too; those after it the watchdog's alone
    log_groups = Setting("CAUSEWAY_LOG_GROUPS", _names)  # of the functions that accept events
    owners_topic = Setting("CAUSEWAY_OWNERS_TOPIC", str)
    remind_after = Setting("CAUSEWAY_REMIND_AFTER", float, default="24")  # hours
    strays_urls = Setting("CAUSEWAY_STRAYS_URLS", _names)  # of the nets below the queues of deliveries
    console_url = Setting("CAUSEWAY_CONSOLE_URL", str)
    metrics_by_integration = Setting("CAUSEWAY_METRICS_BY_INTEGRATION", _boolean, default="false")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that these variables make."""
        return cls({name: value for name, value in environ.items() if name.startswith("CAUSEWAY_")})

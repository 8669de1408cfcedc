"""Calls, systems and secrets as the plan holds them, for tests of what is done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causeway.plan.plan import Plan
from causeway.settings.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOPBACK = ["127.0.0.0/8"]
RETRY_ON = ["connection", "timeout", "408", "425", "429", "500-599"]


def make_call(**changes: Any) -> Any:
    """A POST of ``${data}`` to ``/entries`` of the system ``ledger``, as the compiler fills it in."""
    call = {
        "system": "ledger",
        "method": "POST",
        "path": "/entries",
        "query": {},
        "headers": {},
        "body": "${data}",
        "content": "json",
        "reads": False,
        "timeout": 5.0,
        "success_when": "status < `300`",
        "retry_on": RETRY_ON,
    } | changes
    return {key: value for key, value in call.items() if value is not None}


def make_api(base_url: Any = "https://ledger.example.com/api", **changes: Any) -> Any:
    """How ``ledger`` is called: no authentication, loopback allowed."""
    return {
        "base_url": base_url,
        "auth": {"type": "none"},
        "headers": {},
        "allow_private": LOOPBACK,
        "keep_answers": False,
    } | changes


def make_plan(api: Any) -> Plan:
    """A plan whose one system is ``ledger``."""
    system: Any = {"name": "ledger", "description": "", "redact": [], "api": api}
    return Plan({"format": 1, "environment": "test", "systems": {"ledger": system}, "integrations": {}})


class HeldSecrets:
    """Secrets as a function sees them: what is read is kept until it is read anew."""

    def __init__(self, **stored: str) -> None:
        self.stored = stored
        self._kept = dict(stored)
        self.rereads = 0

    def current(self, names: Sequence[str]) -> list[str]:
        for name in names:
            if name not in self._kept:
                raise SecretMissing(f"the secret {name} is not there")
        return [self._kept[name] for name in names]

    def reread(self, names: Sequence[str]) -> list[str]:
        self.rereads += 1
        self._kept = dict(self.stored)
        return self.current(names)

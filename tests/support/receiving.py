"""A map to receive by, requests as API Gateway brings them, and stand-ins for what the receiver is given."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from causeway.plan.plan import Plan
from causeway.queueing.messages import decode, encode
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import SettableClock
from causeway.settings.secrets import SecretMissing, SecretsUnavailable
from causeway.telemetry.metrics import Metrics
from causeway.webhooks.receiving import Receiver
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import scheme_for, sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.records import PlanRecord
    from causeway.queueing.messages import Message

NOW = 1_764_000_000.0

CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
"""As much of Lambda's context as the function reads."""

SECRETS = {
    # The test secrets of events/webhook/secrets.yaml.
    "github/webhook": "test-secret-of-github",
    "shop/webhook": "test-secret-of-the-shop",
    "payments/webhook": "whsec_test_secret_of_payments",
    "gitlab/webhook": "test-token-of-gitlab",
    "slack/webhook": "test-secret-of-slack",
    "batch/webhook": "test-token-of-batch",
    "picky/webhook": "test-token-of-picky",
    "basic/webhook": "user:test-password",
}

_TOKEN = [{"algorithm": "token", "header": "x-token"}]


def _system(name: str, schemes: Any, **webhooks: Any) -> dict[str, Any]:
    said = {"schemes": schemes, "secrets": [f"{name}/webhook"], "tolerance": 300.0, "dedupe_for": 604800.0}
    return {"name": name, "description": "", "redact": [], "webhooks": {**said, **webhooks}}


def _integration(name: str, system: str, events: list[str], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": "",
        "owner": {"team": "t", "email": "t@example.com"},
        "source": {"system": system, "events": events},
        "constants": {},
        "steps": [],
        "target": {"call": {"system": "ledger", "method": "POST", "path": "/"}},
        **more,
    }


def record() -> PlanRecord:
    """Systems that sign in different ways, and integrations that take, filter, or fail to filter what they send."""
    systems = [
        _system("github", SCHEMES["github"]),
        _system("shop", SCHEMES["shopify"]),
        _system("payments", SCHEMES["stripe"]),
        _system("gitlab", SCHEMES["gitlab"]),
        _system("slack", SCHEMES["slack"]),
        _system("batch", _TOKEN, split="body.events", id="body.id", type="body.type"),
        _system("basic", [{"algorithm": "basic"}]),
        _system("picky", _TOKEN, reply={"status": 204, "headers": {"x-seen": "yes"}, "body": ""}),
        {"name": "ledger", "description": "", "redact": []},
    ]
    integrations = [
        _integration("news", "github", ["pull_request"], filter="data.action == 'opened'"),
        _integration("archive", "github", ["*"]),
        _integration("pushes", "github", ["push"], filter="to_number(data.ref) > `0`"),
        _integration("orders", "shop", ["orders/*"]),
        _integration("money", "payments", ["payment_intent.*"]),
        _integration("elements", "batch", ["a", "b"]),
        _integration("all-basic", "basic", ["*"]),
        _integration("all-picky", "picky", ["*"]),
    ]
    found: Any = {
        "format": 1,
        "environment": "test",
        "systems": {each["name"]: each for each in systems},
        "integrations": {each["name"]: each for each in integrations},
    }
    return found


def request(
    system: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    encoded: bool = False,
    content_type: str | None = "application/json",
) -> dict[str, Any]:
    """What API Gateway invokes the function with (payload format 2.0)."""
    typed = {"content-type": content_type} if content_type else {}
    return {
        "version": "2.0",
        "routeKey": f"{method} /webhooks/{{system}}",
        "rawPath": f"/webhooks/{system}",
        "rawQueryString": "",
        "headers": {"host": "hooks.example.com", "user-agent": "provider/1.0", **typed, **(headers or {})},
        "pathParameters": {"system": system},
        "requestContext": {
            "apiId": "api",
            "domainName": "hooks.example.com",
            "http": {
                "method": method,
                "path": f"/webhooks/{system}",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"{method} /webhooks/{{system}}",
            "stage": "$default",
            "timeEpoch": int(NOW * 1000),
        },
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }


def signed(
    system: str,
    body: bytes,
    *,
    event_id: str = "id-1",
    event_type: str | None = None,
    now: float = NOW,
    secret: str = "",
    **request_: Any,
) -> dict[str, Any]:
    """The same, signed as the system signs."""
    schemes = record()["systems"][system]["webhooks"]["schemes"]
    key = secret or SECRETS[f"{system}/webhook"]
    headers = sign(scheme_for(schemes, key), body=body, secret=key, id=event_id, type=event_type, now=now)
    return request(system, body, headers, **request_)


class StoredSecrets:
    """Secrets that a test puts, instead of a store on AWS. ``values`` are current, ``previous`` what they replaced."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = dict(SECRETS if values is None else values)
        self.previous: dict[str, str] = {}
        self.cached: dict[str, str] | None = None
        self.rereads = 0
        self.available = True

    def current(self, names: Sequence[str]) -> list[str]:
        return self._of(self.cached or self.values, names)

    def reread(self, names: Sequence[str]) -> list[str]:
        self.rereads += 1
        self.cached = None
        found = self._of(self.values, names)
        return found + [self.previous[name] for name in names if name in self.previous]

    def _of(self, values: dict[str, str], names: Sequence[str]) -> list[str]:
        if not self.available:
            raise SecretsUnavailable("the store does not answer")
        for name in names:
            if not values.get(name, "").strip():
                raise SecretMissing(f"the secret {name} is not there or empty")
        return [values[name] for name in names]


class KeptQueue:
    """A queue that keeps what it is sent, as it would be on the wire."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.takes = 1_000_000

    def send(self, messages: Sequence[Message]) -> None:
        kept = [decode(encode(message)) for message in messages]
        self.messages += kept[: self.takes]
        if len(kept) > self.takes:
            raise NotQueued("some were not taken")


class Bench:
    """A receiver with stand-ins, and what they saw."""

    def __init__(self, plan: PlanRecord | None = None, secrets: dict[str, str] | None = None) -> None:
        self.secrets = StoredSecrets(secrets)
        self.queue = KeptQueue()
        self.clock = SettableClock(NOW)
        self.metrics = Metrics()
        self.receiver = Receiver(
            plan=Plan(plan or record()),
            secrets=self.secrets,  # type: ignore[arg-type]
            store=self.queue,  # type: ignore[arg-type]
            clock=self.clock,
            metrics=self.metrics,
        )

    def answer(self, event: dict[str, Any]) -> Any:
        return self.receiver.answer(event)

    @property
    def queued(self) -> list[tuple[str, str]]:
        """Integration and event id of each message."""
        return [(message["integration"], message["event"]["id"]) for message in self.queue.messages]

"""Events as a provider would send them: a sample or a file, a fresh id, and the provider's signature."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causeway.events.matching import matches
from causeway.webhooks.sign import CannotSign, scheme_for, sign_request
from causeway_cli.errors import CommandError
from causeway_cli.local import samples

if TYPE_CHECKING:
    from causeway.plan.plan import Plan
    from causeway.plan.records import Scheme, Webhooks

_IN_BODY = re.compile(r"body((?:\.[A-Za-z_][A-Za-z0-9_]*)+)")
_WILDCARDS = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SignedEvent:
    """What is posted to a system's webhook address."""

    id: str
    body: bytes
    headers: dict[str, str]
    query: str = ""
    """Of the URL, where the provider is given one that holds a secret."""

    def at(self, address: str) -> str:
        """Where it is posted, of the system's address."""
        return f"{address}?{self.query}" if self.query else address


class Provider:
    """Stands for an external system that sends.

    Args:
        plan: The map.
        system: The system's name in it.
        secret: What it signs with.
        url: The public address of its webhooks, for schemes that sign it.

    Raises:
        CommandError: The map has no such system, it sends nothing, or nothing can be signed with this secret.
    """

    def __init__(self, plan: Plan, system: str, *, secret: str, url: str) -> None:
        self._webhooks: Webhooks = webhooks_of(plan, system)
        self._system = system
        self._secret = secret
        self._url = url
        self._globs = [
            glob for integration in plan.fed_by(system) for glob in integration["source"]["events"]
        ]
        self._samples = samples.for_schemes(self._webhooks["schemes"])
        try:
            self._scheme: Scheme = scheme_for(self._webhooks["schemes"], secret)
        except CannotSign as error:
            raise CommandError(f"{system}: {error}") from error

    def default_type(self) -> str:
        """The type of the sample that the map's integrations want first."""
        for name in self._samples:
            if matches(self._globs, name):
                return name
        literal = [glob for glob in self._globs if not _WILDCARDS.search(glob)]
        return (literal or list(self._samples) or ["sample"])[0]

    def sample(self, event_type: str | None) -> SignedEvent:
        """A sample event, freshly numbered."""
        type_ = event_type or self.default_type()
        body = json.loads(json.dumps(self._samples.get(type_, {"message": "a sample event"})))
        return self._numbered(body, type_, asked=event_type is not None)

    def from_bytes(self, content: bytes, event_type: str | None, *, numbered: bool) -> SignedEvent:
        """An event with this body: as it is, or with a fresh id in the place where the scheme reads it."""
        if numbered:
            try:
                body = json.loads(content)
            except ValueError:
                body = None
            if isinstance(body, dict):
                return self._numbered(body, event_type, asked=True)
        return self._signed(secrets.token_hex(12), event_type, content)

    def _numbered(self, body: dict[str, Any], event_type: str | None, *, asked: bool) -> SignedEvent:
        event_id = f"evt_{secrets.token_hex(12)}"
        _put(body, self._place("id"), event_id)
        placed = not event_type or _put(body, self._place("type"), event_type)
        if not placed and asked and event_type not in self._samples:
            raise CommandError(
                f"{self._system} reads an event's type with `{self._place('type')}`: send a FILE that has it"
            )
        return self._signed(event_id, event_type, json.dumps(body).encode())

    def _place(self, key: str) -> str:
        """The expression with which the receiver reads the event's id or type."""
        overriding: Any = self._webhooks
        return str(overriding.get(key) or self._scheme.get(key) or "")

    def _signed(self, event_id: str, event_type: str | None, body: bytes) -> SignedEvent:
        try:
            request = sign_request(
                self._scheme,
                body=body,
                secret=self._secret,
                id=event_id,
                now=time.time(),
                type=event_type,
                url=self._url,
                nonce=secrets.token_hex(8),
                headers={"content-type": _content_type(body)},
            )
        except CannotSign as error:
            raise CommandError(f"{self._system}: {error}") from error
        return SignedEvent(event_id, request.body, dict(request.headers), request.url.partition("?")[2])


def webhooks_of(plan: Plan, system: str) -> Webhooks:
    """How a system signs.

    Raises:
        CommandError: The map has no such system, or it sends nothing.
    """
    if system not in plan.systems:
        known = ", ".join(sorted(plan.systems)) or "none"
        raise CommandError(f"the map has no system {system!r}; it has: {known}")
    if "webhooks" not in plan.systems[system]:
        raise CommandError(f"{system} sends no webhooks: its manifest has no `webhooks`")
    return plan.systems[system]["webhooks"]


def _put(body: dict[str, Any], expression: str, value: str) -> bool:
    """Set what an expression such as ``body.event.id`` reads; whether that, or signing, takes care of it."""
    found = _IN_BODY.fullmatch(expression)
    if not found:
        return expression.startswith("headers.")
    *path, last = found[1].removeprefix(".").split(".")
    for key in path:
        body = body.setdefault(key, {})
        if not isinstance(body, dict):
            return False
    body[last] = value
    return True


def _content_type(body: bytes) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "text/plain"
    return "application/json"

"""What a run of the watchdog knows of the stack: read once, when the first check asks, by bounded reads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from causeway.calls.auth import each_auth
from causeway.calls.certificates import PART as CERTIFICATE
from causeway.calls.grants import GrantKey
from causeway.delivery.pauses import PART as PAUSE
from causeway.limiting.health import Healths
from causeway.operations.integrations import systems_called
from causeway.polling.states import REGULAR
from causeway.polling.taking import is_taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.aws.client import Aws
    from causeway.aws.table import Item, Table
    from causeway.limiting.health import Health
    from causeway.plan.plan import Plan
    from causeway.plan.records import Auth, Poll
    from causeway.settings.clock import Clock
    from causeway.settings.environment import Settings
    from causeway.telemetry.metrics import Metrics


READ_AT_ONCE = 1000
"""Up to so many open deliveries of a stack are read at once, instead of by integration and shard."""


TOLD_OF_GRANTS = ("granted_at", "good_until", "refused_at", "refresh_until", "refresh_lasts")
"""What the watchdog may see of a token; the template has the same list."""


@dataclass(frozen=True)
class Means:
    """What one instance of the watchdog works with."""

    plan: Plan
    settings: Settings
    aws: Aws
    journal: Table
    state: Table
    metrics: Metrics
    clock: Clock


class World:
    """The stack in one run. What is read is read once, and raises ``AwsError`` as AWS does.

    Args:
        means: What it is read with.
    """

    def __init__(self, means: Means) -> None:
        self.means = means
        self.plan = means.plan
        self._lock = threading.Lock()

    @property
    def open(self) -> Mapping[str, list[Item]] | None:
        """Open deliveries by integration; None: so many that they are read one by one."""
        with self._lock:  # one thread reads, the others wait for it
            return self._open

    @cached_property
    def _open(self) -> Mapping[str, list[Item]] | None:
        items = self.means.journal.whole("open", most=READ_AT_ONCE)
        if items is None:
            return None
        found: dict[str, list[Item]] = {}
        for item in items:
            found.setdefault(item["open_shard"].rpartition("#")[0], []).append(item)
        return found

    @cached_property
    def healths(self) -> Mapping[str, Health]:
        """The health of the systems of which there is something to know."""
        return {each.system: each for each in Healths(self.means.state, self.means.clock).all()}

    @cached_property
    def pauses(self) -> Mapping[str, Item]:
        """By integration: ``since``, ``by``, ``reason``; only of those that are paused."""
        keys = [(f"pause#{name}", PAUSE) for name in self.plan.integrations]
        found = self.means.state.get_all(keys, ("since", "by", "reason"))
        return {item["id"].partition("#")[2]: item for item in found if "since" in item}

    @cached_property
    def polls(self) -> Mapping[tuple[str, str], Item]:
        """By system and poll: ``slot``, ``unfinished``, ``read_until`` of those that ever ran."""
        keys = {(f"poll#{poll['system']}/{poll['name']}", REGULAR): poll for poll in self.taken_polls()}
        found = self.means.state.get_all(list(keys), ("slot", "unfinished", "read_until"))
        by_key = {(item["id"], item["part"]): item for item in found}
        return {(poll["system"], poll["name"]): by_key[key] for key, poll in keys.items() if key in by_key}

    @cached_property
    def grants(self) -> Mapping[GrantKey, Item]:
        """Tokens by whose they are, as far as :data:`TOLD_OF_GRANTS`, and never the token."""
        keys = {(key.id, key.part): key for key, _ in self.granted_auths()}
        found = self.means.state.get_all(list(keys), TOLD_OF_GRANTS)
        return {keys[item["id"], item["part"]]: item for item in found}

    @cached_property
    def certificates(self) -> Mapping[str, float]:
        """When the certificate ends that calls of a system show; noted by the scheduler each hour."""
        named = {
            f"certificate#{name}": name
            for name, system in self.plan.systems.items()
            if "mtls" in system.get("api", {})
        }
        found = self.means.state.get_all([(key, CERTIFICATE) for key in named], ("ends_at",))
        return {named[item["id"]]: item["ends_at"] for item in found}

    def taken_polls(self) -> Iterator[Poll]:
        """The polls whose records some integration takes."""
        for system in self.plan.systems.values():
            for poll in system.get("polls", {}).values():
                if is_taken(self.plan, poll):
                    yield poll

    def takers(self, poll: Poll) -> tuple[str, ...]:
        """The integrations that a poll's records are for."""
        of_events = self.plan.fed_by(poll["system"]) if "reach" in poll else []
        taking = [*self.plan.fed_by_poll(poll["system"], poll["name"]), *of_events]
        return tuple(sorted(integration["name"] for integration in taking))

    def granted_auths(self) -> Iterator[tuple[GrantKey, Auth]]:
        """The ways of calling systems that hang on a refresh token."""
        for name, system in self.plan.systems.items():
            if "api" in system:
                for auth in each_auth(system["api"]):
                    if auth.get("grant") == "refresh_token":
                        yield GrantKey.of(name, auth), auth

    def calling(self, system: str) -> tuple[str, ...]:
        """The integrations whose steps or target call a system."""
        return self._calling.get(system, ())

    def depending_on(self, system: str) -> tuple[str, ...]:
        """The integrations that call a system, or take what it sends or what is read of it."""
        taking = [
            name for name, each in self.plan.integrations.items() if each["source"].get("system") == system
        ]
        return tuple(sorted({*self.calling(system), *taking}))

    @cached_property
    def _calling(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, integration in self.plan.integrations.items():
            for system in systems_called(integration):
                found.setdefault(system, []).append(name)
        return {system: tuple(sorted(names)) for system, names in found.items()}

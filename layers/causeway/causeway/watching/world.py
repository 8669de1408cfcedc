"""What a run of the watchdog knows of the stack: read once, when the first check asks, by bounded reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.calls.auth import each_auth
from causeway.calls.certificates import PART as CERTIFICATE
from causeway.calls.grants import GrantKey
from causeway.delivery.pauses import PART as PAUSE
from causeway.delivery.pauses import pause_of
from causeway.limiting.health import Healths
from causeway.operations.integrations import systems_called
from causeway.polling.states import REGULAR
from causeway.polling.taking import is_taken
from causeway.watching.once import once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.aws.client import Aws
    from causeway.aws.table import Item, Table
    from causeway.delivery.pauses import Pause
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
        until: Nothing more is looked at after this time: what takes long ends before.
    """

    def __init__(self, means: Means, until: float) -> None:
        self.means = means
        self.plan = means.plan
        self.until = until

    @once
    def open(self) -> Mapping[str, list[Item]] | None:
        """Open deliveries by integration; None: so many that they are read one by one."""
        items = self.means.journal.whole("open", most=READ_AT_ONCE)
        if items is None:
            return None
        found: dict[str, list[Item]] = {}
        for item in items:
            found.setdefault(item["open_shard"].rpartition("#")[0], []).append(item)
        return found

    @once
    def healths(self) -> Mapping[str, Health]:
        """The health of the systems of which there is something to know."""
        return {each.system: each for each in Healths(self.means.state, self.means.clock).all()}

    @once
    def pauses(self) -> Mapping[str, Pause]:
        """By integration: those that are paused, or ever were."""
        keys = [(f"pause#{name}", PAUSE) for name in self.plan.integrations]
        names = ("since", "by", "reason", "past", "version")
        found = self.means.state.get_all(keys, names, consistent=False)
        named = {item["id"].partition("#")[2]: item for item in found}
        return {name: pause_of(name, item) for name, item in named.items()}

    @once
    def polls(self) -> Mapping[tuple[str, str], Item]:
        """By system and poll: ``slot``, ``unfinished``, ``read_until`` of those that ever ran."""
        keys = {(f"poll#{poll['system']}/{poll['name']}", REGULAR): poll for poll in self.taken_polls()}
        found = self.means.state.get_all(list(keys), ("slot", "unfinished", "read_until"), consistent=False)
        by_key = {(item["id"], item["part"]): item for item in found}
        return {(poll["system"], poll["name"]): by_key[key] for key, poll in keys.items() if key in by_key}

    @once
    def grants(self) -> Mapping[GrantKey, Item]:
        """Tokens by whose they are, as far as :data:`TOLD_OF_GRANTS`, and never the token."""
        keys = {(key.id, key.part): key for key, _ in self.granted_auths()}
        found = self.means.state.get_all(list(keys), TOLD_OF_GRANTS)
        return {keys[item["id"], item["part"]]: item for item in found}

    @once
    def certificates(self) -> Mapping[str, Item]:
        """Of the certificate that calls of a system show: when it ends, and when it was read."""
        named = {
            f"certificate#{name}": name
            for name, system in self.plan.systems.items()
            if "mtls" in system.get("api", {})
        }
        found = self.means.state.get_all([(key, CERTIFICATE) for key in named], ("ends_at", "noted_at"))
        return {named[item["id"]]: item for item in found}

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
        """The integrations for which a system is called: by their steps, their target or a poll."""
        return self._calling.get(system, ())

    def depending_on(self, system: str) -> tuple[str, ...]:
        """The integrations that call a system, or take what it sends or what is read of it."""
        taking = [
            name for name, each in self.plan.integrations.items() if each["source"].get("system") == system
        ]
        return tuple(sorted({*self.calling(system), *taking}))

    @once
    def _calling(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, integration in self.plan.integrations.items():
            for system in systems_called(integration):
                found.setdefault(system, []).append(name)
        for poll in self.taken_polls():
            found.setdefault(poll["system"], []).extend(self.takers(poll))
        return {system: tuple(sorted(set(names))) for system, names in found.items()}

"""Where a command works: a map, and the stack that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from causeway.plan.plan import Plan, load
from causeway_cli.account import account_clients, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.options import MAP, Environment, Map, Profile, Region, StackName, choosing
from causeway_cli.secret_names import SecretUse, uses
from causeway_cli.stored_secrets import StoredSecrets


@dataclass
class Place:
    """A map, and the stack that runs it."""

    plan: Plan
    clients: Callable[[str], Any]  # of the AWS in which the stack is
    stack: str

    @property
    def secrets(self) -> StoredSecrets:
        """The stack's secrets."""
        return StoredSecrets(self.clients, self.stack)

    def named(self, name: str) -> list[SecretUse]:
        """Every direction in which the map uses a name.

        Raises:
            CommandError: It uses it in none.
        """
        found = [use for use in uses(self.plan) if use.name == name]
        if not found:
            known = ", ".join(sorted({use.name for use in uses(self.plan)})) or "none"
            raise CommandError(f"the map names no secret {name!r}; it names: {known}")
        return found

    def output(self, name: str) -> str:
        """An output of the stack.

        Raises:
            CommandError: There is no such stack, or it has no such output.
        """
        try:
            (stack,) = self.clients("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            raise CommandError(f"there is no stack {self.stack!r}: {error}") from error
        found = {each["OutputKey"]: str(each["OutputValue"]) for each in stack.get("Outputs", [])}
        if name not in found:
            raise CommandError(f"the stack {self.stack} has no output {name}: is it one of Causeway?")
        return found[name]


def place_of(
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = MAP,
    environment: Environment = "production",
) -> Place:
    """The local cloud, or a deployed stack.

    Raises:
        CommandError: There is none, or the map does not compile.
    """
    if stack is None:
        cloud = running.find()
        return Place(load(cloud.plan, cloud.environment), local_clients(cloud.endpoint), cloud.stack)
    from causeway_cli.local.plan_layer import plan_of  # noqa: PLC0415 - reads YAML, which the local cloud has done

    return Place(plan_of(integrations, environment), account_clients(region=region, profile=profile), stack)


FindPlace = Callable[[], Place]

at_place = choosing(place_of)
"""Of a command that needs a map and its stack's secrets: it gets :data:`FindPlace` first."""

"""The stack that a command operates: the local cloud's, or a deployed one, with the caller's own rights."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.aws.errors import AwsError
from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.plan.plan import Plan, load
from causeway.queueing.queue import Queue
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import SystemClock
from causeway_cli.account import account_aws, account_clients, local_aws, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.local.stack import Stack
from causeway_cli.options import MAP, Map, Profile, Region, StackName, choosing

if TYPE_CHECKING:
    from pathlib import Path

    from causeway.aws.client import Aws


@dataclass
class Place:
    """A running stack and its map."""

    stack: Stack
    plan: Plan
    aws: Aws
    clients: Callable[[str], Any]
    local: bool

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return self.stack.outputs()

    @cached_property
    def journal(self) -> Table:
        """The journal's table."""
        return Table(self.aws, self.outputs["Journal"])

    @cached_property
    def state(self) -> Table:
        """The state's table."""
        return Table(self.aws, self.outputs["State"])

    @cached_property
    def pauses(self) -> Pauses:
        """What is paused."""
        return Pauses(self.state, self.clock)

    @cached_property
    def queue(self) -> Queue:
        """The queues of deliveries."""
        return Queue(
            self.aws,
            url=self.outputs["DeliveriesUrl"],
            fifo_url=self.outputs["DeliveriesFifoUrl"],
            bucket=self.outputs["Payloads"],
        )

    @property
    def clock(self) -> SystemClock:
        """The time."""
        return SystemClock()

    @cached_property
    def by(self) -> str:
        """Who gives the commands, for records of them."""
        if self.local:
            return getpass.getuser()
        arn: str = self.clients("sts").get_caller_identity()["Arn"]
        return arn

    @cached_property
    def log_groups(self) -> dict[str, str]:
        """Log groups by the functions' logical names."""
        functions = self.clients("lambda")
        return {
            name: functions.get_function_configuration(FunctionName=physical)["LoggingConfig"]["LogGroup"]
            for name, physical in self.stack.functions().items()
        }

    def integrations(self, only: str | None) -> list[str]:
        """The names of the map's integrations, or the one that is wanted.

        Raises:
            CommandError: There is no such integration.
        """
        if only is None:
            return sorted(self.plan.integrations)
        if only not in self.plan.integrations:
            known = ", ".join(sorted(self.plan.integrations)) or "none"
            raise CommandError(f"the map has no integration {only!r}; it has: {known}")
        return [only]


@contextmanager
def operating(
    stack: StackName = None, region: Region = None, profile: Profile = None, integrations: Map = MAP
) -> Iterator[Place]:
    """The stack that is meant; what AWS refuses meanwhile is said as a command says it.

    Raises:
        CommandError: There is none, or AWS refused.
    """
    try:
        yield _local() if stack is None else _deployed(stack, region, profile, integrations)
    except (AwsError, NotQueued, ClientError, BotoCoreError) as error:
        raise CommandError(f"AWS says: {error}") from error


OnStack = Callable[[], AbstractContextManager[Place]]

on_stack = choosing(operating)
"""Of a command that operates a stack: it gets :data:`OnStack` first."""


def _local() -> Place:
    cloud = running.find()
    clients = local_clients(cloud.endpoint)
    plan = load(cloud.plan, cloud.environment)
    return Place(Stack(clients, cloud.stack), plan, local_aws(cloud.endpoint), clients, local=True)


def _deployed(name: str, region: str | None, profile: str | None, directory: Path) -> Place:
    from causeway_cli.local.plan_layer import plan_of  # noqa: PLC0415 - reads YAML, which the local cloud has done

    aws, clients = (
        account_aws(region=region, profile=profile),
        account_clients(region=region, profile=profile),
    )
    stack = Stack(clients, name)
    if stack.describe() is None:
        raise CommandError(f"there is no stack {name!r} in {aws.region}")
    return Place(stack, plan_of(directory, stack.outputs()["Environment"]), aws, clients, local=False)

"""The stack that a command operates: the local cloud's, or a deployed one, with the caller's own rights."""

from __future__ import annotations

import getpass
import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.plan.plan import Plan, load
from causeway.queueing.queue import Queue
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import SystemClock, from_rfc3339
from causeway_cli.account import account_aws, account_clients, local_aws, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from causeway.aws.client import Aws

StackName = Annotated[str | None, typer.Option("--stack", help="A deployed stack; default: the local cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Its AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", help="The AWS profile to use.")]
Map = Annotated[Path, typer.Option("--integrations", help="The map's directory, for a deployed stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str | None, typer.Option("--integration", help="Only this integration.")]
ErrorClass = Annotated[
    str | None, typer.Option("--error", help="Only this class of reasons: http, timeout, dns, mapping ...")
]
Since = Annotated[
    str | None, typer.Option("--since", help="Accepted since: RFC 3339, or so long ago (90m, 6h, 3d).")
]
Until = Annotated[str | None, typer.Option("--until", help="Accepted until, likewise.")]

MAP = Path("integrations")
_AGO = re.compile(r"(\d+)([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


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
def operating(stack: str | None, region: str | None, profile: str | None, directory: Path) -> Iterator[Place]:
    """The stack that is meant; what AWS refuses meanwhile is said as a command says it.

    Raises:
        CommandError: There is none, or AWS refused.
    """
    try:
        yield _local() if stack is None else _deployed(stack, region, profile, directory)
    except (AwsError, NotQueued, ClientError, BotoCoreError) as error:
        raise CommandError(f"AWS says: {error}") from error


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


def when(text: str | None) -> float | None:
    """Epoch seconds of an RFC 3339 time, or of so long ago.

    Raises:
        CommandError: It is neither.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago:
        return time.time() - int(ago[1]) * _UNITS[ago[2]]
    try:
        return from_rfc3339(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is no time: write 2026-11-22T10:00:00Z, or so long ago: 90m, 6h, 3d"
        ) from None


def print_json(value: Any) -> None:
    """Print what a program reads."""
    print(json.dumps(value, indent=2))

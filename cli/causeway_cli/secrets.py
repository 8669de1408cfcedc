"""``causeway secrets``: what the map names, put where functions look for it. Values are never shown."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from causeway.plan.plan import Plan, load
from causeway_cli.account import account_clients, local_clients
from causeway_cli.errors import CommandError
from causeway_cli.local import running
from causeway_cli.secret_names import SecretUse, uses
from causeway_cli.stored_secrets import StoredSecrets

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

OPTION_STACK = typer.Option("--stack", help="A deployed stack; default: the local cloud.")
OPTION_REGION = typer.Option("--region", help="Its AWS region.")
OPTION_PROFILE = typer.Option("--profile", help="The AWS profile to use.")
OPTION_MAP = typer.Option("--integrations", help="The map's directory, for a deployed stack.")
OPTION_ENVIRONMENT = typer.Option("--environment", help="The map's environment, for a deployed stack.")

Stack = Annotated[str | None, OPTION_STACK]
Region = Annotated[str | None, OPTION_REGION]
Profile = Annotated[str | None, OPTION_PROFILE]
Map = Annotated[Path, OPTION_MAP]
Environment = Annotated[str, OPTION_ENVIRONMENT]


@dataclass
class Place:
    """A map, and the stack that has its secrets."""

    plan: Plan
    secrets: StoredSecrets

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


@app.callback()
def secrets() -> None:
    """Store what the map names where functions look for it, and see what is missing. Values are never shown.

    Example: causeway secrets put shop/webhook
    """


@app.command()
def put(
    name: Annotated[str, typer.Argument(help="The name, as the map writes it.")],
    *,
    file: Annotated[Path | None, typer.Option("--file", help="Read the value from a file.")] = None,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = Path("integrations"),
    environment: Environment = "production",
) -> None:
    """Store a value, read from --file, standard input or a prompt; never from the command line.

    Example: causeway secrets put shop/webhook --stack causeway
    """
    place = _place(stack, region, profile, integrations, environment)
    directions = place.named(name)
    value = _value(name, file)
    for use in directions:
        place.secrets.put(use, value)
        print(f"stored {use.name} ({use.direction})")


@app.command("list")
def list_(
    *,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = Path("integrations"),
    environment: Environment = "production",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of JSON objects.")] = False,
) -> None:
    """Show the secrets that the map names, and which are there.

    Example: causeway secrets list --stack causeway
    """
    _show(_place(stack, region, profile, integrations, environment), as_json=as_json)


@app.command()
def check(
    *,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = Path("integrations"),
    environment: Environment = "production",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of JSON objects.")] = False,
) -> None:
    """The same, and exit with 1 when one is missing.

    Example: causeway secrets check --stack causeway
    """
    if not _show(_place(stack, region, profile, integrations, environment), as_json=as_json):
        raise typer.Exit(1)


def _place(
    stack: str | None, region: str | None, profile: str | None, integrations: Path, environment: str
) -> Place:
    if stack is None:
        cloud = running.find()
        return Place(
            load(cloud.plan, cloud.environment), StoredSecrets(local_clients(cloud.endpoint), cloud.stack)
        )
    from causeway_cli.local.plan_layer import plan_of  # noqa: PLC0415 - reads YAML, which the local cloud has done

    clients = account_clients(region=region, profile=profile)
    return Place(plan_of(integrations, environment), StoredSecrets(clients, stack))


def _value(name: str, file: Path | None) -> str:
    if file:
        try:
            value = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
    elif sys.stdin.isatty():
        value = typer.prompt(name, hide_input=True)
    else:
        value = sys.stdin.read()
    value = value.rstrip("\r\n")
    if not value:
        raise CommandError(f"the value of {name} is empty")
    return value


def _show(place: Place, *, as_json: bool) -> bool:
    rows = [(use, place.secrets.is_there(use)) for use in uses(place.plan)]
    if as_json:
        print(
            json.dumps(
                [
                    {"name": use.name, "direction": use.direction, "used_by": use.used_by, "present": present}
                    for use, present in rows
                ],
                indent=2,
            )
        )
    else:
        table = Table("secret", "direction", "used by", "there", box=None)
        for use, present in rows:
            table.add_row(use.name, use.direction, use.used_by, "yes" if present else "[red]missing[/red]")
        Console().print(table)
    return all(present for _, present in rows)

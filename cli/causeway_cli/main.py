"""The ``causeway`` command: the table of its commands, and how all of them fail.

A command's module is imported when the command is used, so ``causeway --help`` is fast and a command pays
only for what it needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

import causeway
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable


class Row(NamedTuple):
    """Where a command is, and what it does in one line."""

    target: str  # "module:name" of a function (a command) or of a typer.Typer (a group of commands)
    help: str


COMMANDS: dict[str, Row] = {
    "new": Row("causeway_cli.new:app", "Write a commented manifest to fill in."),
    "check": Row("causeway_cli.check:check", "Validate the map, show retry schedules and what is missing."),
    "try": Row("causeway_cli.trying:try_integration", "Show what one event would make an integration send."),
    "compile": Row("causeway_cli.compile:compile_map", "Write the plan that functions load."),
    "map": Row("causeway_cli.map:show_map", "Draw who sends what to whom, owned by whom."),
    "dev": Row("causeway_cli.local.dev:dev", "Run the whole stack here, on an emulated AWS."),
    "send": Row("causeway_cli.send:send", "Sign a sample event as the provider would, and post it."),
    "verify": Row("causeway_cli.verify:verify", "Say why a provider's request was refused."),
    "poll": Row("causeway_cli.polling:poll", "Run a poll now, or read a time again."),
    "status": Row("causeway_cli.status:status", "Every integration, and whether the books close."),
    "deliveries": Row("causeway_cli.looking:app", "List deliveries; show one, or what became of an event."),
    "tail": Row("causeway_cli.tailing:tail", "Show what the functions log, as it comes in."),
    "replay": Row("causeway_cli.replaying:replay", "Let dead deliveries start afresh."),
    "pause": Row("causeway_cli.pausing:pause", "Let an integration's deliveries wait."),
    "resume": Row("causeway_cli.pausing:resume", "Let them go on."),
    "secrets": Row("causeway_cli.secrets:app", "Store what the map names, and see what is missing."),
    "authorize": Row(
        "causeway_cli.authorizing:authorize", "Obtain a system's first refresh token, by its consent page."
    ),
    "owners": Row("causeway_cli.owners:app", "Subscribe owners to what concerns their integrations."),
    "keys": Row("causeway_cli.keys:app", "Make, list and revoke API keys of clients."),
    "schema": Row("causeway_cli.schema:schema", "JSON Schemas of the manifests, for editors."),
}


class Commands(TyperGroup):
    """The commands of the table."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].target.partition(":")
        target: typer.Typer | Callable[..., None] = getattr(import_module(module), name)
        if isinstance(target, typer.Typer):
            group = typer.main.get_group(target)
            group.name = cmd_name
            return group
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name)(target)
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the table without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in COMMANDS.items()])


def _print_version(wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        typer.echo(f"causeway {causeway.__version__}")
        raise typer.Exit


def _causeway(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """API integration as code, on serverless AWS.

    Start with: causeway check
    """


def main() -> None:
    """Run the command line; what goes wrong is one message on stderr and exit code 1 (2: wrong usage)."""
    app = typer.Typer(
        cls=Commands,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_causeway)
    try:
        app(prog_name="causeway")
    except CommandError as error:
        typer.echo(f"causeway: {error}", err=True)
        sys.exit(error.exit_code)

"""``causeway secrets``: what the map names, put where functions look for it. Values are never shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from causeway_cli import accepting
from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson
from causeway_cli.place import FindPlace, Place, at_place
from causeway_cli.printing import print_json, wide_console
from causeway_cli.secret_names import SecretUse, uses

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def secrets() -> None:
    """Store what the map names where functions look for it, and see what is missing. Values are never shown.

    Example: causeway secrets put shop/webhook
    """


@app.command()
@at_place
def put(
    find: FindPlace,
    name: Annotated[str, typer.Argument(help="The name, as the map writes it.")],
    *,
    file: Annotated[Path | None, typer.Option("--file", help="Read the value from a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Store a value, read from --file, standard input or a prompt; never from the command line.

    Example: causeway secrets put shop/webhook --stack causeway
    """
    place = find()
    directions = place.named(name)
    value = _value(name, file)
    for use in directions:
        place.secrets.put(use, value)
    _show_stored(directions, as_json=as_json)


@app.command("list")
@at_place
def list_(
    find: FindPlace,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the secrets that the map names, and which are there.

    Example: causeway secrets list --stack causeway
    """
    _show(find(), as_json=as_json)


@app.command()
@at_place
def check(
    find: FindPlace,
    *,
    as_json: AsJson = False,
) -> None:
    """The same, and exit with 1 when one is missing.

    Example: causeway secrets check --stack causeway
    """
    if not _show(find(), as_json=as_json):
        raise typer.Exit(1)


@app.command()
@at_place
def accept(
    find: FindPlace,
    system: Annotated[str, typer.Argument(help="The system whose provider brings its secret itself.")],
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Which of its secrets; default: the first that is missing.")
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=60, help="How long the window is open.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Open a window in which a provider may bring its secret at first contact (Asana, Notion), and wait.

    Now create the subscription at the provider. The first secret that comes is stored; no other is.

    Example: causeway secrets accept asana --stack causeway
    """
    place = find()
    use = accepting.chosen(place, system, name)
    typer.echo(
        f"waiting {minutes} minutes for {system} to bring {use.name}: create the subscription now",
        err=as_json,
    )
    accepting.accept(place, system, use, seconds=minutes * 60)
    _show_stored([use], as_json=as_json)


def _show_stored(stored: Sequence[SecretUse], *, as_json: bool) -> None:
    if as_json:
        print_json([{"name": use.name, "direction": use.direction, "used_by": use.used_by} for use in stored])
        return
    for use in stored:
        print(f"stored {use.name} ({use.direction})")


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
        print_json(
            [
                {"name": use.name, "direction": use.direction, "used_by": use.used_by, "present": present}
                for use, present in rows
            ]
        )
    else:
        table = Table("secret", "direction", "used by", "there", box=None)
        for use, present in rows:
            table.add_row(use.name, use.direction, use.used_by, "yes" if present else "[red]missing[/red]")
        wide_console().print(table)
    return all(present for _, present in rows)

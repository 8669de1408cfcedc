"""Options that commands share are said once, and a command gets what they choose."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson, Region, choosing, when


def find(region: Region = None):
    return f"found in {region}"


def run(*arguments):
    app = typer.Typer()

    @app.command()
    @choosing(find)
    def command(
        found: object,
        name: Annotated[str, typer.Argument()],
        *,
        strict: Annotated[bool, typer.Option("--strict")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Say what was found."""
        if strict:
            raise CommandError("refused before anything was asked for")
        typer.echo(f"{found()} {name} {as_json}")

    return CliRunner().invoke(app, arguments)


def test_a_command_is_given_what_options_choose_that_it_does_not_list():
    assert run("one", "--region", "eu-west-1", "--json").output == "found in eu-west-1 one True\n"
    assert run("one").output == "found in None one False\n"


def test_nothing_is_looked_for_before_the_command_asks(monkeypatch):
    def look(region: Region = None):
        pytest.fail("it was")

    monkeypatch.setitem(globals(), "find", look)
    assert isinstance(run("one", "--strict").exception, CommandError)


def test_in_the_help_the_options_stand_behind_the_commands_own_and_json_is_the_last():
    shown = run("--help").output
    assert "Say what was found." in shown
    assert shown.index("--strict") < shown.index("--region") < shown.index("--json")


def test_a_time_is_rfc_3339_or_so_long_ago(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    assert when(None) is None
    assert when("2023-11-14T22:13:20Z") == 1_700_000_000
    assert [when(text) for text in ("5s", "90m", "6h", "3d")] == [
        1_700_000_000 - seconds for seconds in (5, 5400, 21_600, 259_200)
    ]
    with pytest.raises(
        CommandError, match="'yesterday' is no time: write 2026-11-22T10:00:00Z, or so long ago"
    ):
        when("yesterday")

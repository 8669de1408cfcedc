"""`causeway keys`: what people and programs read of API keys, and what they are told when it cannot be."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from causeway.aws.table import Table
from causeway.settings.clock import SettableClock
from causeway_cli import keys, stacks
from causeway_cli.errors import CommandError
from tests.support.memory_aws import MemoryAws


@pytest.fixture
def command(monkeypatch):
    """Runs the command against a state in memory; gives what it printed, or raises what it would say."""
    clock = SettableClock()
    place = SimpleNamespace(state=Table(MemoryAws(clock), "state"), clock=clock, by="ann")
    monkeypatch.setattr(stacks, "_local", lambda: place)

    def run(*arguments):
        result = CliRunner().invoke(keys.app, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


CREATE = ("create", "billing", "--scope", "requests:call")


def test_a_key_is_printed_alone_so_that_it_can_be_piped(command):
    result = command(*CREATE)
    assert result.stdout.startswith("causeway_")
    assert len(result.stdout.split()) == 1
    assert "not shown again" in result.stderr


def test_a_list_shows_who_made_which_key_until_when_and_no_key(command):
    made = json.loads(command(*CREATE, "--scope", "console:read", "--good-for", "1d", "--json").stdout)
    (listed,) = json.loads(command("list", "--json").stdout)
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["created_by"], listed["state"], listed["expires_at"]) == (
        "ann",
        "good",
        "2023-11-15T22:13:20.000Z",
    )
    assert {made["id"], "billing", "good"} <= set(command("list").stdout.split())
    assert made["key"].split("_", 2)[2] not in command("list").stdout


def test_where_a_list_is_kept_in_a_file_nothing_of_it_is_cut(command):
    scopes = ("requests:call", "console:read", "console:operate")
    made = json.loads(command("create", "a" * 48, *(f"--scope={each}" for each in scopes), "--json").stdout)
    (_, line) = command("list").stdout.splitlines()
    assert line.split() == [made["id"], "a" * 48, *scopes, "good", made["expires_at"], "ann"]


def test_a_revoked_key_is_listed_with_who_revoked_it(command):
    made = json.loads(command(*CREATE, "--json").stdout)
    assert "within a minute" in command("revoke", made["id"]).stdout
    (listed,) = json.loads(command("list", "--json").stdout)
    assert (listed["state"], listed["revoked_by"]) == ("revoked", "ann")
    assert json.loads(command("revoke", made["id"], "--json").stdout)["state"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "Billing", "--scope", "requests:call"), "no name of a client"),
        (
            ("create", "billing", "--scope", "admin"),
            "admin is no scope; there are requests:call, console:read, console:operate",
        ),
        ((*CREATE, "--good-for", "soon"), "--good-for soon: must be a duration"),
        ((*CREATE, "--good-for", "0s"), "longer than 0s"),
        (("revoke", "0123456789abcdef"), "there is no key 0123456789abcdef"),
    ],
)
def test_what_cannot_be_is_told(command, arguments, message):
    with pytest.raises(CommandError, match=message):
        command(*arguments)


def test_a_key_without_a_scope_is_wrong_usage(command):
    assert command("create", "billing").exit_code == 2

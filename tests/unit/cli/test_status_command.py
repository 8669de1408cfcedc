"""``causeway status``: how each integration is, now or again and again, and whether the books close."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer import Typer
from typer.testing import CliRunner

from causeway.acceptance.lines import Accepted
from causeway.aws.table import Table
from causeway.operations.books import last_closed
from causeway.operations.ledger import Kept, Ledger
from causeway.watching.standing import Standing, Standings
from causeway_cli import status as command
from tests.support.console import Console
from tests.support.deliveries import Stage
from tests.support.watching import Watched

app = Typer()
app.command()(command.status)


class Logs:
    """The accepting functions' logs, and the calls for them."""

    def __init__(self):
        self.asked = 0

    def __get__(self, *_):
        self.asked += 1
        return {}


@pytest.fixture
def stage(monkeypatch):
    stage = Stage()
    stage.accept()
    stage.until_quiet()
    state = Table(stage.memory, "state")
    logs = Logs()
    place = type("Place", (SimpleNamespace,), {"log_groups": logs})(
        plan=stage.tools.plan,
        journal=stage.tools.table,
        state=state,
        pauses=stage.tools.pauses,
        clock=stage.clock,
        stack=SimpleNamespace(name="causeway-dev"),
        aws=SimpleNamespace(call=lambda *_: {"Attributes": {"ApproximateNumberOfMessages": "0"}}),
        outputs={"DeliveriesUrl": "a", "DeliveriesFifoUrl": "b"},
        integrations=lambda _: ["orders-to-ledger"],
    )

    @contextmanager
    def operating(*_):
        yield place

    monkeypatch.setattr(command, "operating", operating)
    stage.state, stage.logs = state, logs
    return stage


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C comes after the second pause."""
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", sleep)
    return pauses


def causeway_status(*arguments):
    return CliRunner().invoke(app, list(arguments))


def keep(stage, lost=0):
    """What the watchdog keeps of an hour of which so many events are nowhere."""
    hour = last_closed(stage.clock.now())
    accepted = [Accepted(f"{number:032x}", f"{number:016x}", f"lost_{number}") for number in range(lost)]
    kept = Kept(hour, 26, closed_at=stage.clock.now())
    Ledger(stage.state).note(kept, 0, {"orders-to-ledger": accepted} if lost else {})


def test_it_says_how_each_integration_is_and_whether_the_books_close(stage):
    result = causeway_status()
    assert result.exit_code == 0, result.output
    assert "orders-to-ledger" in result.output
    assert "close; 0 messages are on the queue" in result.output


def test_books_that_do_not_close_are_the_exit_code(stage):
    keep(stage, lost=2)
    result = causeway_status()
    assert result.exit_code == 1
    assert "2 unaccounted for" in result.output
    for number in range(2):
        assert f"orders-to-ledger {number:032x} of event lost_{number}" in result.output


def test_an_hour_that_the_watchdog_has_counted_is_not_read_in_the_logs_again(stage):
    causeway_status()
    assert stage.logs.asked == 1
    keep(stage)
    causeway_status()
    assert stage.logs.asked == 1


def test_watching_looks_again_until_it_is_interrupted_which_is_no_error(stage, interrupted):
    result = causeway_status("--watch")
    assert result.exit_code == 0, result.output
    assert "orders-to-ledger" in result.output
    assert interrupted == [command.EVERY] * 2


def test_watching_as_json_prints_a_line_for_each_look(stage, interrupted):
    result = causeway_status("--watch", "--json")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [line["integrations"][0]["integration"] for line in lines] == ["orders-to-ledger"] * 2


def test_watching_does_not_end_because_the_books_do_not_close(stage, interrupted):
    keep(stage, lost=2)
    result = causeway_status("--watch", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output.splitlines()[1])["books"]["close"] is False


class TestWhatIsNotWell:
    """The same that the owner is told, before all else."""

    def broken(self, stage, reason="no such account"):
        stage.tools.pauses.pause("orders-to-ledger", by="ann", reason=reason)
        Watched(stage).minutes(1)

    def test_it_is_told_with_its_cause_what_helps_and_whose_it_is(self, stage):
        self.broken(stage)
        result = causeway_status()
        assert result.exit_code == 0, result.output
        first = result.output.partition("integration  ")[0]
        for words in (
            "warning",
            "orders-to-ledger: paused by ann",
            "cause: no such account",
            "next: deliveries wait and lose no time; `causeway resume orders-to-ledger` when they may go on",
            "finance",
            "not well: 1",
        ):
            assert words in " ".join(first.split()), first

    def test_as_json_it_is_what_the_interface_answers(self, stage):
        self.broken(stage)
        found = json.loads(causeway_status("--json").output)["watched"]
        assert found == Console(stage).get("/api/findings").body

    def test_all_is_well_is_said_with_when_it_was_looked(self, stage):
        Watched(stage).minutes(1)
        assert "ago: all is well" in causeway_status().output

    def test_a_watchdog_that_does_not_run_is_said_first(self, stage):
        self.broken(stage)
        stage.clock.advance(600)
        lines = causeway_status().output.splitlines()
        assert "the watchdog has not run for 10 min" in lines[1]
        assert "all is well" not in "".join(lines)

    def test_words_of_others_are_shown_as_they_are_and_command_no_terminal(self, stage):
        self.broken(stage, reason="[red]see[/blue] \x1b[2Jthis")
        output = causeway_status().output
        assert "[red]see[/blue] ?[2Jthis" in output
        assert "\x1b[2J" not in output

    def test_of_one_integration_it_shows_what_concerns_it_and_the_stack(self, stage):
        Watched(stage).minutes(1)
        standings = Standings(stage.state)
        for subject, integrations in (("a", ["a"]), ("ledger", ["a", "orders-to-ledger"]), ("books", [])):
            key = f"circuit#{subject}"
            standings.write(
                key,
                Standing(key, "circuit", subject, "critical", "it is", 1.0, 2.0, integrations=integrations),
            )
        found = json.loads(causeway_status("--json").output)["watched"]["findings"]
        assert {each["subject"] for each in found} == {"ledger", "books"}

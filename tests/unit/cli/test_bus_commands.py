"""An integration on the bus, as people look at it: tried on an event, and drawn with the others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from causeway.events.identity import delivery_id
from causeway_cli.main import main
from tests.support.maps import SIMPLE, copy_text, write_map

PATTERN = '{detail-type: [order.placed], detail: {total: [{numeric: [">", 0]}]}}'
ENTRY = {
    "id": "7bf73129",
    "detail-type": "order.placed",
    "source": "com.example.orders",
    "time": "2026-11-22T12:00:00Z",
    "detail": {"id": "o1", "total": 5},
}


@pytest.fixture
def causeway(monkeypatch, capsys, tmp_path):
    """Run a command on a map with one integration on the bus: (exit code, stdout, stderr)."""
    write_map(tmp_path / "map", SIMPLE | {"copy.yaml": copy_text(source=f"{{bus: {PATTERN}}}")})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["causeway", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, *capsys.readouterr()

    return run


def tried(causeway, entry):
    Path("event.json").write_text(json.dumps(entry))
    code, out, err = causeway(
        "try", "copy", "event.json", "--integrations", "map", "--environment", "dev", "--json"
    )
    return code, json.loads(out)[0] if out else err


def test_an_event_as_eventbridge_sends_it_is_tried(causeway):
    code, trial = tried(causeway, ENTRY)
    assert (code, trial["outcome"]) == (0, "delivered")
    assert trial["event"] == {"id": "7bf73129", "type": "order.placed", "source": "com.example.orders"}
    (request,) = trial["requests"]
    assert request["headers"]["Idempotency-Key"] == delivery_id("bus", "7bf73129", "copy")


def test_so_is_one_as_a_program_puts_it_there(causeway):
    _, trial = tried(causeway, {name: ENTRY[name] for name in ("source", "detail-type", "detail")})
    assert trial["outcome"] == "delivered"


def test_one_that_does_not_match_is_told_with_the_pattern(causeway):
    _, trial = tried(causeway, ENTRY | {"detail": {"total": 0}})
    assert trial["outcome"] == "unmatched"
    assert '"numeric": [">", 0]' in trial["reason"]


def test_what_is_no_event_of_the_bus_is_told(causeway):
    code, told = tried(causeway, {"detail-type": "order.placed", "detail": "text"})
    assert code == 1
    assert "detail-type, source and detail, which is an object" in told


@pytest.mark.parametrize("form", ["table", "mermaid", "json"])
def test_a_map_shows_it(causeway, form):
    code, out, _ = causeway("map", "map", "--environment", "dev", "--format", form)
    assert code == 0
    assert "bus" in out
    assert "order.placed" in out

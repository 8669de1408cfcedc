"""What others wrote is shown as it is, and tells a terminal nothing."""

import pytest

from causeway_cli.looking import _show, _show_one

HOSTILE = "ledger answered 400: [/x] [bold]paid[/bold] \x1b[2J\x07 and more"
SHOWN = "ledger answered 400: [/x] [bold]paid[/bold] ?[2J? and more"
AT = "2026-11-22T12:00:00.000Z"
ATTEMPT = {"at": AT, "ticket": "0000.000001", "outcome": "refused", "seconds": 0.1, "status": 400}
DELIVERY = {
    "id": "3a7bd3e2360a3d29eea436fcfb7e44c7",
    "integration": "orders-to-ledger",
    "system": "shop",
    "status": "dead",
    "event_id": "[red]1[/red]",
    "event_type": "orders/paid",
    "accepted_at": AT,
    "updated_at": AT,
    "due_at": None,
    "attempt": 1,
    "event_kept": True,
    "reason": HOSTILE,
    "attempts": [{**ATTEMPT, "step": None, "error": "http", "reason": HOSTILE}],
}


@pytest.mark.parametrize(
    "show", [lambda: _show([DELIVERY]), lambda: _show_one(DELIVERY)], ids=["list", "one"]
)
def test_what_a_target_answered_is_neither_markup_nor_a_command_of_the_terminal(show, capsys):
    show()
    printed = " ".join(capsys.readouterr().out.split())
    assert SHOWN in printed
    assert "[red]1[/red]" in printed
    assert DELIVERY["id"] in printed

"""Events from the stack's bus become messages by the patterns of integrations, or the invocation fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from causeway.bus.receiving import BusReceiver
from causeway.events.identity import delivery_id
from causeway.plan.plan import Plan, UnreadablePlanError
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import SettableClock
from causeway.telemetry.metrics import Metrics
from functions.webhook import app
from tests.support.receiving import CONTEXT, NOW, KeptQueue, record

ENTRY: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "events" / "webhook" / "bus" / "order-placed.json").read_text()
)
PLACED = {"detail-type": ["order.placed"]}


class Bench:
    """A receiver on a queue that keeps what it is sent."""

    def __init__(self, **patterns: Any) -> None:
        plan: Any = record()
        taker = plan["integrations"]["archive"]
        plan["integrations"] |= {
            name: {**taker, "name": name, "source": {"bus": pattern}, **more}
            for name, (pattern, more) in patterns.items()
        }
        self.queue = KeptQueue()
        self.receiver = BusReceiver(
            plan=Plan(plan),
            store=self.queue,
            payloads=None,  # type: ignore[arg-type] # nothing here is large
            clock=SettableClock(NOW),
            metrics=Metrics(),
        )

    def take(self, **changed: Any) -> list[Any]:
        self.receiver.take(ENTRY | changed)
        return self.queue.messages


def test_an_event_goes_to_each_integration_whose_pattern_it_matches():
    bench = Bench(
        all_placed=(PLACED, {}),
        german=({"detail": {"country": ["DE"], "order": {"total": [{"numeric": [">", 10]}]}}}, {}),
        french=({"detail": {"country": ["FR"]}}, {}),
        filtered=(PLACED, {"filter": "data.order.total > `100`"}),
    )
    messages = bench.take()
    assert [message["integration"] for message in messages] == ["all_placed", "german"]
    first = messages[0]
    assert (first["system"], first["accepted_at"]) == ("bus", NOW)
    assert first["delivery"] == delivery_id("bus", ENTRY["id"], "all_placed")
    assert first["event"] == {
        "specversion": "1.0",
        "id": ENTRY["id"],
        "type": "order.placed",
        "source": "com.example.orders",
        "time": ENTRY["time"],
        "datacontenttype": "application/json",
        "data": ENTRY["detail"],
        "headers": {},
    }


def test_an_event_that_comes_again_is_the_same_delivery():
    bench = Bench(one=(PLACED, {}))
    bench.take()
    assert len({message["delivery"] for message in bench.take()}) == 1


def test_an_event_that_could_not_be_stored_fails_and_comes_again():
    bench = Bench(one=(PLACED, {}), two=(PLACED, {}))
    bench.queue.takes = 1
    with pytest.raises(NotQueued):
        bench.take()


def test_it_is_accepted_in_the_line_from_which_the_books_are_kept(capsys):
    Bench(one=(PLACED, {}), two=(PLACED, {"filter": "`false`"})).take()
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "received" in text]
    assert line["system"] == "bus"
    assert (line["accepted"], line["filtered"], line["accepted_at"]) == ({"one": 1}, {"two": 1}, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"source": "causeway.one"}, id="what an integration put there"),
        pytest.param(
            {"source": "causeway", "detail": {"of_announcement": True}}, id="an announcement of one"
        ),
        pytest.param({"source": "causeway"}, id="what only says that it is an announcement"),
    ],
)
def test_what_would_go_in_circles_is_not_taken_even_if_it_is_brought(changed):
    assert Bench(one=({"source": [{"prefix": ""}]}, {})).take(**changed) == []


def test_webhooks_are_not_taken_by_patterns_nor_events_of_the_bus_by_types():
    bench = Bench(one=(PLACED, {}))
    assert [
        message["integration"] for message in bench.take(source="github", **{"detail-type": "push"})
    ] == []


def test_the_function_knows_an_event_of_the_bus_from_a_request(monkeypatch):
    bench = Bench(one=(PLACED, {}))
    monkeypatch.setattr(app, "_bus_receiver", lambda: bench.receiver)
    assert app.handler(ENTRY, CONTEXT) is None
    assert len(bench.queue.messages) == 1


def test_without_a_plan_the_invocation_fails_so_that_the_event_comes_again(monkeypatch):
    def unreadable() -> BusReceiver:
        raise UnreadablePlanError("there is none")

    monkeypatch.setattr(app, "_bus_receiver", unreadable)
    with pytest.raises(UnreadablePlanError):
        app.handler(ENTRY, CONTEXT)


def test_a_cold_start_for_a_webhook_imports_nothing_of_the_bus():
    program = "import sys; from functions.webhook import app; print([m for m in sys.modules if 'causeway.bus' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

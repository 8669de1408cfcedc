"""What `causeway dev` shows, and the systems that it stands in for."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from causeway_cli.errors import CommandError
from causeway_cli.local import stand_ins
from causeway_cli.local.console import DevConsole
from causeway_cli.local.following import LATER, SOON, Follower, show
from causeway_cli.local.server import free_port
from causeway_cli.local.stand_ins import Asked, StandIns

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class Logs:
    """CloudWatch Logs' client, as far as it is used; pages of one group."""

    def __init__(self, *lines: str) -> None:
        self.events = [self.event(line, number) for number, line in enumerate(lines)]

    def event(self, line: str, stream: int, *, ago: float = 0) -> dict[str, Any]:
        written = int((time.time() - ago) * 1000)
        return {"logStreamName": str(stream), "timestamp": written, "message": line}

    def get_paginator(self, _: str) -> Logs:
        return self

    def paginate(self, *, startTime: int, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - as AWS has it
        return [{"events": [event for event in self.events if event["timestamp"] >= startTime]}]


def test_a_line_is_read_once_and_lambdas_own_are_left_out() -> None:
    logs = Logs('{"message": "received"}', "START RequestId: 1", "[1]", "Traceback ...")
    follower = Follower(logs, ["group"], DevConsole(), since=time.time() - 5)

    first, second = list(follower.new()), list(follower.new())
    logs.events.append(logs.event('{"message": "refused"}', 9))

    assert first == [{"message": "received"}]
    assert second == []
    assert list(follower.new()) == [{"message": "refused"}]


def test_lines_are_followed_from_now_on_or_since_a_time() -> None:
    logs = Logs()
    logs.events.append(logs.event('{"message": "before"}', 1, ago=60))

    assert list(Follower(logs, ["group"], DevConsole()).new()) == []
    assert list(Follower(logs, ["group"], DevConsole(), since=time.time() - 90).new()) == [
        {"message": "before"}
    ]


@pytest.mark.parametrize(("late", "there"), [(0, 0), (15, 1)])
def test_a_line_that_comes_in_after_later_ones_is_shown_within_the_time_that_it_may_take(
    late: float, there: int
) -> None:
    logs = Logs()
    follower = Follower(logs, ["group"], DevConsole(), since=time.time() - 60, late=late)
    logs.events.append(logs.event('{"message": "later"}', 1))
    assert list(follower.new()) == [{"message": "later"}]

    logs.events.append(logs.event('{"message": "late"}', 2, ago=10))
    assert list(follower.new()) == [{"message": "late"}] * there
    assert list(follower.new()) == []


def test_nothing_in_a_log_is_a_command_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = DevConsole()
    console.event("shop", "received", "event_id=\x1b]0;mine\x07 \x9b2J")
    console.flush(everything=True)
    assert capsys.readouterr().out.endswith("event_id=?]0;mine? ?2J\n")


class Waits:
    """The event that ends a run: notes how long is waited for it each time, and happens at the last."""

    def __init__(self, *then: Callable[[], object]) -> None:
        self.then = list(then)
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        if self.then:
            self.then.pop(0)()
        return len(self.seconds) > 3


def test_logs_are_read_soon_again_while_lines_come_and_later_while_none_do() -> None:
    logs = Logs()
    waits = Waits(lambda: None, lambda: logs.events.append(logs.event('{"message": "received"}', 1)))

    Follower(logs, ["group"], DevConsole()).run(cast("threading.Event", waits))

    assert waits.seconds == [SOON, LATER, SOON, LATER]


def test_a_log_line_is_shown_with_what_it_is_about() -> None:
    shown: list[tuple[Any, ...]] = []
    line = {
        "level": "WARNING",
        "message": "refused",
        "system": "github",
        "timestamp": "2026-11-22T10:00:00.000Z",
        "xray_trace_id": "1-2",
        "reason": "No signature matches.",
        "accepted": {"a": 1, "b": 2},
        "unmatched": 0,
    }

    show(line, lambda *arguments, **named: shown.append((*arguments, named)))

    assert shown == [
        (
            "github",
            "refused",
            "reason=No signature matches.  accepted=a,b",
            {"style": "wait", "at": 1795341600.0},
        )
    ]


def test_a_line_about_no_system_is_shown_as_its_functions() -> None:
    """The stack's name is before it, and may have hyphens of its own."""
    shown: list[tuple[Any, ...]] = []
    show({"message": "minute", "service": "causeway-local-scheduler"}, lambda *of, **_: shown.append(of))
    assert shown == [("scheduler", "minute", "")]


def test_a_delivery_is_shown_from_its_metric() -> None:
    shown: list[tuple[Any, ...]] = []
    line = {"_aws": {"Timestamp": 1795341600000}, "integration": "one", "DeliveryLatency": [120.0, 80.0]}

    show(line, lambda *arguments, **_: shown.append(arguments))
    show(line | {"integration": "two"} | {"DeliveryLatency": []}, lambda *_, **__: pytest.fail("nothing"))
    show({"message": "batch"}, lambda *_, **__: pytest.fail("nothing"))

    assert shown == [
        ("one", "delivered", "0.12 s after it came"),
        ("one", "delivered", "0.08 s after it came"),
    ]


def test_lines_come_in_the_order_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    console, now = DevConsole(), time.time()

    console.event("late", "logged", at=now - 5)
    console.event("early", "logged", at=now - 9)
    console.event("just", "now", at=now)
    console.flush()
    before = capsys.readouterr().out.split()
    console.flush(everything=True)

    assert [word for word in before if word in ("early", "late", "just")] == ["early", "late"]
    assert "just" in capsys.readouterr().out


def asked(system: str, method: str, path: str, body: Any = None, key: str | None = None) -> Asked:
    return Asked(
        system=system, method=method, path=path, query={"email": ["a@b"]}, body=body, key=key, attempt="1"
    )


def test_the_ledger_is_busy_once_and_takes_an_entry_once() -> None:
    systems = StandIns(lambda _, __: None)

    statuses = [systems.answer(asked("ledger", "POST", "/entries", {"a": 1}, "k")).status for _ in range(3)]

    assert statuses == [503, 201, 201]
    again = systems.answer(asked("ledger", "POST", "/entries", {"a": 1}, "k"))
    assert again.body == {"id": "entry-1"}
    assert systems.answer(asked("ledger", "POST", "/entries", {}, "other")).body == {"id": "entry-2"}
    assert systems.answer(asked("ledger", "GET", "/accounts")).body["email"] == "a@b"


def test_the_chat_refuses_with_200_as_slack_does() -> None:
    systems = StandIns(lambda _, __: None)

    refused = systems.answer(asked("chat", "POST", "/chat.postMessage", {"text": "x"}, "k"))
    taken = systems.answer(asked("chat", "POST", "/chat.postMessage", {"channel": "C", "text": "x"}, "k"))

    assert (refused.status, refused.body) == (200, {"ok": False, "error": "channel_not_found"})
    assert (taken.status, taken.body["ok"]) == (200, True)


def test_stand_ins_are_reached_over_http() -> None:
    calls: list[Asked] = []
    port = free_port()
    server = stand_ins.serve(StandIns(lambda asked, _: calls.append(asked)), port)
    try:
        request = Request(f"http://127.0.0.1:{port}/ledger/accounts?email=a", method="GET")
        with urlopen(request) as answer:
            assert json.loads(answer.read())["email"] == "a"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/nobody/x")
        with pytest.raises(CommandError, match=f"need port {port}, which is in use"):
            stand_ins.serve(StandIns(lambda _, __: None), port)
    finally:
        server.shutdown()
        server.server_close()
    assert (calls[0].path, calls[0].query, calls[0].body) == ("/accounts", {"email": ["a"]}, "")

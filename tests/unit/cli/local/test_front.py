"""The door to the local cloud."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import pytest
import urllib3

from causeway_cli.local.front import Front, serve_on
from causeway_cli.local.server import free_port
from tests.support.target import Received, Reply, Target

if TYPE_CHECKING:
    from collections.abc import Iterator


class Running:
    """A front that forwards to a target, in a thread of its own."""

    def __init__(self, target: Target) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._target = target
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self.front = Front(f"{self._target.url}/api")
        serving = asyncio.create_task(serve_on(self.port, self.front, self._ended.wait))
        self._begun.set()
        await serving

    def start(self) -> None:
        self._thread.start()
        assert self._begun.wait(5)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(5)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Target() as running:
        yield running


@pytest.fixture(scope="module")
def running(target: Target) -> Iterator[Running]:
    running = Running(target)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=urllib3.Retry(connect=20, backoff_factor=0.05), timeout=10) as pool:
        yield pool


def test_a_request_is_forwarded_byte_for_byte(
    running: Running, target: Target, http: urllib3.PoolManager
) -> None:
    body = bytes(range(256)) * 3
    target.on("/api/webhooks/a%20b", Reply(202, b"\x00\xff", {"X-Answer": "yes", "Retry-After": "7"}))

    answer = http.request(
        "POST", f"{running.url}/webhooks/a%20b?x=%2F&x=2", body=body, headers={"X-Signature": "t=1,v1=a=="}
    )

    (received,) = target.received("/api/webhooks/a%20b")
    assert received.body == body
    assert received.query == "x=%2F&x=2"
    assert received.headers["x-signature"] == "t=1,v1=a=="
    assert (answer.status, answer.data) == (202, b"\x00\xff")
    assert answer.headers["x-answer"] == "yes"
    assert answer.headers["retry-after"] == "7"


def test_a_chunked_body_arrives_whole(running: Running, target: Target, http: urllib3.PoolManager) -> None:
    http.request("POST", f"{running.url}/chunked", body=iter([b"one ", b"two"]), chunked=True)

    assert target.received("/api/chunked")[0].body == b"one two"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        pytest.param(b"x" * (10 * 1024 * 1024 + 1), "application/json", 413, id="over the gateway's limit"),
        pytest.param(b"x" * (6 * 1024 * 1024), "application/json", 413, id="over lambda's limit"),
        pytest.param(b'"' * (4 * 1024 * 1024), "text/plain", 413, id="quotes count twice in lambda's event"),
        pytest.param(b"x" * (5 * 1024 * 1024), "application/x-www-form-urlencoded", 413, id="base64 counts"),
        pytest.param(b"x" * (5 * 1024 * 1024), "application/json", 200, id="below"),
    ],
)
def test_the_limits_are_those_of_the_platform(
    running: Running, http: urllib3.PoolManager, body: bytes, content_type: str, status: int
) -> None:
    answer = http.request("POST", f"{running.url}/large", body=body, headers={"Content-Type": content_type})

    assert answer.status == status


def test_an_api_that_is_not_there_is_503() -> None:
    with Target() as gone:
        port = gone.port
    front = Front(f"http://127.0.0.1:{port}")
    sent = []

    async def ask() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "headers": [],
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "raw_path": b"/",
            "query_string": b"",
        }
        await front(scope, receive, send)

    asyncio.run(ask())

    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"]) == {"message": "Service Unavailable"}


def test_requests_wait_while_the_stack_changes(
    running: Running, target: Target, http: urllib3.PoolManager
) -> None:
    running.loop.call_soon_threadsafe(running.front.hold)
    answers: list[int] = []
    waiting = threading.Thread(
        target=lambda: answers.append(http.request("POST", f"{running.url}/held", body=b"{}").status)
    )
    waiting.start()
    waiting.join(0.3)
    assert answers == []
    assert target.received("/api/held") == []

    running.loop.call_soon_threadsafe(running.front.release)

    waiting.join(5)
    assert answers == [200]


def test_only_a_few_requests_are_on_their_way_at_once(
    running: Running, target: Target, http: urllib3.PoolManager
) -> None:
    from causeway_cli.local.differences import AT_ONCE

    now, most, lock = [0], [0], threading.Lock()

    def reply(_: Received) -> Reply:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.05)
        with lock:
            now[0] -= 1
        return Reply(200)

    target.on("/api/busy", reply)
    threads = [
        threading.Thread(target=http.request, args=("POST", f"{running.url}/busy"), kwargs={"body": b"{}"})
        for _ in range(3 * AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(target.received("/api/busy")) == 3 * AT_ONCE
    assert most[0] <= AT_ONCE

"""The scripted target does what its script says: other tests rely on it."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from tests.support.target import Reply, Target, gzip_bomb


def ask(target: Target, path: str, *, method: str = "GET", body: bytes | None = None):
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    try:
        connection.request(method, path, body, {"X-Test": "yes"})
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def test_replies_follow_each_other_and_the_last_one_stays():
    with Target() as target:
        target.on("/a", Reply(500), Reply(429, headers={"Retry-After": "3"}), Reply(201, {"id": 7}))
        answers = [ask(target, "/a?x=1", method="POST", body=b"[1]") for _ in range(4)]
        assert [status for status, _, _ in answers] == [500, 429, 201, 201]
        assert answers[1][1]["Retry-After"] == "3"
        assert json.loads(answers[3][2]) == {"id": 7}
        first = target.wait_for(4, path="/a")[0]
        assert (first.method, first.query, first.headers["x-test"], first.json) == ("POST", "x=1", "yes", [1])


def test_a_reply_can_be_made_from_the_request():
    with Target() as target:
        target.on("/echo", lambda request: Reply(200, request.body))
        assert ask(target, "/echo", method="PUT", body=b"hello")[2] == b"hello"


@pytest.mark.parametrize(
    ("drop", "error"),
    [
        ("unread", ConnectionResetError),
        ("unanswered", http.client.RemoteDisconnected),
        ("halfway", http.client.IncompleteRead),
    ],
)
def test_connections_are_dropped_where_the_script_says(drop, error):
    with Target() as target:
        target.on("/", Reply(drop=drop))
        with pytest.raises(error):
            ask(target, "/", method="POST", body=b"x" * 100)
        assert len(target.received("/")) == 1


def test_a_function_can_drop_the_connection():
    with Target() as target:
        target.on("/", lambda _: Reply(drop="unread"))
        with pytest.raises(ConnectionResetError):
            ask(target, "/")


def test_an_answer_can_be_late_or_drip():
    with Target() as target:
        target.on("/late", Reply(delay=0.05))
        target.on("/drip", Reply(body=b"", drip=0.001))
        for path in ("/late", "/drip"):
            begun = time.monotonic()
            assert ask(target, path)[0] == 200
            assert time.monotonic() - begun >= 0.05


def test_a_bomb_is_small_on_the_wire():
    with Target() as target:
        target.on("/", gzip_bomb(10_000_000))
        _, headers, body = ask(target, "/")
        assert headers["Content-Encoding"] == "gzip"
        assert len(body) < 20_000


def test_missing_requests_are_told():
    with Target() as target, pytest.raises(AssertionError, match="0 of 1 requests"):
        target.wait_for(1, seconds=0.01)

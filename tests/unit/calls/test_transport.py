"""One HTTP exchange and its bounds, with real servers."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc

import pytest

from causeway.calls.transport import Transport
from tests.support.exchanges import failure, post
from tests.support.target import Reply, gzip_bomb, huge


def packed(body: bytes, coding: str = "gzip") -> Reply:
    return Reply(body=body, headers={"Content-Encoding": coding})


class TestAnswers:
    def test_status_headers_and_body_come_as_they_are(self, target, transport):
        target.on("/a", Reply(418, b"tea", {"X-One": "1"}))
        answer = post(transport, f"{target.url}/a?x=1&y=%20", headers={"X-Mine": "grün"})
        assert (answer.status, answer.body, answer.headers["x-one"], answer.unread) == (418, b"tea", "1", "")
        received = target.requests[0]
        assert (received.method, received.path, received.query, received.body) == (
            "POST",
            "/a",
            "x=1&y=%20",
            b"{}",
        )
        assert received.headers["x-mine"].encode("latin-1") == "grün".encode()
        assert received.headers["host"] == f"127.0.0.1:{target.port}"
        assert received.headers["content-length"] == "2"

    @pytest.mark.parametrize(
        ("after", "path", "query"),
        [("", "/", ""), ("?a=1", "/", "a=1"), ("/", "/", ""), ("/a//b/?a=/", "/a//b/", "a=/")],
    )
    def test_the_url_is_asked_for_as_it_is_written(self, target, transport, after, path, query):
        post(transport, target.url + after)
        assert (target.requests[0].path, target.requests[0].query) == (path, query)

    def test_headers_that_come_twice_are_joined(self, target, transport):
        target.on("/", Reply(headers={"Link": "<a>", "link": "<b>"}))
        assert post(transport, target.url + "/").headers["link"] == "<a>, <b>"

    @pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT", "PATCH"])
    def test_requests_without_a_body(self, target, transport, method):
        assert post(transport, target.url, None, method=method).status == 200
        assert target.requests[0].body == b""
        assert target.requests[0].path == "/"

    @pytest.mark.parametrize(
        "reply", [Reply(body=b"x" * 1000), Reply(body=b"x" * 1000, chunked=True), Reply(204, b"")]
    )
    def test_every_framing_is_read_whole_and_its_connection_kept(self, target, transport, reply):
        target.on("/", reply)
        for _ in range(2):
            assert post(transport, target.url + "/").body == reply.body
        assert target.connections == 1

    def test_gzip_is_unpacked(self, target, transport):
        target.on("/", packed(gzip.compress(b"hello"), "GZIP"))
        assert post(transport, target.url + "/").body == b"hello"

    def test_all_members_of_a_gzip_are_unpacked(self, target, transport):
        """RFC 1952 2.2: as a server writes them that packs each part of an answer when it has it."""
        members = gzip.compress(b"hello ") + gzip.compress(b"") + gzip.compress(b"world")
        target.on("/", packed(members))
        answer = post(transport, target.url + "/")
        assert (answer.body, answer.unread) == (b"hello world", "")

    @pytest.mark.parametrize(
        ("reply", "why"),
        [
            (huge(1001), "larger than 1000 bytes"),
            (Reply(body=b"x" * 5000, chunked=True), "larger than 1000 bytes"),
            (gzip_bomb(100_000), "larger than 1000 bytes"),
            (packed(gzip.compress(b"x" * 600) * 2), "larger than 1000 bytes"),
            (packed(gzip.compress(b"x") + gzip_bomb(100_000).body), "larger than 1000 bytes"),
            (packed(b"no"), "no gzip"),
            (packed(gzip.compress(b"hello") + b"no"), "no gzip"),
            (packed(gzip.compress(b"hello")[:-4]), "no whole gzip"),
            (packed(gzip.compress(b"hello") + gzip.compress(b"hello")[:-4]), "no whole gzip"),
            (packed(gzip.compress(b"hello")[:-8] + bytes(8)), "no gzip"),
            (packed(b"no", "br"), "not asked for"),
        ],
    )
    def test_a_body_beyond_the_limit_or_unreadable_is_left_out_and_told(self, target, transport, reply, why):
        target.on("/", reply)
        answer = post(transport, target.url + "/")
        assert (answer.status, answer.body) == (200, b"")
        assert why in answer.unread

    @pytest.mark.parametrize("before", [b"", gzip.compress(b"x")])
    def test_a_bomb_is_never_unpacked_whole(self, target, before):
        transport = Transport()
        target.on("/", packed(before + gzip_bomb(50_000_000).body))
        tracemalloc.start()
        try:
            assert "larger than" in post(transport, target.url + "/").unread
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            transport.close()
        assert peak < 5_000_000

    def test_the_rest_of_a_huge_answer_is_not_read(self, target, transport):
        target.on("/", huge(2_000_000), Reply(body=b"next"))
        post(transport, target.url + "/")
        assert post(transport, target.url + "/").body == b"next"
        assert target.connections == 2

    def test_redirects_are_answers(self, target, transport):
        target.on("/", Reply(302, headers={"Location": f"{target.url}/other"}))
        assert post(transport, target.url + "/").status == 302
        assert not target.received("/other")

    def test_proxies_of_the_environment_are_not_used(self, target, transport, monkeypatch):
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        assert post(transport, target.url + "/").status == 200

    def test_an_answer_that_came_before_the_request_was_read_counts(self, transport):
        """A server that says 413 to the head of a request closes while the body is still on its way."""
        with _Raw(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as url:
            assert post(transport, url, b"x" * 20_000_000).status == 413

    @pytest.mark.parametrize("interim", [(100,), (103,), (100, 102, 103, 199), (102,) * 100])
    def test_interim_answers_are_passed_over(self, target, transport, interim):
        """RFC 9110 15.2: also those that nobody asked for. What was done is not done again for them."""
        target.on("/", Reply(201, b"made", interim=interim))
        for _ in range(2):
            answer = post(transport, target.url + "/")
            assert (answer.status, answer.body) == (201, b"made")
            assert "link" not in answer.headers
        assert (len(target.requests), target.connections) == (2, 1)

    @pytest.mark.parametrize("status", [100, 103])
    def test_interim_answers_without_end_are_none(self, target, transport, status):
        target.on("/", Reply(interim=(status,) * 101))
        error = failure(transport, target.url + "/")
        assert (error.kind, error.dropped) == ("timeout", False)
        assert "more than 100 interim answers" in str(error)

    def test_switching_protocols_is_no_answer(self, transport):
        with _Raw(
            b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ) as url:
            assert str(failure(transport, url)) == "the answer is an unasked 101"

    @pytest.mark.parametrize(
        "head",
        [
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"\x00" * 100 + b"\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000,
        ],
    )
    def test_what_is_no_http_is_no_answer(self, transport, head):
        with _Raw(head) as url:
            assert failure(transport, url).kind == "timeout"

    def test_what_came_instead_of_http_is_not_told(self, transport):
        with _Raw(b"jon@example.com\r\n\r\n") as url:
            assert str(failure(transport, url)).endswith("what came is no HTTP")


class TestKinds:
    def test_connection_is_what_was_not_sent(self, transport):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            error = failure(transport, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        assert error.kind == "connection"
        assert "refused" in str(error)

    @pytest.mark.parametrize("host", ["no-such-name.invalid", "a..b"])
    def test_a_name_that_cannot_be_looked_up_is_one_of_dns(self, transport, host):
        assert failure(transport, f"http://{host}/").kind == "dns"

    def test_a_slow_look_up_is_one_of_dns(self, transport, monkeypatch):
        over = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10))
        error = failure(transport, "http://shop.example.com/", seconds=0.1)
        over.set()
        assert error.kind == "dns"

    def test_a_private_address_is_one_of_address_and_never_connected_to(self, target, transport):
        error = failure(transport, target.url, allow=())
        assert error.kind == "address"
        assert "127.0.0.1 may not be called" in str(error)
        assert target.connections == 0

    def test_a_connection_is_not_shared_with_who_may_not_call_there(self, target, transport):
        post(transport, target.url)
        assert failure(transport, target.url, allow=("10.0.0.0/8",)).kind == "address"

    @pytest.mark.parametrize("drop", ["unanswered", "halfway"])
    def test_timeout_is_an_answer_that_did_not_come_whole(self, target, transport, drop):
        target.on("/", Reply(drop=drop))
        assert failure(transport, target.url + "/").kind == "timeout"

    def test_an_aborted_chunked_answer_is_none(self, target, transport):
        target.on("/", Reply(body=b"0123456789", chunked=True, drop="halfway"), Reply())
        with _Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc") as url:
            assert failure(transport, url).kind == "timeout"

    def test_a_request_that_the_server_stops_reading_was_not_sent_whole(self, target, transport):
        target.on("/", Reply(drop="unread"))
        assert failure(transport, target.url + "/", b"x" * 20_000_000).kind == "connection"


class TestTime:
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(delay=5),
            Reply(drip=0.05),
            Reply(body=b"x" * 500, drip=0.02),
            Reply(interim=(102,) * 9, drip=0.02),
        ],
    )
    def test_the_whole_exchange_ends_in_time_however_the_answer_drips(self, target, transport, reply):
        target.on("/", reply)
        begun = time.monotonic()
        error = failure(transport, target.url + "/", seconds=0.3)
        assert time.monotonic() - begun < 2
        assert (error.kind, str(error)) == ("timeout", "no whole answer within 0.3 s")

    def test_a_server_that_does_not_read_is_not_waited_for(self, transport):
        with _Raw(None) as url:
            begun = time.monotonic()
            error = failure(transport, url, b"x" * 50_000_000, seconds=0.3)
        assert error.kind == "connection"
        assert time.monotonic() - begun < 2

    def test_a_silent_handshake_is_not_waited_for(self, transport):
        with _Raw(None) as url:
            begun = time.monotonic()
            error = failure(transport, url.replace("http", "https"), seconds=0.3)
        assert error.kind == "tls"
        assert time.monotonic() - begun < 2

    def test_without_time_nothing_is_sent(self, target, transport):
        assert failure(transport, target.url, seconds=0).kind in ("dns", "connection")
        assert not target.requests


class _Raw:
    """A server that says the same to everybody and then hangs up; with None it never says or reads anything."""

    def __init__(self, answer: bytes | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = answer
        self._taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            self._taken.append(taken)
            if self._answer is not None:
                taken.recv(1000)
                taken.sendall(self._answer)
                taken.close()

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for taken in self._taken:
            taken.close()

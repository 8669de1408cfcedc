"""One HTTP exchange and its bounds, with real servers."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.calls import transport as module
from causeway.calls.connection import NoAnswerError
from causeway.calls.request import Request
from causeway.calls.transport import Transport
from tests.support.target import Reply, Target, gzip_bomb, huge
from tests.support.tls import Authority

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def target():
    with Target() as running:
        yield running


@pytest.fixture
def transport():
    made = Transport(max_answer=1000)
    yield made
    made.close()


def post(
    transport, url, body=b"{}", *, seconds=5.0, repeatable=False, allow=LOOPBACK, headers=None, method="POST"
):
    request = Request(method, url, headers or {"Accept-Encoding": "gzip"}, body)
    return transport.exchange(request, allow_private=allow, seconds=seconds, repeatable=repeatable)


def packed(body: bytes, coding: str = "gzip") -> Reply:
    return Reply(body=body, headers={"Content-Encoding": coding})


def failure(*arguments, **named) -> NoAnswerError:
    with pytest.raises(NoAnswerError) as caught:
        post(*arguments, **named)
    return caught.value


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


class TestConnections:
    def test_are_used_again_and_shared_by_threads(self, target, transport):
        target.on("/", Reply(delay=0.02))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: post(transport, target.url + "/").status, range(40)))
        assert answers == [200] * 40
        assert target.connections <= 4

    def test_are_not_used_again_once_the_server_closed_them(self, target, transport):
        """The reused connection's end is seen before a request is sent on it, so this is no failure of any kind."""
        target.on("/", Reply(close_silently=True))
        for _ in range(5):
            assert post(transport, target.url + "/", None).status == 200
            time.sleep(0.01)
        assert (target.connections, len(target.requests)) == (5, 5)

    def test_are_not_used_again_when_they_have_been_idle_for_long(self, target, transport, monkeypatch):
        post(transport, target.url)
        monkeypatch.setattr(module, "_IDLE_FOR", 0.0)
        post(transport, target.url)
        assert target.connections == 2

    def test_are_not_used_again_when_the_server_said_so(self, target, transport):
        target.on("/", Reply(close=True))
        post(transport, target.url + "/")
        post(transport, target.url + "/")
        assert target.connections == 2

    @pytest.mark.parametrize(("repeatable", "requests"), [(True, 3), (False, 2)])
    def test_a_reused_connection_that_dies_unanswered_is_replaced_once_where_that_is_harmless(
        self, target, transport, repeatable, requests
    ):
        """The server closes an idle connection in the moment in which a request is sent on it."""
        target.on("/", Reply(), Reply(drop="unanswered"), Reply(201))
        post(transport, target.url + "/")
        if repeatable:
            assert post(transport, target.url + "/", repeatable=True).status == 201
        else:
            assert failure(transport, target.url + "/", repeatable=False).kind == "timeout"
        assert len(target.requests) == requests

    def test_a_reused_connection_that_dies_after_an_interim_answer_is_not_replaced(self, target, transport):
        """The server has begun to answer: it did not close what it took for idle."""
        target.on("/", Reply(), Reply(interim=(102,), drop="unanswered"), Reply(201))
        post(transport, target.url + "/")
        assert failure(transport, target.url + "/", repeatable=True).kind == "timeout"
        assert len(target.requests) == 2

    def test_what_was_not_sent_whole_on_a_reused_connection_is_sent_on_a_new_one(self, target, transport):
        target.on("/", Reply(), Reply(drop="unread"), Reply(201))
        post(transport, target.url + "/")
        assert post(transport, target.url + "/", b"x" * 5_000_000, repeatable=False).status == 201

    def test_a_new_connection_that_dies_unanswered_is_a_failure(self, target, transport):
        target.on("/", Reply(drop="unanswered"), Reply(201))
        assert failure(transport, target.url + "/", repeatable=True).kind == "timeout"
        assert len(target.requests) == 1

    def test_a_request_that_ran_out_of_time_is_not_repeated(self, target, transport):
        target.on("/", Reply(), Reply(delay=1))
        post(transport, target.url + "/")
        assert failure(transport, target.url + "/", seconds=0.2, repeatable=True).kind == "timeout"
        assert len(target.requests) == 2


class TestAddress:
    def test_the_checked_address_is_the_one_connected_to(self, target, transport, monkeypatch):
        """A name that answers differently the second time (DNS rebinding) is looked up only once per connection."""
        answers = iter([_found("127.0.0.1", target.port), _found("10.0.0.1", target.port)])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
        assert post(transport, f"http://shop.example.com:{target.port}/").status == 200
        assert target.requests[0].headers["host"] == f"shop.example.com:{target.port}"

    def test_the_next_address_is_tried_when_one_does_not_answer(self, target, transport, monkeypatch):
        found = _found("127.0.0.2", target.port) + _found("127.0.0.1", target.port)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert post(transport, f"http://shop.example.com:{target.port}/").status == 200


@pytest.mark.usefixtures("named")
class TestTls:
    @pytest.fixture
    def authority(self, tmp_path):
        return Authority(tmp_path)

    @pytest.fixture
    def named(self, monkeypatch):
        """Every name is on loopback."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **__: _found("127.0.0.1", port))

    def test_sni_and_certificate_are_of_the_name_although_an_address_is_connected_to(self, authority):
        context = authority.server("shop.example.com")
        seen = []
        context.sni_callback = lambda _socket, name, _context: seen.append(name)
        transport = Transport(tls=authority.client())
        with Target(tls=context) as target:
            for _ in range(2):
                assert post(transport, f"https://shop.example.com:{target.port}/").status == 200
            assert target.connections == 1
        transport.close()
        assert seen == ["shop.example.com"]

    @pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
    def test_a_certificate_for_another_name_is_refused(self, authority, host):
        transport = Transport(tls=authority.client())
        with Target(tls=authority.server("shop.example.com")) as target:
            error = failure(transport, f"https://{host}:{target.port}/")
            assert not target.requests
        assert error.kind == "tls"
        assert "certificate verify failed" in str(error)

    def test_a_certificate_of_an_unknown_authority_is_refused(self, authority):
        with Target(tls=authority.server("shop.example.com")) as target:
            error = failure(Transport(), f"https://shop.example.com:{target.port}/")
            assert not target.requests
        assert error.kind == "tls"

    def test_an_answer_over_tls_ends_in_time_however_it_drips(self, authority):
        transport = Transport(tls=authority.client())
        with Target(tls=authority.server("shop.example.com")) as target:
            target.on("/", Reply(drip=0.05))
            begun = time.monotonic()
            assert (
                failure(transport, f"https://shop.example.com:{target.port}/", seconds=0.5).kind == "timeout"
            )
            assert time.monotonic() - begun < 2

    def test_an_old_protocol_is_refused(self, authority):
        context = authority.server("shop.example.com")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with Target(tls=context) as target:
            error = failure(Transport(tls=authority.client()), f"https://shop.example.com:{target.port}/")
        assert error.kind == "tls"


def _found(address: str, port: int):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


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

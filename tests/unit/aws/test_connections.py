"""Answers of HTTP/1.1 in every form that AWS and what stands in for it may choose (RFC 9112)."""

import contextlib
import socket
import threading

import pytest

from causeway.aws.connections import Connections, NoAnswerError, Origin
from tests.support.target import Reply, Target
from tests.support.tls import Authority


@contextlib.contextmanager
def answering(answer, *, keep=False):
    """A server that answers every request with these bytes, and remembers the requests."""
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve():
            with contextlib.suppress(TimeoutError, OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        while request := connection.recv(65_536):
                            requests.append(request)
                            connection.sendall(answer)
                            if not keep:
                                break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Origin(secure=False, host=f"127.0.0.1:{server.getsockname()[1]}"), requests
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def connections():
    connections = Connections(timeout=1)
    yield connections
    connections.close()


FORMS = {
    "by length": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    "by length, spaces and case": b"HTTP/1.1 200 OK\r\ncontent-LENGTH:4  \r\n\r\nbody",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nbod\r\n1\r\ny\r\n0\r\n\r\n",
    "in chunks with trailers": b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\nbody\r\n0\r\nA: b\r\n\r\n",
    "up to the end": b"HTTP/1.1 200 OK\r\n\r\nbody",
    "of HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    "and close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_body_is_read_whole(connections, form):
    with answering(FORMS[form]) as (origin, _):
        assert connections.exchange(origin, "GET", "/", {}, b"") == (200, b"body")


@pytest.mark.parametrize("form", ["by length", "in chunks", "in chunks with trailers", "after 100 Continue"])
def test_what_was_read_whole_leaves_the_connection_as_it_was(connections, form):
    with answering(FORMS[form], keep=True) as (origin, requests):
        for number in range(3):
            assert connections.exchange(origin, "GET", f"/{number}", {}, b"").body == b"body"
        assert len(connections._idle[origin]) == 1
        connections.close()
    assert [request.split()[1] for request in requests] == [b"/0", b"/1", b"/2"]


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body_whatever_they_say(connections, status):
    with answering(f"HTTP/1.1 {status} x\r\nContent-Length: 9\r\n\r\n".encode()) as (origin, _):
        assert connections.exchange(origin, "DELETE", "/", {}, b"") == (status, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 2xx\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
    ],
)
def test_what_breaks_off_or_is_no_http_is_no_answer_to_what_was_sent(connections, answer):
    with answering(answer) as (origin, _), pytest.raises(NoAnswerError) as raised:
        connections.exchange(origin, "GET", "/", {}, b"")
    assert raised.value.sent


def test_a_request_leaves_whole_in_one_piece(connections):
    with answering(FORMS["by length"]) as (origin, requests):
        connections.exchange(origin, "POST", "/a?b", {"host": "h", "x-a": "1"}, b"{}")
    assert requests == [b"POST /a?b HTTP/1.1\r\nhost: h\r\nx-a: 1\r\ncontent-length: 2\r\n\r\n{}"]


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path):
        return Authority(tmp_path)

    @pytest.fixture
    def trusting(self, authority, connections, tmp_path, monkeypatch):
        """Connections that trust the tests' authority, as AWS_CA_BUNDLE says."""
        (tmp_path / "bundle.pem").write_text(authority.pem)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
        return connections

    def test_a_connection_is_kept_over_exchanges(self, authority, trusting):
        with Target(tls=authority.server("localhost")) as target:
            target.on("/", Reply(200, b"x" * 100_000))
            origin = Origin(secure=True, host=f"localhost:{target.port}")
            for _ in range(3):
                assert (
                    trusting.exchange(origin, "POST", "/", {"host": origin.host}, b"{}").body
                    == b"x" * 100_000
                )
            assert target.connections == 1

    def test_only_the_server_that_is_meant_gets_a_request(self, authority, trusting):
        with Target(tls=authority.server("sqs.example.com")) as target:
            with pytest.raises(NoAnswerError, match="certificate verify failed") as caught:
                trusting.exchange(
                    Origin(secure=True, host=f"localhost:{target.port}"), "POST", "/", {}, b"{}"
                )
            assert not caught.value.sent
            assert not target.requests

    def test_an_authority_that_is_not_trusted_vouches_for_nobody(self, authority, connections):
        with Target(tls=authority.server("localhost")) as target:
            with pytest.raises(NoAnswerError, match="certificate verify failed"):
                connections.exchange(
                    Origin(secure=True, host=f"localhost:{target.port}"), "GET", "/", {}, b""
                )
            assert not target.requests

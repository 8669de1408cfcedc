"""A real HTTP target on 127.0.0.1 that answers as it was told and remembers what it was asked.

    with Target() as target:
        target.on("/entries", Reply(500), Reply(429, headers={"Retry-After": "3"}), Reply(201, {"id": 7}))
        ...
        target.wait_for(3, path="/entries")
        assert [request.headers["idempotency-key"] for request in target.received("/entries")] == [...]

Each request to a path takes the next of its replies; the last one stays. A reply may also be made from the
request, by a function. Paths without a script are answered 200 ``{"ok": true}``.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType


@dataclass(frozen=True)
class Reply:
    """What the target does with one request.

    ``body`` is sent as it is when it is bytes, as text when it is a string, else as JSON.
    ``drop`` closes the connection instead of answering: ``unread`` before the request's body is read, with a reset
    (where a function makes the reply, after it is read); ``unanswered`` once the request is read whole; ``halfway`` through the answer's body.
    """

    status: int = 200
    body: Any = field(default_factory=lambda: {"ok": True})
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0  # seconds before the answer begins
    drip: float = 0  # seconds between the single bytes of the whole answer, its head included
    drop: Literal["unread", "unanswered", "halfway"] | None = None
    chunked: bool = False
    close: bool = False  # close the connection after the answer, as a server does whose keep-alive ends
    close_silently: bool = False  # the same, unannounced: the next request on it meets a dead connection
    interim: tuple[int, ...] = ()  # statuses of interim answers that come before the answer

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()

    @property
    def content_type(self) -> str:
        return "text/plain; charset=utf-8" if isinstance(self.body, str | bytes) else "application/json"


def huge(size: int) -> Reply:
    """An answer of ``size`` bytes."""
    return Reply(body=b"x" * size)


def gzip_bomb(size: int) -> Reply:
    """An answer that is small on the wire and ``size`` bytes when it is unpacked."""
    return Reply(body=gzip.compress(bytes(size)), headers={"Content-Encoding": "gzip"})


@dataclass(frozen=True)
class Received:
    """A request that reached the target."""

    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float  # epoch seconds
    connection: int  # the number of the connection it came on

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Reply | Callable[[Received], Reply]


class Target:
    """An HTTP server in threads of this process; a context manager. ``tls`` makes it an HTTPS server."""

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(self, port, tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._scripts: dict[str, list[Script]] = {}
        self._changed = threading.Condition()
        self.requests: list[Received] = []
        self.connections = 0
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def on(self, path: str, *replies: Script) -> None:
        """From now on answer requests to this path (without its query) with these, one after the other."""
        with self._changed:
            self._scripts[path] = list(replies)

    def received(self, path: str | None = None) -> list[Received]:
        """The requests so far, in the order in which they had been read."""
        with self._changed:
            return [request for request in self.requests if path in (None, request.path)]

    def wait_for(self, count: int, *, path: str | None = None, seconds: float = 10) -> list[Received]:
        """The requests, once there are so many; an AssertionError tells what came instead."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.received(path)) >= count, seconds)
            found = self.received(path)
        assert done, f"{len(found)} of {count} requests within {seconds} s: {found}"
        return found

    def drop_idle(self) -> None:
        """Close all open connections, as a target does that restarts."""
        self._server.close_connections()

    def connected(self) -> int:
        with self._changed:
            self.connections += 1
            return self.connections

    def take(self, request: Received) -> Reply:
        """Record the request, and say what is to be done with it."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            script = self._scripts.get(request.path) or [Reply()]
            reply = script.pop(0) if len(script) > 1 else script[0]
        return reply(request) if callable(reply) else reply

    def peek(self, path: str) -> Reply | None:
        """The reply that comes next, where it does not depend on the request."""
        with self._changed:
            script = self._scripts.get(path) or [Reply()]
            return script[0] if isinstance(script[0], Reply) else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening, end every connection."""
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: Target, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.target = target
        self.open: set[socket.socket] = set()
        if tls:  # the handshake belongs to the connection's own thread
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def close_connections(self) -> None:
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the answer leaves as one packet
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.request)
        self.number = self.server.target.connected()

    def finish(self) -> None:
        self.server.open.discard(self.request)
        super().finish()

    def answer(self) -> None:
        url = urlsplit(self.path)
        coming = self.server.target.peek(url.path)
        unread = coming is not None and coming.drop == "unread"
        received = Received(
            method=self.command,
            path=url.path,
            query=url.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=b"" if unread else self._body(),
            at=time.time(),
            connection=self.number,
        )
        reply = self.server.target.take(received)
        time.sleep(reply.delay)
        if reply.drop == "unread":
            self._reset()
            return
        heads = [b"HTTP/1.1 %d Interim\r\nLink: </a>\r\n\r\n" % status for status in reply.interim]
        self._write(b"".join(heads), reply.drip)
        if reply.drop == "unanswered":
            self.close_connection = True
        else:
            self._send(reply)
            self.close_connection |= reply.close or reply.close_silently or reply.drop == "halfway"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return chunk

    def _reset(self) -> None:
        """Close with a reset, as a process that is killed does: what was not read is lost."""
        self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _send(self, reply: Reply) -> None:
        content = reply.content
        headers = {"Content-Type": reply.content_type, **reply.headers}
        if reply.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif reply.status not in (204, 304):
            headers["Content-Length"] = str(len(content))
        if reply.close:
            headers["Connection"] = "close"
        head = f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Unknown',))[0]}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        if reply.drop == "halfway":
            content = content[: len(content) // 2]
        if reply.chunked:
            content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
        self._write(head.encode("latin-1") + content, reply.drip)

    def _write(self, data: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(data)
            self.wfile.flush()
            return
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(drip)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

    def log_message(self, *arguments: object) -> None:
        """The tests tell what matters."""

"""One HTTP/1.1 exchange with AWS over a connection that is kept.

Over sockets, because ``http.client`` reads headers with the ``email`` package and sends head and body apart:
that costs the receiving function a twentieth of its cold start and a tenth of its warm time. AWS's answers
need no more than is here: a status, a few headers, a body by length, in chunks or up to the end.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT = 2.0
"""Seconds until a connection must stand."""

_LONGEST_LINE = 65_536


class Origin(NamedTuple):
    """Where a service answers."""

    secure: bool
    host: str  # with ":port" where it is not the scheme's own
    base: str = ""  # a path in front of every other


class Response(NamedTuple):
    """An answer that was read whole."""

    status: int
    body: bytes


class NoAnswerError(Exception):
    """There was no answer.

    Attributes:
        sent: The request may have arrived, and may have been carried out.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Connections:
    """Idle connections by origin; any thread may take one, and gives it back when it has read its answer.

    Proxies that the environment names are not used: AWS is reached directly or by ``AWS_ENDPOINT_URL``.
    """

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._idle: defaultdict[Origin, list[_Connection]] = defaultdict(list)

    def exchange(
        self, origin: Origin, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Send one request, return its answer.

        Raises:
            NoAnswerError: could not connect, timed out, or the connection broke.
        """
        connection = self._take(origin)
        try:
            response = connection.exchange(method, path, headers, body)
        except (OSError, ValueError) as error:
            connection.close()
            raise NoAnswerError(f"{origin.host}: {error or type(error).__name__}", sent=True) from error
        except BaseException:
            connection.close()
            raise
        if connection.ends:
            connection.close()
        else:
            self._idle[origin].append(connection)
        return response

    def close(self) -> None:
        """Close what is idle."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def __del__(self) -> None:
        self.close()

    def _take(self, origin: Origin) -> _Connection:
        idle = self._idle[origin]
        while True:
            try:
                connection = idle.pop()  # the one used last; atomic
            except IndexError:
                break
            if connection.is_open():
                return connection
            connection.close()
        try:
            return _Connection(origin, self._tls if origin.secure else None, self._timeout)
        except OSError as error:
            raise NoAnswerError(f"{origin.host}: {error}", sent=False) from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))


class _Connection:
    """One connection, used for one exchange at a time."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, timeout: float) -> None:
        address = urlsplit(f"//{origin.host}".encode())
        name: Any = address.hostname  # bytes, which spares loading what encodes names like bücher.example
        port = address.port or (443 if origin.secure else 80)
        self._socket = socket.create_connection((name, port), CONNECT_TIMEOUT)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = tls.wrap_socket(self._socket, server_hostname=name)
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(timeout)
        self._input = self._socket.makefile("rb")
        self.ends = False

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send a request, read its answer. Raises OSError, and ValueError for what is no HTTP."""
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, f"content-length: {len(body)}", "", ""])
        self._socket.sendall(head.encode("ascii") + body)
        status = 100
        while status < 200:  # noqa: PLR2004 - informational: the answer is yet to come
            version, _, rest = self._line().partition(" ")
            status = int(rest[:3])
            answered = self._headers()
        self.ends = version != "HTTP/1.1" or answered.get("connection", "").lower() == "close"
        return Response(status, b"" if status in {204, 304} else self._body(answered))

    def is_open(self) -> bool:
        """Whether it can be used: an idle one with something to read was closed by the other side."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close it."""
        self._input.close()
        self._socket.close()

    def _headers(self) -> dict[str, str]:
        pairs = (line.partition(":") for line in iter(self._line, ""))
        return {name.lower(): value.strip() for name, _, value in pairs}

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return b"".join(self._chunks())
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        self.ends = True
        return self._input.read()

    def _chunks(self) -> list[bytes]:
        chunks = []
        while size := int(self._line().partition(";")[0], 16):
            chunks.append(self._exactly(size))
            self._line()
        self._headers()  # the trailers
        return chunks

    def _line(self) -> str:
        line = self._input.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the answer broke off")
        return line.decode("latin-1").rstrip("\r\n")

    def _exactly(self, size: int) -> bytes:
        data = self._input.read(size)
        if len(data) < size:
            raise ConnectionResetError("the answer broke off")
        return data

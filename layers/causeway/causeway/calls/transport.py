"""One HTTP exchange within its bounds of time and size, over connections that are kept.

Why ``http.client`` and not urllib3, which is at hand: it takes a connected socket as it is, so that the
guarded part is a socket (:mod:`causeway.calls.connection`) and not four subclasses (connection, two pools,
their manager). Neither bounds the whole time of an exchange; a socket of ours does. And it takes half the CPU
per request: a whole call of the map costs what urllib3 alone would (``benchmarks/deliver.py``). What urllib3
would have brought, pooling and gzip, is short.

Redirects are not followed, and proxies that the environment names are not used.
"""

from __future__ import annotations

import select
import ssl
import time
import zlib
from collections import deque
from http import HTTPStatus
from http.client import HTTPException
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from causeway.calls.address import origin_of
from causeway.calls.connection import BoundedSocket, NoAnswerError, connect, tls_context, why

if TYPE_CHECKING:
    import socket
    from http.client import HTTPConnection, HTTPResponse

    from causeway.calls.address import Origin
    from causeway.calls.connection import Identity
    from causeway.calls.request import Request

MAX_ANSWER = 1024 * 1024
"""Bytes of an answer's body, as it came and unpacked."""

_IDLE_FOR = 4.0
"""Seconds for which an idle connection is used again: below the 5 s after which common servers close theirs
(Node, Apache, uvicorn). Also an instance that was frozen in between wakes up with connections that died
unseen."""


_MOST_IDENTITIES = 64


class RawAnswer(NamedTuple):
    """An answer, not yet read as anything."""

    status: int
    headers: dict[str, str]  # names in lower case; what came more than once is joined by commas
    body: bytes
    unread: str  # why the body is empty although there was one
    seconds: float


class _Key(NamedTuple):
    """What connections are shared by.

    A network opened to one system is not thereby open to another, and a connection is whose certificate was
    shown on it.
    """

    origin: Origin
    allow_private: tuple[str, ...]
    identity: Identity | None


class Transport:
    """Sends requests; one for all threads of a function, whose idle connections they share.

    Args:
        tls: what to trust instead of the system's authorities.
        max_answer: bytes of an answer's body that are read.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, max_answer: int = MAX_ANSWER) -> None:
        self._trusting = tls
        self._max_answer = max_answer
        self._idle: dict[_Key, deque[tuple[HTTPConnection, float]]] = {}
        self._contexts: dict[Identity | None, ssl.SSLContext] = {}

    def exchange(
        self,
        request: Request,
        *,
        allow_private: tuple[str, ...],
        seconds: float,
        repeatable: bool,
        identity: Identity | None = None,
    ) -> RawAnswer:
        """Send a request, return its answer.

        A connection that is used again may have been closed by the server in that very moment. Where it fails
        before the first byte of an answer, the request is sent a second time on a new connection, within the
        same time: if it was not sent whole the first time, or if it is repeatable (Go's net/http does the
        same for whatever carries an Idempotency-Key). What fails on a new connection is never repeated.

        Args:
            request: what to send.
            allow_private: networks in CIDR notation that may be called besides public addresses.
            seconds: for all of it: look-up, connection, handshake, request and answer.
            repeatable: doing it twice does no harm (it only reads), or its sender does so anyway when an
                answer is lost.
            identity: the certificate to show.

        Raises:
            NoAnswerError: there is none.
            BadIdentityError: the certificate cannot be shown.
        """
        begun = time.monotonic()
        key = _Key(origin_of(request.url), allow_private, identity)
        idle = self._take(key)
        if idle is not None:
            try:
                return self._ask(key, idle, request, begun, seconds)
            except NoAnswerError as error:
                if not (error.dropped and (repeatable or error.kind == "connection")):
                    raise
        connection = connect(key.origin, key.allow_private, begun + seconds, lambda: self._tls(identity))
        return self._ask(key, connection, request, begun, seconds)

    def close(self) -> None:
        """Close what is idle."""
        for idle in self._idle.values():
            while idle:
                idle.pop()[0].close()

    def _ask(
        self, key: _Key, connection: HTTPConnection, request: Request, begun: float, seconds: float
    ) -> RawAnswer:
        assert isinstance(connection.sock, BoundedSocket)
        connection.sock.until = begun + seconds
        try:
            broken = _send(connection, key.origin, request)
            response = _answered(connection, broken, seconds)
            body, unread = self._read(response, seconds)
        except BaseException:
            connection.close()
            raise
        if response.will_close or not response.isclosed():
            connection.close()
        else:
            self._idle.setdefault(key, deque()).append((connection, time.time()))
        return RawAnswer(response.status, _headers(response), body, unread, time.monotonic() - begun)

    def _take(self, key: _Key) -> HTTPConnection | None:
        """An idle connection that the server has not closed, as far as can be seen; the one used last."""
        idle = self._idle.get(key)
        while idle:
            try:
                connection, since = idle.pop()  # atomic: threads share it without a lock
            except IndexError:
                return None
            if time.time() - since < _IDLE_FOR and not _readable(connection.sock):
                return connection
            connection.close()
        return None

    def _tls(self, identity: Identity | None) -> ssl.SSLContext:
        """Made when it is needed first; certificates change seldom, and those of before go."""
        if identity not in self._contexts:
            if len(self._contexts) >= _MOST_IDENTITIES:
                self._contexts.clear()
            self._contexts[identity] = tls_context(self._trusting, identity)
        return self._contexts[identity]

    def _read(self, response: HTTPResponse, seconds: float) -> tuple[bytes, str]:
        """The body unpacked, or why it is not read."""
        limit = self._max_answer
        try:
            packed = response.read(limit + 1)
        except (OSError, HTTPException) as error:
            raise _unfinished(error, seconds) from error
        if len(packed) > limit:
            return b"", f"the answer is larger than {limit} bytes"
        if response.length:
            raise _unfinished(None, seconds)
        return _unpack(packed, response.headers.get("Content-Encoding", ""), limit)


def _send(connection: HTTPConnection, origin: Origin, request: Request) -> OSError | None:
    """Send the request; returns how the connection broke, where an answer may have come before it did."""
    url = urlsplit(request.url)
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    headers = {name: value.encode() for name, value in request.headers.items()}
    try:
        connection.request(request.method, target, request.body, {"Host": origin.netloc, **headers})
    except ConnectionError as error:
        return error
    except (OSError, HTTPException) as error:
        raise NoAnswerError(f"the request was not sent whole: {why(error)}", kind="connection") from error
    return None


def _answered(connection: HTTPConnection, broken: OSError | None, seconds: float) -> HTTPResponse:
    """The head of the answer."""
    try:
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        if broken:
            raise NoAnswerError(
                f"the request was not sent whole: {why(broken)}", kind="connection", dropped=True
            ) from error
        raise _unfinished(error, seconds, dropped=isinstance(error, ConnectionError)) from error
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:  # what follows would be taken for the next answer
        raise NoAnswerError("the answer is an unasked 101", kind="timeout")
    return response


def _unfinished(error: Exception | None, seconds: float, *, dropped: bool = False) -> NoAnswerError:
    if isinstance(error, TimeoutError):
        return NoAnswerError(f"no whole answer within {seconds:.1f} s", kind="timeout")
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        # TLS 1.3 refuses a client's certificate after the handshake; nothing was carried out.
        return NoAnswerError(f"the server ended the connection: {why(error)}", kind="tls")
    reason = why(error) if error else "it ended early"
    return NoAnswerError(
        f"the connection broke before the answer was there: {reason}", kind="timeout", dropped=dropped
    )


def _unpack(packed: bytes, encoding: str, limit: int) -> tuple[bytes, str]:
    """The body without its content coding (RFC 9110 8.4), never more than ``limit`` bytes of it."""
    if not packed or encoding.lower() in ("", "identity"):
        return packed, ""
    if encoding.lower() not in ("gzip", "x-gzip"):
        return b"", "the answer has a content coding that was not asked for"
    from gzip import GzipFile  # noqa: PLC0415 - many answers are too short to be packed

    try:
        with GzipFile(fileobj=BytesIO(packed)) as file:  # all members, one after the other (RFC 1952 2.2)
            body = file.read(limit + 1)
    except EOFError:
        return b"", "the answer is no whole gzip, as its header says"
    except (OSError, zlib.error):  # at its beginning, or behind a member
        return b"", "the answer is no gzip, as its header says"
    if len(body) > limit:
        return b"", f"the answer is larger than {limit} bytes"
    return body, ""


def _headers(response: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return headers


def _readable(sock: socket.socket) -> bool:
    """Whether an idle connection has something to say: its end, or what nobody asked for."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))

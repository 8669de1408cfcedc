"""One HTTP exchange with AWS over a connection that is kept: ``http.client`` and a pool of idle ones."""

from __future__ import annotations

import os
import select
from collections import defaultdict
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

CONNECT_TIMEOUT = 3.0
"""Seconds until a connection must stand."""


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
        self._idle: defaultdict[Origin, list[HTTPConnection]] = defaultdict(list)

    def exchange(
        self, origin: Origin, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Send one request, return its answer.

        Raises:
            NoAnswerError: could not connect, timed out, or the connection broke.
        """
        connection = self._take(origin)
        try:
            connection.request(method, path, body, {**headers})
            answer = connection.getresponse()
            response = Response(answer.status, answer.read())
        except (OSError, HTTPException) as error:
            connection.close()
            raise NoAnswerError(f"{origin.host}: {error or type(error).__name__}", sent=True) from error
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
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

    def _take(self, origin: Origin) -> HTTPConnection:
        idle = self._idle[origin]
        while True:
            try:
                connection = idle.pop()  # the one used last; atomic
            except IndexError:
                return self._connect(origin)
            if _is_open(connection):
                return connection
            connection.close()

    def _connect(self, origin: Origin) -> HTTPConnection:
        connection = (
            HTTPSConnection(origin.host, timeout=CONNECT_TIMEOUT, context=self._tls)
            if origin.secure
            else HTTPConnection(origin.host, timeout=CONNECT_TIMEOUT)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NoAnswerError(f"{origin.host}: {error}", sent=False) from error
        connection.sock.settimeout(self._timeout)
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import ssl  # noqa: PLC0415 - loading the authorities takes milliseconds that a plain endpoint need not pay

        return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))


def _is_open(connection: HTTPConnection) -> bool:
    """Whether it can be used: an idle one with something to read was closed by the other side meanwhile."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)

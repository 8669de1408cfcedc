"""A connection to a checked address, whose every wait is bounded.

The socket is connected here and handed to ``http.client`` as it is. So Host, SNI and certificate stay as
named, because nothing else knows of the address, and of the library's classes one method is overridden: it
passes over interim answers.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import time
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, parse_headers
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from causeway.calls.address import ForbiddenAddressError, LookUpError, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.calls.address import Origin

NoAnswer = Literal["connection", "timeout", "dns", "tls", "address"]

_CONNECT_WITHIN = 5.0
"""Seconds for one address, so that a dead one leaves time for the next."""

_MOST_INTERIM = 100
"""Interim answers before the answer proper; a server that works for long may say 102 every few seconds."""

_SWITCHING, _FINAL = 101, 200


class NoAnswerError(Exception):
    """There is no answer.

    Attributes:
        kind: ``connection``: the request was not sent whole; ``timeout``: it was, and its answer did not come
            whole; ``dns``: the name was not looked up; ``tls``: no secure connection came about; ``address``:
            the name leads where no call may go.
        dropped: the connection ended before the first byte of an answer, and not because time was up.
    """

    def __init__(self, reason: str, *, kind: NoAnswer, dropped: bool = False) -> None:
        super().__init__(reason)
        self.kind = kind
        self.dropped = dropped


class BoundedSocket(socket.socket):
    """A socket whose waits all end at one time, however many there are: a peer that drips gains nothing."""

    until: float = 0  # of time.monotonic()

    def arm(self) -> None:
        """Let the next wait last until then, and no longer."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("time is up")
        self.settimeout(left)

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        """Receive what is there."""
        self.arm()
        return super().recv_into(*arguments, **named)

    def send(self, *arguments: Any, **named: Any) -> int:
        """Send some."""
        self.arm()
        return super().send(*arguments, **named)

    def sendall(self, *arguments: Any, **named: Any) -> None:
        """Send it all."""
        self.arm()
        super().sendall(*arguments, **named)


class _BoundedTlsSocket(BoundedSocket, ssl.SSLSocket):
    """The same over TLS; the handshake is one wait."""


class _FinalResponse(HTTPResponse):
    """The answer proper, whatever interim ones come before it (RFC 9110 15.2).

    They are read where the library skips a 100 and nothing else. A 101 is no interim answer to us, who never
    ask for another protocol: what follows is none of ours.
    """

    def _read_status(self) -> tuple[str, int, str]:
        head = self._next_status()
        passed = 0
        while head[1] < _FINAL and head[1] != _SWITCHING:
            if passed == _MOST_INTERIM:
                raise HTTPException(f"more than {_MOST_INTERIM} interim answers")
            passed += 1
            try:
                parse_headers(self.fp)
                head = self._next_status()
            except ConnectionError as error:  # which is not dropped: an answer had begun
                raise HTTPException(f"it ended after an interim answer: {why(error)}") from error
        return head

    def _next_status(self) -> tuple[str, int, str]:
        head: tuple[str, int, str] = super()._read_status()  # type: ignore[misc] # not in its stubs
        return head


class Identity(NamedTuple):
    """The certificate that a client shows (mutual TLS), and its key, both in PEM."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Identity(...)"


class BadIdentityError(Exception):
    """Certificate and key are no PEM, or do not belong together."""


def tls_context(trusting: ssl.SSLContext | None = None, identity: Identity | None = None) -> ssl.SSLContext:
    """What secures connections: TLS 1.2 or later, certificate and name verified.

    Args:
        trusting: what to trust instead of the system's authorities, whose reading takes tens of milliseconds.
        identity: what to show to a server that asks for it.

    Raises:
        BadIdentityError: it cannot be shown.
    """
    if identity:
        authorities = trusting.get_ca_certs(binary_form=True) if trusting else []
        context = ssl.create_default_context(cadata=b"".join(authorities) or None)
        _show(context, identity)
    else:
        context = trusting or ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = _BoundedTlsSocket
    return context


def _show(context: ssl.SSLContext, identity: Identity) -> None:
    """OpenSSL takes certificates from files only: this one is the owner's alone, and gone at once."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # made with mode 0600
        file.write(f"{identity.key.strip()}\n{identity.certificate.strip()}\n")
        file.flush()
        try:
            context.load_cert_chain(file.name, password="")  # or it would be asked for on the terminal
        except (ssl.SSLError, ValueError, OSError):
            # Not chained: its text could quote what it read.
            raise BadIdentityError("certificate and key are not in PEM, or do not belong together") from None


def connect(
    origin: Origin, allow_private: tuple[str, ...], until: float, tls: Callable[[], ssl.SSLContext]
) -> HTTPConnection:
    """Connect to where an origin's name leads, if it may be called there.

    Args:
        origin: of the URL.
        allow_private: networks in CIDR notation that may be called besides public addresses.
        until: of ``time.monotonic()``.
        tls: what secures it, where it is to be secured.

    Raises:
        NoAnswerError: it may not be called, or cannot be reached, or is not who it should be.
    """
    kind: NoAnswer = "connection"
    try:
        # Made before there is a socket that it could leave open.
        context = tls() if origin.scheme == "https" else None
        sock = _connected(origin, allow_private, until)
        if context:
            kind = "tls"
            sock = _secured(sock, origin.host, context)
    except ForbiddenAddressError as error:
        raise NoAnswerError(f"{origin.host} may not be called: {error}", kind="address") from error
    except OSError as error:
        kind = "dns" if isinstance(error, LookUpError) else kind
        raise NoAnswerError(f"no connection to {origin.netloc}: {why(error)}", kind=kind) from error
    connection = HTTPConnection(origin.host, origin.port)
    connection.response_class = _FinalResponse
    connection.auto_open = 0  # it has its socket, and never makes one of its own
    connection.sock = sock
    return connection


def why(error: Exception) -> str:
    """An error in words, also where it brings none; what a server sent instead of HTTP is not among them."""
    if type(error) is BadStatusLine:
        return "what came is no HTTP"
    return str(error) or type(error).__name__


def _connected(origin: Origin, allow_private: tuple[str, ...], until: float) -> BoundedSocket:
    """The first checked address that answers."""
    addresses = resolve(origin.host, origin.port, allow_private, seconds=until - time.monotonic())
    failure: OSError = OSError("the name has no address")
    for family, address in addresses:
        sock = BoundedSocket(family, socket.SOCK_STREAM)
        try:
            sock.until = min(until, time.monotonic() + _CONNECT_WITHIN)
            sock.arm()
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        else:
            sock.until = until
            return sock
    raise failure


def _secured(sock: BoundedSocket, host: str, tls: ssl.SSLContext) -> BoundedSocket:
    try:
        sock.arm()  # for the whole handshake
        secured = tls.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    assert isinstance(secured, BoundedSocket)
    return secured

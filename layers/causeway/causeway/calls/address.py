"""Which addresses may be called, and the look-up of a name whose every address is checked.

The same rules hold for a literal host when the map is compiled (:func:`check_host`) and for what a name
resolves to when a call is sent (:func:`resolve`), so that a spelling that only the resolver understands
(``0x7f.1``, ``2130706433``) and a name that changes its mind (DNS rebinding) meet them all the same:

* Public addresses may be called. What is public follows the IANA special-purpose registries [1]_, as a table
  here, because :mod:`ipaddress` answers differently from one Python version to the next.
* A system's ``allow_private`` opens the networks that it names.
* Link-local networks are opened only by a network that lies inside them: ``0.0.0.0/0`` does not reach
  them, VPC Lattice's ``169.254.171.0/24`` does.
* Where AWS answers with credentials (instance and task metadata) and this function's own runtime API may
  never be called, whatever the map says.

An IPv4 address inside an IPv6 one (mapped, NAT64) counts as that IPv4 address. The other translations (6to4,
Teredo, IPv4-compatible) are relics that no API is served on, and not public.

.. [1] https://www.iana.org/assignments/iana-ipv4-special-registry,
       https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network
    from typing import Any

    Found = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]
    """The family of an address, and the address as a socket takes it."""

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network


def _all(texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts.split())


_NOT_PUBLIC = _all(
    """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    2001::/23 2001:db8::/32 2002::/16 3fff::/20
    """
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address
_LINK_LOCAL = _all("169.254.0.0/16 fe80::/10 fd00:ec2::/32")
_NEVER = _all("169.254.169.0/24 169.254.170.0/24 fd00:ec2::/64")

_LOOK_UP_WITHIN = 5.0
"""Seconds for a name: a resolver that does not answer must not use up the time of a whole invocation."""


class ForbiddenAddressError(Exception):
    """This address may not be called."""


class LookUpError(OSError):
    """There is no such name, or no answer in time."""


class Origin(NamedTuple):
    """Where a URL points: what connections are shared by."""

    scheme: str  # http or https
    host: str  # as it is written in Host, SNI and certificate; an IPv6 address without brackets
    port: int

    @property
    def netloc(self) -> str:
        """The value of ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> Origin:
    """The origin of a URL that may be called, for a base URL and for what is built on it.

    Raises:
        ValueError: it is no absolute http or https URL, or it holds a user name, which belongs in ``auth``.
    """
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("a URL has no spaces, backslashes or control characters")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("a URL begins with https:// (or http://) and a host")
    if not f"{parts.path}{parts.query}".isascii():
        raise ValueError("a URL is percent-encoded behind its host")
    if "@" in parts.netloc:
        raise ValueError("a URL holds no user name or password: use auth")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    return Origin(parts.scheme, host, parts.port or _PORTS[parts.scheme])


def check_base_url(url: str, allow_private: Sequence[str] = ()) -> None:
    """Check the base URL of a system, as far as it can be checked without a look-up.

    Raises:
        ValueError: it is none, or has a query or a fragment.
        ForbiddenAddressError: its host is an address that may not be called.
    """
    origin = origin_of(url)
    if "?" in url or "#" in url:
        raise ValueError("a base URL has no query and no fragment: they belong to the call")
    check_host(origin.host, origin.port, allow_private)


def check(address: str, port: int, allow_private: Sequence[str] = ()) -> None:
    """Check one address, as the resolver writes it.

    Args:
        address: an IPv4 or IPv6 address; a zone (``%eth0``) is ignored.
        port: which port of it.
        allow_private: networks in CIDR notation that may be called besides public addresses.

    Raises:
        ForbiddenAddressError: it may not be called.
    """
    ip = _plain(ip_address(address.partition("%")[0]))
    if _within(ip, _NEVER) or _is_runtime_api(ip, port):
        raise ForbiddenAddressError(f"{ip} is an address of the platform itself, which is never called")
    opened = [network for network in _networks(tuple(allow_private)) if _within(ip, [network])]
    if _within(ip, _LINK_LOCAL):
        opened = [network for network in opened if _inside(network, _LINK_LOCAL)]
    if not opened and not _public(ip):
        raise ForbiddenAddressError(
            f"{ip} is no public address; allow_private names the networks that may be called"
        )


def check_host(host: str, port: int, allow_private: Sequence[str] = ()) -> None:
    """Check a host before any look-up: what the compiler can know.

    Args:
        host: a name, or an address in any spelling that the resolver takes (``127.1``, ``0x7f000001``).
        port: which port of it.
        allow_private: networks in CIDR notation that may be called besides public addresses.

    Raises:
        ForbiddenAddressError: it is an address that may not be called.
    """
    for address in _spelled_out(host):
        check(address, port, allow_private)


def resolve(
    host: str, port: int, allow_private: Sequence[str] = (), *, seconds: float = _LOOK_UP_WITHIN
) -> list[Found]:
    """Look a name up, and check every address of it: one that may not be called refuses them all.

    Returns:
        Families and socket addresses to connect to, in the resolver's order. They are connected to as they
        are, never by the name again.

    Raises:
        ForbiddenAddressError: one of them may not be called.
        LookUpError: there is no such name, or no answer in time.
    """
    found = _look_up(host, port, min(seconds, _LOOK_UP_WITHIN))
    for _, sockaddr in found:
        check(str(sockaddr[0]), port, allow_private)
    return found


def _plain(ip: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip
    return ip


def _public(ip: Address) -> bool:
    return (ip.version == 4 or ip in _GLOBAL_UNICAST) and not _within(ip, _NOT_PUBLIC)  # noqa: PLR2004 - IPv4


def _within(ip: Address, networks: Sequence[Network]) -> bool:
    return any(ip in network for network in networks)


def _inside(network: Network, others: Sequence[Network]) -> bool:
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in others
    )


@lru_cache(maxsize=256)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def _is_runtime_api(ip: Address, port: int) -> bool:
    """Whether the Lambda runtime serves this function's own invocations there."""
    host, _, own_port = os.environ.get("AWS_LAMBDA_RUNTIME_API", "").rpartition(":")
    return own_port == str(port) and (ip.is_loopback or ip.is_unspecified or str(ip) == host)


def _spelled_out(host: str) -> list[str]:
    """The addresses that a host spells out; none where it is a name that must be looked up."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761
        return ["127.0.0.1", "::1"]
    with suppress(ValueError):
        return [str(ip_address(name))]
    with suppress(OSError):
        return [socket.inet_ntoa(socket.inet_aton(name))]
    return []


def _look_up(host: str, port: int, seconds: float) -> list[Found]:
    """``getaddrinfo`` within a time, which it cannot be given: it runs in a thread that is left behind."""
    answers: list[Sequence[tuple[socket.AddressFamily, int, int, str, Any]] | Exception] = []

    def work() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.append(error)

    thread = threading.Thread(target=work, name="look-up", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if not answers:
        raise LookUpError(f"{host} was not looked up within {seconds:.1f} s")
    if isinstance(answers[0], Exception):
        raise LookUpError(f"{host} cannot be looked up: {answers[0]}") from answers[0]
    return [(family, sockaddr) for family, _, _, _, sockaddr in answers[0]]

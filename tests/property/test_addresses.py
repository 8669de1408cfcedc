"""Whatever the spelling: an address that is not public is never called unless the map opened its network."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.calls.address import ForbiddenAddressError, check, check_host

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)

SPECIAL_V4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
]  # fmt: skip
PRIVATE_V4 = st.sampled_from(SPECIAL_V4).flatmap(lambda network: st.ip_addresses(network=ip_network(network)))


def allowed(address: str, networks: tuple[str, ...] = ()) -> bool:
    try:
        check(address, 443, networks)
    except ForbiddenAddressError:
        return False
    return True


def in_ipv6(address: IPv4Address) -> list[str]:
    """Every way in which an IPv6 address carries an IPv4 address."""
    number = int(address)
    return [
        str(IPv6Address(each))
        for each in (
            (0xFFFF << 32) | number,  # mapped
            number,  # compatible
            (0x64FF9B << 96) | number,  # NAT64
            (0x64FF9B0001 << 80) | number,  # NAT64, local
            (0x2002 << 112) | (number << 80) | 1,  # 6to4
            (0x20010000 << 96) | (number ^ 0xFFFFFFFF),  # Teredo, the client's
            (0x20010000 << 96) | (number << 64),  # Teredo, the server's
        )
    ]


def spellings(address: IPv4Address) -> list[str]:
    """Every way in which the resolver lets an IPv4 address be written."""
    first, second, third, fourth = address.packed
    number = int(address)
    return [
        str(address),
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        f"{first}.{number & 0xFFFFFF}",
        f"{first}.{second}.{number & 0xFFFF}",
        f"{first:#x}.{second:#x}.{third:#x}.{fourth:#x}",
        f"0{first:o}.0{second:o}.0{third:o}.0{fourth:o}",
    ]


@given(V4 | V6)
def test_what_may_be_called_is_global(address):
    if allowed(str(address)):
        assert address.is_global
        assert not address.is_multicast


@given(V4)
def test_global_ipv4_addresses_may_be_called(address):
    relays = ip_network("192.88.99.0/24"), ip_network("192.0.0.0/24"), ip_network("224.0.0.0/4")
    expected = address.is_global and not any(address in network for network in relays)
    assert allowed(str(address)) == expected


@given(PRIVATE_V4)
def test_a_private_address_inside_an_ipv6_address_stays_private(address):
    assert not any(allowed(each) for each in in_ipv6(address))


@given(PRIVATE_V4)
def test_every_spelling_of_a_private_address_is_seen(address):
    for spelling in spellings(address):
        assert socket.inet_ntoa(socket.inet_aton(spelling)) == str(address)
        with pytest.raises(ForbiddenAddressError):
            check_host(spelling, 443)


@given(PRIVATE_V4, st.integers(8, 32))
def test_a_network_of_the_map_opens_exactly_itself(address, prefix):
    network = ip_network(f"{address}/{prefix}", strict=False)
    link_local = ip_network("169.254.0.0/16")
    metadata = [ip_network("169.254.169.0/24"), ip_network("169.254.170.0/24")]
    never = any(address in each for each in metadata) or (
        address in link_local and not network.subnet_of(link_local)
    )
    assert allowed(str(address), (str(network),)) == (not never)
    outside = ip_address((int(address) + network.num_addresses) % 2**32)
    assert allowed(str(outside), (str(network),)) == allowed(str(outside))


@given(st.ip_addresses(network=ip_network("169.254.169.0/24")), st.lists(st.integers(0, 32)))
def test_no_network_opens_the_metadata_service(address, prefixes):
    networks = tuple(str(ip_network(f"{address}/{prefix}", strict=False)) for prefix in prefixes)
    assert not any(allowed(each, networks) for each in [str(address), *in_ipv6(address)])
    mapped, _, nat64, *_ = in_ipv6(address)
    assert not any(allowed(each, ("::/0", "0.0.0.0/0")) for each in (str(address), mapped, nat64))

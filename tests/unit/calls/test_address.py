"""Which addresses may be called."""

from __future__ import annotations

import socket
import threading

import pytest

from causeway.calls.address import (
    ForbiddenAddressError,
    LookUpError,
    check,
    check_base_url,
    check_host,
    origin_of,
    resolve,
)

EVERYTHING = ["0.0.0.0/0", "::/0"]


@pytest.mark.parametrize(
    "public",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public_addresses_may_be_called(public):
    check(public, 443)


@pytest.mark.parametrize(
    "private",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "100::1",
        "2001:db8::1", "2001::1", "3fff::1", "5f00::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",  # mapped
        "::127.0.0.1", "::8.8.8.8",  # compatible
        "2002:7f00:1::", "2002:0808:0808::1",  # 6to4
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8",  # NAT64
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    ],
)  # fmt: skip
def test_all_others_may_not(private):
    with pytest.raises(ForbiddenAddressError):
        check(private, 443)


@pytest.mark.parametrize(
    ("private", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("::1", "::1/128"),
        ("::ffff:10.1.2.3", "10.0.0.0/8"),
        ("64:ff9b::10.1.2.3", "10.0.0.0/8"),
        ("fd12::1", "fd12::/16"),
        ("64:ff9b:1::1", "64:ff9b:1::/48"),
    ],
)
def test_allow_private_opens_the_networks_that_it_names(private, network):
    check(private, 443, ["192.168.0.0/16", network])
    with pytest.raises(ForbiddenAddressError):
        check(private, 443, ["192.168.0.0/16"])


def test_link_local_networks_are_opened_only_by_themselves():
    """VPC Lattice serves on 169.254.171.0/24; who means that says so."""
    with pytest.raises(ForbiddenAddressError):
        check("169.254.171.5", 443, EVERYTHING)
    check("169.254.171.5", 443, ["169.254.171.0/24"])


@pytest.mark.parametrize(
    "metadata",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "::ffff:169.254.169.254",
    ],
)
def test_metadata_is_never_called(metadata):
    for allowed in (
        EVERYTHING,
        ["169.254.0.0/16", "fd00:ec2::/32"],
        ["169.254.169.254/32", "fd00:ec2::254/128"],
    ):
        with pytest.raises(ForbiddenAddressError, match="never called"):
            check(metadata, 80, allowed)


@pytest.mark.parametrize("spelling", ["127.0.0.1", "127.3.4.5", "::1", "0.0.0.0", "::ffff:127.0.0.1"])
def test_the_functions_own_runtime_api_is_never_called(monkeypatch, spelling):
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    check(spelling, 8080, EVERYTHING)
    with pytest.raises(ForbiddenAddressError, match="never called"):
        check(spelling, 9001, EVERYTHING)


@pytest.mark.parametrize(
    "spelling",
    [
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1",
        "::1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
    ],
)
def test_every_spelling_of_loopback_is_seen_before_any_look_up(spelling):
    with pytest.raises(ForbiddenAddressError):
        check_host(spelling, 80)
    check_host(spelling, 80, ["127.0.0.0/8", "::1/128"])


@pytest.mark.parametrize("spelling", ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "localhost"])
def test_every_spelling_of_loopback_is_seen_when_it_is_called(spelling):
    with pytest.raises(ForbiddenAddressError):
        resolve(spelling, 80)
    assert {found[1][0] for found in resolve(spelling, 80, ["127.0.0.0/8", "::1/128"])} <= {
        "127.0.0.1",
        "::1",
    }


def test_localhost_is_both_loopback_addresses():
    """So that what the compiler lets pass is not refused where the resolver knows IPv6."""
    with pytest.raises(ForbiddenAddressError, match=r"::1 is no public address"):
        check_host("localhost", 80, ["127.0.0.0/8"])


def test_names_are_not_looked_up_by_the_compiler():
    check_host("internal.example.com", 443)


def answer_with(monkeypatch, *addresses: str):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_one_forbidden_address_refuses_them_all(monkeypatch):
    answer_with(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(ForbiddenAddressError, match=r"10\.0\.0\.1"):
        resolve("shop.example.com", 443)


def test_what_is_returned_is_what_was_checked(monkeypatch):
    answer_with(monkeypatch, "8.8.8.8", "8.8.4.4")
    assert [each for _, each in resolve("shop.example.com", 443)] == [("8.8.8.8", 443), ("8.8.4.4", 443)]


def test_a_slow_look_up_ends_in_time(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10))
    with pytest.raises(LookUpError, match=r"shop\.example\.com was not looked up within"):
        resolve("shop.example.com", 443, seconds=0.05)
    over.set()


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 70 + ".example.com", "a..b"])
def test_a_name_that_is_none_is_an_error_of_the_connection(monkeypatch, name):
    with pytest.raises(LookUpError, match=r"cannot be looked up|not looked up"):
        resolve(name, 443)


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "origin", "netloc"),
        [
            ("https://shop.example.com/api", ("https", "shop.example.com", 443), "shop.example.com"),
            ("https://Shop.Example.com:443", ("https", "shop.example.com", 443), "shop.example.com"),
            ("http://127.0.0.1:8080/", ("http", "127.0.0.1", 8080), "127.0.0.1:8080"),
            ("https://[2606:4700::1]/x", ("https", "2606:4700::1", 443), "[2606:4700::1]"),
            ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443), "xn--bcher-kva.example"),
        ],
    )
    def test_origin(self, url, origin, netloc):
        assert origin_of(url) == origin
        assert origin_of(url).netloc == netloc

    @pytest.mark.parametrize(
        "url",
        [
            "", "shop.example.com", "//shop.example.com", "ftp://shop.example.com", "file:///etc/passwd", "https://",
            "https:///x", "https://user:pw@shop.example.com", "https://@shop.example.com", "https://shop.example.com:x",
            "https://shop.example.com:99999", "https://shop.example.com/ x", "https://shop.example.com\\@evil.example",
            "https://shop.example.com\n", "https://[::1", "https://" + "ü" * 70,
            "https://shop.example.com/ü", "https://shop.example.com/?ü",
        ],
    )  # fmt: skip
    def test_other_urls_are_errors(self, url):
        with pytest.raises(ValueError, match=r"."):
            origin_of(url)

    @pytest.mark.parametrize(
        "url", ["https://shop.example.com/?a=1", "https://shop.example.com/?", "https://shop.example.com/#a"]
    )
    def test_a_base_url_has_no_query_and_no_fragment(self, url):
        with pytest.raises(ValueError, match="no query and no fragment"):
            check_base_url(url)

    def test_the_host_of_a_base_url_is_checked(self):
        with pytest.raises(ForbiddenAddressError):
            check_base_url("http://169.254.169.254/latest", EVERYTHING)

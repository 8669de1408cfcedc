"""No spelling of an address, and no name, makes a call go where none may go: at compile time and when it is sent.

Vectors for each way that is known (OWASP's cheat sheet on server-side request forgery, and what resolvers take).
"""

from __future__ import annotations

import socket

import pytest

from causeway.calls.address import ForbiddenAddressError, check_base_url, origin_of
from causeway.calls.connection import BoundedSocket, NoAnswerError
from causeway.calls.request import Request
from causeway.calls.transport import Transport

EVERYTHING = ("0.0.0.0/0", "::/0")

LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0X7F.1", "0177.1", "017700000001",
    "0x7f.0x0.0x0.0x1", "0177.0000.0000.0001", "127.0x0.0.1", "127.0.0.1.", "0", "0.0.0.0", "0x0",
    "localhost", "LocalHost", "localhost.", "sub.localhost",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "10.1", "0xa.1", "012.1", "167772161", "172.16.0.1", "192.168.1", "3232235777", "100.64.0.1", "198.18.0.1",
    "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "224.0.0.1",
    "[ff02::1]", "255.255.255.255", "[fe80::1]",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "169.254.170.2", "169.254.170.23",
    "169.254.169.253", "[fd00:ec2::254]", "[fd00:ec2::23]",
]  # fmt: skip


@pytest.fixture
def connected(monkeypatch):
    """Where something was connected to; nothing is."""
    found = []

    def connect(_, address):
        found.append(address[0])
        raise ConnectionRefusedError("only looked at")

    monkeypatch.setattr(BoundedSocket, "connect", connect, raising=False)
    return found


def send(host, *, allow=(), port=""):
    request = Request("GET", f"http://{host}{port}/", {}, None)
    with pytest.raises(NoAnswerError) as failure:
        Transport().exchange(request, allow_private=allow, seconds=2, repeatable=False)
    return failure.value


@pytest.mark.parametrize("host", LOOPBACK + PRIVATE + METADATA)
def test_no_spelling_gets_past_the_compiler(host):
    with pytest.raises((ForbiddenAddressError, ValueError)):
        check_base_url(f"http://{host}/")


@pytest.mark.parametrize("host", LOOPBACK + PRIVATE + METADATA)
def test_no_spelling_gets_connected_to(host, connected):
    """A base URL may be a secret, so what compiles says nothing of what is sent; some are no name to a resolver."""
    try:
        failure = send(host)
    except ValueError:
        pass
    else:
        assert failure.kind in ("address", "dns")
    assert connected == []


@pytest.mark.parametrize("host", METADATA)
def test_credentials_of_the_platform_are_out_of_reach_whatever_the_map_allows(host, connected):
    with pytest.raises(ForbiddenAddressError):
        check_base_url(f"http://{host}/", EVERYTHING)
    assert send(host, allow=EVERYTHING).kind == "address"
    assert connected == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_the_functions_own_runtime_api_is_out_of_reach_whatever_the_map_allows(host, connected, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    with pytest.raises(ForbiddenAddressError):
        check_base_url(f"http://{host}:9001/", EVERYTHING)
    assert send(host, allow=EVERYTHING, port=":9001").kind == "address"
    assert connected == []


@pytest.mark.parametrize("answer", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"])
def test_a_name_that_leads_there_is_not_connected_to(answer, connected, monkeypatch):
    family = socket.AF_INET6 if ":" in answer else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (answer, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert send("shop.example.com").kind == "address"
    assert connected == []


def test_a_name_that_changes_its_mind_is_looked_up_once_and_what_was_checked_is_connected_to(
    connected, monkeypatch
):
    answers = ["8.8.8.8", "127.0.0.1", "127.0.0.1"]
    asked = []

    def look_up(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert send("shop.example.com").kind == "connection"
    assert (asked, connected) == (["shop.example.com"], ["8.8.8.8"])


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com@127.0.0.1/", "http://127.0.0.1@shop.example.com/", "http://127.0.0.1\\@shop.example.com/",
        "http://shop.example.com\t.evil.example/", "http://shop.example.com\r\nHost: evil.example/", "gopher://127.0.0.1/",
        "file:///proc/self/environ", "http:///127.0.0.1/", "http:127.0.0.1/", "//127.0.0.1/", "http://[::1%25eth0]\n/",
    ],
)  # fmt: skip
def test_a_url_that_two_readers_would_read_differently_is_none(url):
    with pytest.raises((ValueError, ForbiddenAddressError)):
        origin_of(url)

"""The connections of exchanges, with real servers: used again, to the checked address, over TLS."""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from causeway.calls import transport as module
from causeway.calls.transport import Transport
from tests.support.exchanges import failure, post
from tests.support.target import Reply, Target
from tests.support.tls import Authority


class TestConnections:
    def test_are_used_again_and_shared_by_threads(self, target, transport):
        target.on("/", Reply(delay=0.02))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: post(transport, target.url + "/").status, range(40)))
        assert answers == [200] * 40
        assert target.connections <= 4

    def test_are_not_used_again_once_the_server_closed_them(self, target, transport):
        """The reused connection's end is seen before a request is sent on it, so this is no failure of any kind."""
        target.on("/", Reply(close_silently=True))
        for _ in range(5):
            assert post(transport, target.url + "/", None).status == 200
            time.sleep(0.01)
        assert (target.connections, len(target.requests)) == (5, 5)

    def test_are_not_used_again_when_they_have_been_idle_for_long(self, target, transport, monkeypatch):
        post(transport, target.url)
        monkeypatch.setattr(module, "_IDLE_FOR", 0.0)
        post(transport, target.url)
        assert target.connections == 2

    def test_are_not_used_again_when_the_server_said_so(self, target, transport):
        target.on("/", Reply(close=True))
        post(transport, target.url + "/")
        post(transport, target.url + "/")
        assert target.connections == 2

    @pytest.mark.parametrize(("repeatable", "requests"), [(True, 3), (False, 2)])
    def test_a_reused_connection_that_dies_unanswered_is_replaced_once_where_that_is_harmless(
        self, target, transport, repeatable, requests
    ):
        """The server closes an idle connection in the moment in which a request is sent on it."""
        target.on("/", Reply(), Reply(drop="unanswered"), Reply(201))
        post(transport, target.url + "/")
        if repeatable:
            assert post(transport, target.url + "/", repeatable=True).status == 201
        else:
            assert failure(transport, target.url + "/", repeatable=False).kind == "timeout"
        assert len(target.requests) == requests

    def test_a_reused_connection_that_dies_after_an_interim_answer_is_not_replaced(self, target, transport):
        """The server has begun to answer: it did not close what it took for idle."""
        target.on("/", Reply(), Reply(interim=(102,), drop="unanswered"), Reply(201))
        post(transport, target.url + "/")
        assert failure(transport, target.url + "/", repeatable=True).kind == "timeout"
        assert len(target.requests) == 2

    def test_what_was_not_sent_whole_on_a_reused_connection_is_sent_on_a_new_one(self, target, transport):
        target.on("/", Reply(), Reply(drop="unread"), Reply(201))
        post(transport, target.url + "/")
        assert post(transport, target.url + "/", b"x" * 5_000_000, repeatable=False).status == 201

    def test_a_new_connection_that_dies_unanswered_is_a_failure(self, target, transport):
        target.on("/", Reply(drop="unanswered"), Reply(201))
        assert failure(transport, target.url + "/", repeatable=True).kind == "timeout"
        assert len(target.requests) == 1

    def test_a_request_that_ran_out_of_time_is_not_repeated(self, target, transport):
        target.on("/", Reply(), Reply(delay=1))
        post(transport, target.url + "/")
        assert failure(transport, target.url + "/", seconds=0.2, repeatable=True).kind == "timeout"
        assert len(target.requests) == 2


class TestAddress:
    def test_the_checked_address_is_the_one_connected_to(self, target, transport, monkeypatch):
        """A name that answers differently the second time (DNS rebinding) is looked up only once per connection."""
        answers = iter([_found("127.0.0.1", target.port), _found("10.0.0.1", target.port)])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
        assert post(transport, f"http://shop.example.com:{target.port}/").status == 200
        assert target.requests[0].headers["host"] == f"shop.example.com:{target.port}"

    def test_the_next_address_is_tried_when_one_does_not_answer(self, target, transport, monkeypatch):
        found = _found("127.0.0.2", target.port) + _found("127.0.0.1", target.port)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert post(transport, f"http://shop.example.com:{target.port}/").status == 200


@pytest.mark.usefixtures("named")
class TestTls:
    @pytest.fixture
    def authority(self, tmp_path):
        return Authority(tmp_path)

    @pytest.fixture
    def named(self, monkeypatch):
        """Every name is on loopback."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **__: _found("127.0.0.1", port))

    def test_sni_and_certificate_are_of_the_name_although_an_address_is_connected_to(self, authority):
        context = authority.server("shop.example.com")
        seen = []
        context.sni_callback = lambda _socket, name, _context: seen.append(name)
        transport = Transport(tls=authority.client())
        with Target(tls=context) as target:
            for _ in range(2):
                assert post(transport, f"https://shop.example.com:{target.port}/").status == 200
            assert target.connections == 1
        transport.close()
        assert seen == ["shop.example.com"]

    @pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
    def test_a_certificate_for_another_name_is_refused(self, authority, host):
        transport = Transport(tls=authority.client())
        with Target(tls=authority.server("shop.example.com")) as target:
            error = failure(transport, f"https://{host}:{target.port}/")
            assert not target.requests
        assert error.kind == "tls"
        assert "certificate verify failed" in str(error)

    def test_a_certificate_of_an_unknown_authority_is_refused(self, authority):
        with Target(tls=authority.server("shop.example.com")) as target:
            error = failure(Transport(), f"https://shop.example.com:{target.port}/")
            assert not target.requests
        assert error.kind == "tls"

    def test_an_answer_over_tls_ends_in_time_however_it_drips(self, authority):
        transport = Transport(tls=authority.client())
        with Target(tls=authority.server("shop.example.com")) as target:
            target.on("/", Reply(drip=0.05))
            begun = time.monotonic()
            assert (
                failure(transport, f"https://shop.example.com:{target.port}/", seconds=0.5).kind == "timeout"
            )
            assert time.monotonic() - begun < 2

    def test_an_old_protocol_is_refused(self, authority):
        context = authority.server("shop.example.com")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with Target(tls=context) as target:
            error = failure(Transport(tls=authority.client()), f"https://shop.example.com:{target.port}/")
        assert error.kind == "tls"


def _found(address: str, port: int):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

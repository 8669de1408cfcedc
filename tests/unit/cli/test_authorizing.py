"""A consent: the page that is opened, the redirect that comes back, the code that becomes a refresh token."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from causeway.calls.transport import Transport
from causeway_cli.authorizing import OutSecrets
from causeway_cli.consent import Client, Redirect
from causeway_cli.errors import CommandError
from tests.support.calls import LOOPBACK
from tests.support.target import Reply, Target
from tests.support.tokens import oauth


@pytest.fixture
def server():
    with Target() as running:
        running.on("/token", Reply(200, {"access_token": "a", "refresh_token": "r"}))
        yield running


@pytest.fixture
def client(server):
    transport = Transport()

    def make(**changes):
        auth = oauth(
            f"{server.url}/token",
            grant="refresh_token",
            refresh_token="crm/refresh",
            authorize_url=f"{server.url}/consent?tenant=7",
            scope="read offline_access",
            extra={"access_type": "offline", "hidden": {"secret": "secret"}},
        )
        auth = {name: value for name, value in (auth | changes).items() if value is not None}
        return Client(auth, tuple(LOOPBACK), lambda _: "s3cret", transport)

    yield make
    transport.close()


def asked(page):
    return {name: value for name, [value] in parse_qs(urlsplit(page).query).items()}


def visit(address):
    return urllib3.request("GET", address, retries=False, timeout=5)


def test_the_page_asks_for_what_the_map_says_and_tells_no_secret(client, server):
    page = client().page("http://127.0.0.1:1/callback")
    assert page.startswith(f"{server.url}/consent?tenant=7&")
    wanted = {
        "tenant": "7",
        "response_type": "code",
        "client_id": "us",
        "redirect_uri": "http://127.0.0.1:1/callback",
        "scope": "read offline_access",
        "access_type": "offline",
        "code_challenge_method": "S256",
    }
    assert asked(page).items() >= wanted.items()
    assert "hidden" not in page
    assert "s3cret" not in page


def test_a_code_is_exchanged_with_the_verifier_of_its_challenge(client, server):
    one = client()
    page = one.page("http://127.0.0.1:1/callback")
    assert one.exchange("c0de", "http://127.0.0.1:1/callback", now=0.0) == "r"
    fields = {name: value for name, [value] in parse_qs(server.requests[0].body.decode()).items()}
    digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked(page)["code_challenge"]
    assert (fields["grant_type"], fields["code"]) == ("authorization_code", "c0de")
    assert fields["redirect_uri"] == "http://127.0.0.1:1/callback"
    assert server.requests[0].headers["authorization"].startswith("Basic ")


def test_the_page_is_found_by_the_servers_metadata(client, server):
    server.on("/.well-known/oauth-authorization-server", Reply(404))
    server.on("/.well-known/openid-configuration", Reply(200, {"authorization_endpoint": f"{server.url}/x"}))
    assert client(authorize_url=None).page("http://127.0.0.1:1/").startswith(f"{server.url}/x?")


def test_a_server_that_does_not_say_where_is_told(client, server):
    server.on("/.well-known/oauth-authorization-server", Reply(404))
    server.on("/.well-known/openid-configuration", Reply(200, "<html>"))
    with pytest.raises(CommandError, match="write `authorize_url`"):
        client(authorize_url=None).page("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(200, {"access_token": "a"}), "offline_access"),
        (Reply(400, {"error": "invalid_grant", "error_description": "c0de"}), "invalid_grant"),
        (Reply(drop="unanswered"), "no token for it"),
    ],
)
def test_no_refresh_token_is_told_with_a_remedy_and_no_secret(client, server, reply, message):
    server.on("/token", reply)
    with pytest.raises(CommandError, match=message) as caught:
        client().exchange("c0de", "http://127.0.0.1:1/", now=0.0)
    assert "c0de" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


class TestRedirect:
    def test_the_browser_brings_the_code(self):
        with Redirect(0, "st") as redirect:
            assert redirect.uri.startswith("http://127.0.0.1:")
            page = visit(f"{redirect.uri}?state=st&code=c0de")
            assert b"You can close this page" in page.data
            assert redirect.wait(within=5) == "c0de"

    def test_an_answer_with_another_state_is_somebody_elses(self):
        with Redirect(0, "st") as redirect:
            for query in ("state=other&code=bad", "code=bad", ""):
                assert b"not the answer" in visit(f"{redirect.uri}?{query}").data
            visit(f"{redirect.uri}?state=st&code=good")
            assert redirect.wait(within=5) == "good"

    def test_a_refusal_is_told_and_shows_nothing_of_the_servers_in_the_page(self):
        with Redirect(0, "st") as redirect:
            page = visit(f"{redirect.uri}?state=st&error=access_denied&error_description=%3Cscript%3E")
            assert b"script" not in page.data
            with pytest.raises(CommandError, match="the server refused: access_denied"):
                redirect.wait(within=5)

    def test_nobody_consents_in_time(self):
        with Redirect(0, "st") as redirect, pytest.raises(CommandError, match="nobody consented"):
            redirect.wait(within=0.05)

    def test_other_addresses_are_nothing(self):
        with Redirect(0, "st") as redirect:
            assert visit(redirect.uri.replace("callback", "favicon.ico")).status == 404

    def test_a_port_that_is_taken_is_told(self):
        with Redirect(0, "st") as redirect:
            port = urlsplit(redirect.uri).port
            with pytest.raises(CommandError, match=f"port {port} cannot be listened to"):
                Redirect(port, "st")


class HeldStored:
    def __init__(self, **values):
        self.values = values

    def get(self, use):
        return self.values.get(use.name)

    def put(self, use, value):
        self.values[use.name] = value


class TestOutSecrets:
    def test_a_secret_is_put_whole(self):
        stored = HeldStored()
        OutSecrets(stored).put("crm", "r")
        assert stored.values == {"crm": "r"}

    def test_a_field_is_put_beside_the_others(self):
        stored = HeldStored(crm='{"id": "1", "refresh": "old"}')
        OutSecrets(stored).put("crm#refresh", "new")
        assert stored.values == {"crm": '{"id": "1", "refresh": "new"}'}

    def test_what_is_no_object_is_left_as_it_is(self):
        stored = HeldStored(crm="text")
        with pytest.raises(CommandError, match="no JSON object"):
            OutSecrets(stored).put("crm#refresh", "new")
        assert stored.values == {"crm": "text"}

    def test_a_missing_secret_says_how_to_put_it(self):
        with pytest.raises(CommandError, match="causeway secrets put crm"):
            OutSecrets(HeldStored()).reveal("crm#client")

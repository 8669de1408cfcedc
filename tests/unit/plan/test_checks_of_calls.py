"""What may be called: paths, addresses, headers."""

from __future__ import annotations

import pytest

from tests.support.maps import errors, told, told_of_api


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("in", "a path below the system's base_url: it begins with one /"),
        ("//evil.example.com/in", "a path below the system's base_url: it begins with one /"),
        ("https://evil.example.com/in", "a path below the system's base_url: it begins with one /"),
        ("${data.url}", "a path below the system's base_url: it begins with one /"),
        ("/in?dry=1", "has a `?` or `#`: parameters stand in `query`, where they are encoded"),
        ("/in#a", "has a `?` or `#`: parameters stand in `query`, where they are encoded"),
        ("/a/../b", "leads elsewhere: a path has no . and no .. between its slashes"),
        ("/${data.id?}", "nothing can be left out of a path: write the expression without its `?`"),
    ],
)
def test_a_path_stays_below_its_base_url(tmp_path, path, message):
    assert told(tmp_path, target=f"{{system: desk, post: '{path}'}}") == [f"target.post: {message}"]


@pytest.mark.parametrize(
    "path", ["/in", "", "/a.b/..c", "/items/${data.items[?id == `1`] | [0].id}", "/a%2Fb"]
)
def test_a_path_may_hold_whatever_an_expression_holds(tmp_path, path):
    assert told(tmp_path, target=f"{{system: desk, post: '{path}'}}") == []


@pytest.mark.parametrize(
    ("api", "problem"),
    [
        ("base_url: http://desk.example.com", "must be https: http is only for private addresses"),
        ("base_url: http://8.8.8.8", "must be https: http is only for private addresses"),
        (
            "base_url: http://8.8.8.8, allow_private: [8.8.8.0/24]",
            "must be https: http is only for private addresses",
        ),
        ("base_url: http://127.0.0.1:9000", "127.0.0.1 is no public address"),
        ("base_url: http://localhost:9000", "127.0.0.1 is no public address"),
        ("base_url: https://10.0.0.1", "10.0.0.1 is no public address"),
        ("base_url: 'https://[::1]'", "::1 is no public address"),
        ("base_url: https://0x7f.1", "127.0.0.1 is no public address"),
        (
            "base_url: http://169.254.169.254, allow_private: [169.254.0.0/16]",
            "an address of the platform itself",
        ),
        ("base_url: ftp://desk.example.com", "a URL begins with https:// (or http://) and a host"),
        ("base_url: desk.example.com", "a URL begins with https:// (or http://) and a host"),
        ("base_url: 'https://me:secret@desk.example.com'", "a URL holds no user name or password: use auth"),
        (
            "base_url: 'https://desk.example.com/?a=1'",
            "a base URL has no query and no fragment: they belong to the call",
        ),
        ("base_url: 'https://${data.host}'", "taken as it is: no expression can stand here"),
    ],
)
def test_a_base_url_may_be_called(tmp_path, api, problem):
    (message,) = told_of_api(tmp_path, api)
    assert message.startswith("api.base_url: ")
    assert problem in message
    assert "secret@" not in message


@pytest.mark.parametrize(
    "api",
    [
        "base_url: https://desk.example.com:8443/v1/",
        "base_url: http://127.0.0.1:9000, allow_private: [127.0.0.0/8]",
        "base_url: http://localhost:9000, allow_private: [127.0.0.1/32, '::1/128']",
        "base_url: http://desk.internal, allow_private: [10.0.0.0/8]",
        "base_url: 'http://[fd00::1]', allow_private: ['fd00::/8']",
    ],
)
def test_private_addresses_may_be_called_where_allow_private_names_them(tmp_path, api):
    assert told_of_api(tmp_path, api) == []


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ("{Host: a}", "belongs to the connection"),
        ("{content-length: '1'}", "belongs to the connection"),
        ("{Idempotency-Key: a}", "set by Causeway on every call"),
        ("{Authorization: Bearer abc}", "a credential is never written in a manifest"),
        ('{A: "b\\nc"}', "has a line break or another character that is not printable ASCII"),
    ],
)
def test_headers_that_no_manifest_sets(tmp_path, headers, problem):
    (message,) = told_of_api(tmp_path, f"base_url: https://a.example.com, headers: {headers}")
    assert problem in message
    (message,) = told(tmp_path, target=f"{{system: desk, post: /in, headers: {headers}}}")
    assert problem in message


def test_headers_of_answers_are_held_to_the_same(tmp_path):
    hub = 'system: hub\nwebhooks: {scheme: github, secrets: [a], reply: {headers: {A: "b\\nc", Host: d}}}\n'
    assert errors(tmp_path, {"systems/hub.yaml": hub}) == [
        (
            "systems/hub.yaml:2: webhooks.reply.headers.A: has a line break or another character that is not "
            "printable ASCII, which no header can hold"
        ),
        "systems/hub.yaml:2: webhooks.reply.headers.Host: belongs to the connection: no manifest sets it",
    ]


def test_an_authorization_header_may_be_a_secret(tmp_path):
    headers = "{Authorization: {secret: desk/authorization}}"
    assert told_of_api(tmp_path, f"base_url: https://a.example.com, headers: {headers}") == []

"""A call and an event make a request."""

from __future__ import annotations

import base64

import pytest

from causeway.calls.request import make_request
from causeway.events.expressions import ExpressionError
from causeway.settings.secrets import SecretMissing
from tests.support.calls import HeldSecrets, make_api, make_call

SECRETS = HeldSecrets(
    **{"ledger/token": "t0p", "ledger/url": "https://hooks.example.com/services/T0", "name": "joe"}
)


def request(call=None, *, api=None, data=None, secrets=SECRETS, headers=None):
    return make_request(
        call or make_call(),
        api or make_api(),
        {"data": data},
        reveal=lambda name: secrets.current([name])[0],
        headers=headers or {},
    )


class TestUrl:
    @pytest.mark.parametrize(
        ("base", "path", "url"),
        [
            ("https://h", "/a", "https://h/a"),
            ("https://h/", "/a", "https://h/a"),
            ("https://h/v1", "/a/b", "https://h/v1/a/b"),
            ("https://h/v1/", "/a", "https://h/v1/a"),
            ("https://h/v1", "/", "https://h/v1"),
            ("https://h/v1/", "/", "https://h/v1/"),
            ({"secret": "ledger/url"}, "/", "https://hooks.example.com/services/T0"),
        ],
    )
    def test_the_path_is_below_the_base_url(self, base, path, url):
        assert request(make_call(path=path), api=make_api(base)).url == url

    @pytest.mark.parametrize("value", ["..", ".", "../x", "..\\x", "%2e%2e/x", ""])
    def test_a_value_cannot_climb_out_of_its_place(self, value):
        call = make_call(path="/orders/${data.id}")
        try:
            url = request(call, data={"id": value}).url
        except ExpressionError:
            return
        assert url.startswith("https://ledger.example.com/api/orders/")
        assert "/" not in url.removeprefix("https://ledger.example.com/api/orders/")

    @pytest.mark.parametrize(
        "value", ["@evil.example", "//evil.example", "?x=1", "#x", "\r\nHost: evil", "ü/ä"]
    )
    def test_a_value_cannot_change_host_query_or_headers(self, value):
        url = request(make_call(path="/${data.id}"), data={"id": value}).url
        assert url.startswith("https://ledger.example.com/api/")
        assert not set(url.removeprefix("https://ledger.example.com/api/")) & set("/?#@\r\n")

    def test_the_query_is_encoded_and_lists_repeat_their_parameter(self):
        call = make_call(query={"q": "${data.q}", "id": "${data.ids}", "none": "${data.none?}", "dry": False})
        assert request(call, data={"q": "a&b=c", "ids": [1, 2]}).url.endswith(
            "?q=a%26b%3Dc&id=1&id=2&dry=false"
        )

    def test_null_in_a_query_is_an_error(self):
        with pytest.raises(ExpressionError, match="null"):
            request(make_call(query={"q": "${data.q}"}), data={})


class TestHeaders:
    def test_every_request_says_who_sends_it(self):
        assert request().headers["User-Agent"].startswith("causeway/")

    def test_the_later_one_counts_whatever_its_case(self):
        api = make_api(
            headers={"X-Tenant": "system", "accept": "a"}, auth={"type": "bearer", "token": "ledger/token"}
        )
        call = make_call(headers={"x-tenant": "call", "AUTHORIZATION": "call", "user-agent": "mine/1"})
        headers = request(call, api=api, headers={"Idempotency-Key": "k", "ACCEPT": "b"}).headers
        assert headers["x-tenant"] == "call"
        assert headers["ACCEPT"] == "b"
        assert headers["user-agent"] == "mine/1"
        assert headers["Idempotency-Key"] == "k"
        assert headers["Authorization"] == "Bearer t0p"
        assert len(headers) == len({name.lower() for name in headers})

    def test_a_secret_may_be_a_headers_value(self):
        api = make_api(headers={"X-Key": {"secret": "ledger/token"}})
        assert request(api=api).headers["X-Key"] == "t0p"

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\ud800b", None, [1], {}])
    def test_a_value_cannot_add_a_header(self, value):
        with pytest.raises(ExpressionError, match="header X-Ref"):
            request(make_call(headers={"X-Ref": "${data.ref}"}), data={"ref": value})

    def test_a_secret_with_a_line_break_is_told_but_not_shown(self):
        api = make_api(auth={"type": "bearer", "token": "ledger/token"})
        with pytest.raises(SecretMissing, match="ledger/token has a line break") as caught:
            request(api=api, secrets=HeldSecrets(**{"ledger/token": "t0p\n"}))
        assert "t0p" not in str(caught.value)

    def test_an_optional_header_without_a_value_is_left_out(self):
        assert "X-Ref" not in request(make_call(headers={"X-Ref": "${data.ref?}"}), data={}).headers


class TestAuth:
    @pytest.mark.parametrize(
        ("auth", "header", "value"),
        [
            ({"type": "bearer", "token": "ledger/token"}, "Authorization", "Bearer t0p"),
            (
                {"type": "basic", "username": "jürgen", "password": "ledger/token"},
                "Authorization",
                "jürgen:t0p",
            ),
            (
                {"type": "basic", "username": {"secret": "name"}, "password": "ledger/token"},
                "Authorization",
                "joe:t0p",
            ),
            ({"type": "api_key", "key": "ledger/token", "header": "X-Api-Key"}, "X-Api-Key", "t0p"),
        ],
    )
    def test_in_a_header(self, auth, header, value):
        if auth["type"] == "basic":
            value = f"Basic {base64.b64encode(value.encode()).decode()}"
        assert request(api=make_api(auth=auth)).headers[header] == value

    def test_in_the_query(self):
        secrets = HeldSecrets(key="a&b c")
        api = make_api(auth={"type": "api_key", "key": "key", "query": "api_key"})
        assert request(api=api, secrets=secrets).url.endswith("/entries?api_key=a%26b%20c")
        call = make_call(query={"dry": True})
        assert request(call, api=api, secrets=secrets).url.endswith("/entries?dry=true&api_key=a%26b%20c")

    def test_none(self):
        assert "Authorization" not in request().headers

    def test_a_secret_that_is_not_there_is_our_fault(self):
        with pytest.raises(SecretMissing):
            request(api=make_api(auth={"type": "bearer", "token": "other"}))

    def test_what_is_shown_holds_placeholders(self):
        api = make_api({"secret": "ledger/url"}, auth={"type": "bearer", "token": "ledger/token"})
        shown = make_request(
            make_call(),
            api,
            {"data": {}},
            reveal=lambda name: f"<secret {name}>",
            headers={"Idempotency-Key": "k"},
        )
        assert shown.url == "<secret ledger/url>/entries"
        assert shown.headers["Authorization"] == "Bearer <secret ledger/token>"

    def test_a_request_does_not_show_its_secrets_in_a_log(self):
        made = request(api=make_api(auth={"type": "bearer", "token": "ledger/token"}), data={"card": "4111"})
        assert "t0p" not in repr(made)
        assert "4111" not in repr(made)


class TestBody:
    @pytest.mark.parametrize(
        ("content", "data", "sent", "content_type"),
        [
            ("json", {"a": [1, None, "ü"]}, b'{"a":[1,null,"\\u00fc"]}', "application/json"),
            ("json", None, b"null", "application/json"),
            ("json", "\ud800", b'"\\ud800"', "application/json"),
            (
                "form",
                {"a": "x y", "b": [1, True]},
                b"a=x%20y&b=1&b=true",
                "application/x-www-form-urlencoded",
            ),
            ("ndjson", [{"a": 1}, 2], b'{"a":1}\n2\n', "application/x-ndjson"),
            ("ndjson", [], b"", "application/x-ndjson"),
            ("text", "grün", "grün".encode(), "text/plain; charset=utf-8"),
        ],
    )
    def test_is_what_its_content_says(self, content, data, sent, content_type):
        made = request(make_call(content=content), data=data)
        assert made.body == sent
        assert made.headers["Content-Type"] == content_type

    @pytest.mark.parametrize(
        ("content", "data"),
        [
            ("json", float("nan")),
            ("json", {1, 2}),
            ("form", [1]),
            ("form", {"a": None}),
            ("form", {"a": {"b": 1}}),
            ("form", {"a": "\ud800"}),
            ("ndjson", {"a": 1}),
            ("ndjson", [float("inf")]),
            ("text", 5),
            ("text", "\ud800"),
        ],
    )
    def test_that_cannot_be_that_is_an_error_of_the_delivery(self, content, data):
        with pytest.raises(ExpressionError):
            request(make_call(content=content), data=data)

    def test_values_are_never_read_as_texts(self):
        made = request(make_call(content="form"), data={"a": "${constants.key}"})
        assert made.body == b"a=%24%7Bconstants.key%7D"

    def test_no_body_has_no_type(self):
        for body in (None, "${data.note?}"):
            made = request(make_call(body=body), data={})
            assert made.body is None
            assert "Content-Type" not in made.headers

    def test_a_map_may_name_its_own_type(self):
        call = make_call(headers={"content-type": "application/vnd.ledger+json"})
        made = request(call, data={})
        assert made.headers["content-type"] == "application/vnd.ledger+json"
        assert "Content-Type" not in made.headers

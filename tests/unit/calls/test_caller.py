"""A call from the map's words to an answer, with a real target."""

from __future__ import annotations

import gzip
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from causeway.calls.caller import Caller
from causeway.calls.outcome import Refused
from causeway.settings.clock import SettableClock, SystemClock
from causeway.settings.secrets import SecretMissing
from tests.support.calls import HeldSecrets, make_api, make_call, make_plan
from tests.support.target import Reply, huge


@pytest.fixture
def callers():
    made = []

    def make(api, *, secrets=None, clock=None) -> Caller:
        made.append(Caller(make_plan(api), secrets or HeldSecrets(), clock or SystemClock()))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


def call(caller, changes=None, *, data=None, headers=None, seconds=10.0):
    return caller.call(
        make_call(**(changes or {})), {"data": data}, headers=headers or {}, deadline=time.time() + seconds
    )


def refusal(*arguments, **named) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    return caught.value


def test_the_call_arrives_as_the_map_says(target, callers):
    api = make_api(f"{target.url}/api", auth={"type": "bearer", "token": "key"}, headers={"X-Tenant": "acme"})
    caller = callers(api, secrets=HeldSecrets(key="t0p"))
    target.on("/api/entries/7", Reply(201, {"id": 9}))
    answer = call(
        caller,
        {
            "path": "/entries/${data.id}",
            "method": "PUT",
            "query": {"dry": False},
            "body": {"amount": "${data.total}"},
        },
        data={"id": 7, "total": 12.5},
        headers={"Idempotency-Key": "d-1"},
    )
    [received] = target.requests
    assert (received.method, received.path, received.query) == ("PUT", "/api/entries/7", "dry=false")
    assert received.json == {"amount": 12.5}
    wanted = {
        "authorization": "Bearer t0p",
        "x-tenant": "acme",
        "idempotency-key": "d-1",
        "content-type": "application/json",
        "accept-encoding": "gzip",
    }
    assert received.headers.items() >= wanted.items()
    assert (answer.status, answer.body) == (201, {"id": 9})
    assert answer.scope == {"status": 201, "headers": answer.headers, "body": {"id": 9}}
    assert 0 < answer.seconds < 5


@pytest.mark.parametrize(
    ("content", "content_type", "body"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "application/problem+json; charset=utf-8", {"a": 1}),
        (b" [1]", "text/html", [1]),
        (b"12", "application/json", 12),
        (b"12", "text/plain", "12"),
        (b"ok", "text/plain", "ok"),
        (b"ok", "application/json", "ok"),
        (b"{not json", "text/plain", "{not json"),
        (b'{"a": NaN}', "application/json", '{"a": NaN}'),
        (b"[" * 100_000, "application/json", "[" * 100_000),
        ("grün".encode("latin-1"), "text/plain; charset=ISO-8859-1", "grün"),
        (b"gr\xfcn", "text/plain", "gr\ufffdn"),
        (b"x", "text/plain; charset=nonsense", "x"),
        (b"x", "text/plain; charset=idna", "x"),
        (b"x", "text/plain; charset=undefined", "x"),
        (b"\xff", "text/plain; charset=punycode", "\ufffd"),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41"),
        (b"x", "text/plain; charset=a\0b", "x"),
        (b"", "application/json", None),
        (gzip.compress(b'{"a": 1}', mtime=0), "application/json", {"a": 1}),
    ],
)  # fmt: skip
def test_a_body_is_json_where_it_is_json_and_else_text(target, callers, content, content_type, body):
    headers = {"Content-Type": content_type}
    if content.startswith(b"\x1f\x8b"):
        headers["Content-Encoding"] = "gzip"
    target.on("/entries", Reply(200, content, headers))
    assert call(callers(make_api(target.url))).body == body


def test_a_cookie_is_a_credential_and_not_part_of_an_answer(target, callers):
    target.on("/entries", Reply(200, {}, {"Set-Cookie": "session=s3cret", "X-Request": "7"}))
    answer = call(callers(make_api(target.url)))
    assert answer.headers["x-request"] == "7"
    assert "s3cret" not in str(answer.scope)


class TestRefusals:
    def test_a_status_is_judged_by_the_map(self, target, callers):
        target.on("/entries", Reply(429, {"error": "slow down"}, {"Retry-After": "3"}))
        refused = refusal(callers(make_api(target.url)))
        assert (refused.kind, refused.status, refused.retry, refused.retry_after) == ("http", 429, True, 3)
        assert refused.answer is not None
        assert refused.answer.body == {"error": "slow down"}

    def test_a_date_in_retry_after_counts_from_the_clock(self, target, callers):
        target.on("/entries", Reply(503, headers={"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}))
        caller = callers(make_api(target.url), clock=SettableClock(1_700_000_000.0))
        assert refusal(caller).retry_after == 30

    @pytest.mark.parametrize(("retry_on", "retry"), [(["timeout"], True), (["connection", "500-599"], False)])
    def test_a_lost_answer_is_a_timeout(self, target, callers, retry_on, retry):
        target.on("/entries", Reply(drop="unanswered"))
        refused = refusal(callers(make_api(target.url)), {"retry_on": retry_on})
        assert (refused.kind, refused.status, refused.retry, refused.answer) == ("timeout", None, retry, None)
        assert refused.reason.startswith("POST /entries of ledger: the connection broke")

    @pytest.mark.parametrize(
        ("url", "kind"), [("http://no-such-name.invalid", "dns"), ("https://127.0.0.1:{port}", "tls")]
    )
    def test_dns_and_tls_are_tried_again_as_connection_is(self, target, callers, url, kind):
        for retry_on, retry in ((["connection"], True), (["timeout", "500-599"], False)):
            refused = refusal(callers(make_api(url.format(port=target.port))), {"retry_on": retry_on})
            assert (refused.kind, refused.retry) == (kind, retry)

    def test_an_address_that_may_not_be_called_is_refused_for_good(self, target, callers):
        words = {"retry_on": ["connection", "timeout", "100-599"]}
        refused = refusal(callers(make_api(target.url, allow_private=[])), words)
        assert (refused.kind, refused.retry) == ("address", False)
        assert "allow_private" in refused.reason

    def test_a_call_ends_by_its_timeout(self, target, callers):
        target.on("/entries", Reply(delay=5))
        begun = time.monotonic()
        assert refusal(callers(make_api(target.url)), {"timeout": 0.2}).kind == "timeout"
        assert time.monotonic() - begun < 2

    def test_a_call_ends_by_its_deadline_though_its_timeout_is_later(self, target, callers):
        target.on("/entries", Reply(delay=5))
        begun = time.monotonic()
        assert refusal(callers(make_api(target.url)), {"timeout": 10.0}, seconds=0.2).kind == "timeout"
        assert time.monotonic() - begun < 2

    def test_a_huge_answer_to_a_look_up_is_a_refusal_and_to_a_change_it_is_none(self, target, callers):
        target.on("/entries", huge(2_000_000))
        caller = callers(make_api(target.url))
        assert call(caller).body is None
        assert "larger than" in refusal(caller, {"method": "GET", "reads": True, "body": None}).reason

    def test_no_refusal_tells_a_secret_or_a_value_of_the_event(self, target, callers):
        api = make_api(target.url, auth={"type": "api_key", "key": "key", "query": "api_key"})
        caller = callers(api, secrets=HeldSecrets(key="t0p"))
        path = "/customers/joe@example.com"
        target.on(
            path.replace("@", "%40"),
            Reply(500, "t0p"),
            Reply(302, "", {"Location": "/x?k=t0p"}),
            Reply(drop="halfway"),
        )
        for _ in range(3):
            refused = refusal(caller, {"path": "/customers/${data.email}"}, data={"email": "joe@example.com"})
            for text in (refused.reason, str(refused), repr(refused), repr(refused.__cause__)):
                assert "t0p" not in text
                assert "joe" not in text


class TestSecrets:
    def test_a_missing_one_is_our_fault(self, target, callers):
        api = make_api(target.url, auth={"type": "bearer", "token": "missing"})
        with pytest.raises(SecretMissing):
            call(callers(api))
        assert not target.requests

    def test_one_that_was_replaced_is_read_anew_when_the_old_one_is_refused(self, target, callers):
        """A token that is rotated must not cost the deliveries of the minutes for which secrets are kept."""
        target.on(
            "/entries",
            lambda request: Reply(200 if request.headers["authorization"] == "Bearer new" else 401),
        )
        secrets = HeldSecrets(key="old")
        caller = callers(make_api(target.url, auth={"type": "bearer", "token": "key"}), secrets=secrets)
        secrets.stored["key"] = "new"
        assert call(caller).status == 200
        assert [request.headers["authorization"] for request in target.requests] == [
            "Bearer old",
            "Bearer new",
        ]

    def test_each_request_is_admitted_when_all_else_is_ready_for_it(self, target, callers):
        """What the wait is for is the request: a token asked for meanwhile would let it begin late."""
        happened = []

        class Told(HeldSecrets):
            def current(self, names):
                happened.append("secret")
                return super().current(names)

            def reread(self, names):
                happened.append("reread")
                return super().reread(names)

        @contextmanager
        def admitted():
            happened.append("wait")
            yield
            happened.append("over")

        target.on(
            "/entries",
            lambda request: Reply(200 if request.headers["authorization"] == "Bearer new" else 401),
        )
        secrets = Told(key="old")
        caller = callers(make_api(target.url, auth={"type": "bearer", "token": "key"}), secrets=secrets)
        secrets.stored["key"] = "new"
        caller.call(make_call(), {"data": None}, headers={}, deadline=time.time() + 10, admitted=admitted)
        kinds = {"wait": "wait", "over": "over"}
        told = [each for each, _ in itertools.groupby(kinds.get(each, "secrets") for each in happened)]
        assert told == ["secrets", "wait", "over", "secrets", "wait", "over"]

    def test_what_may_not_go_out_is_not_sent(self, target, callers):
        @contextmanager
        def held():
            raise RuntimeError("not now")
            yield

        with pytest.raises(RuntimeError, match="not now"):
            callers(make_api(target.url)).call(
                make_call(), {"data": None}, headers={}, deadline=time.time() + 10, admitted=held
            )
        assert target.requests == []

    def test_an_unchanged_one_is_not_tried_twice(self, target, callers):
        target.on("/entries", Reply(401))
        caller = callers(
            make_api(target.url, auth={"type": "bearer", "token": "key"}), secrets=HeldSecrets(key="old")
        )
        refused = refusal(caller)
        assert (refused.status, refused.retry, len(target.requests)) == (401, False, 1)

    def test_a_401_without_secrets_is_a_plain_refusal(self, target, callers):
        target.on("/entries", Reply(401))
        secrets = HeldSecrets()
        assert refusal(callers(make_api(target.url), secrets=secrets)).status == 401
        assert secrets.rereads == 0

    def test_a_base_url_may_be_one(self, target, callers):
        caller = callers(make_api({"secret": "url"}), secrets=HeldSecrets(url=f"{target.url}/hook"))
        call(caller, {"path": "/"})
        assert target.requests[0].path == "/hook"

    @pytest.mark.parametrize("url", ["ledger", "ftp://ledger", "http://169.254.169.254/", "https://h/?t0p=1"])
    def test_a_base_url_that_is_none_is_our_fault_and_not_told(self, callers, url):
        with pytest.raises(SecretMissing, match="the secret url is no base URL") as caught:
            call(callers(make_api({"secret": "url"}), secrets=HeldSecrets(url=url)))
        assert "t0p" not in str(caught.value)


def test_a_stale_connection_is_no_refusal(target, callers):
    """The server restarts while a connection is idle; the next call does not notice."""
    caller = callers(make_api(target.url))
    for _ in range(3):
        assert call(caller).status == 200
        target.drop_idle()
    assert len(target.requests) == 3


def test_threads_share_a_caller(target, callers):
    target.on("/entries", lambda request: Reply(200, {"echo": request.json}))
    caller = callers(make_api(target.url))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: call(caller, data=number).body["echo"], range(200)))
    assert answers == list(range(200))
    assert target.connections <= 8

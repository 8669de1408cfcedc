"""Canaries: signed by us, sent over real HTTP, recognised by the receiver, and never an event."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from causeway.aws.errors import AwsError
from causeway.aws.table import Table
from causeway.plan.plan import Plan
from causeway.settings.clock import SettableClock
from causeway.settings.environment import Settings
from causeway.settings.secrets import SecretMissing
from causeway.telemetry.metrics import Metrics
from causeway.watching.checks import canary
from causeway.watching.world import Means, World
from causeway.webhooks.canaries import PLACE, Canaries, body_with, symmetric
from causeway.webhooks.places import told_body
from causeway.webhooks.receiving import Receiver
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import verify
from tests.support.memory_aws import MemoryAws
from tests.support.receiving import NOW, SECRETS, record, signed
from tests.support.watching import Recorded

SIGNED = sorted(name for name, schemes in SCHEMES.items() if symmetric(schemes))
ANY_SECRETS = (
    f"whsec_{base64.b64encode(b'k' * 32).decode()}",
    base64.b64encode(b"k" * 32).decode(),
    "aa" * 32,
    "user:password",
    json.dumps({"primary": "k" * 32, "secondary": "j" * 32}),
)


class Side:
    """The receiving function behind a real port, and the watchdog before it."""

    def __init__(self, *, schemes=None, on=True):
        self.clock = SettableClock(NOW)
        self.memory = MemoryAws(self.clock)
        plan = record()
        plan["systems"]["github"]["webhooks"] |= {"canary": on, "schemes": schemes or SCHEMES["github"]}
        for integration in plan["integrations"].values():
            integration["frequency"] = {"expect_every": None, "during": "always", "deliver_within": 900.0}
        self.plan = Plan(plan)
        self.state = Table(self.memory, "state")
        self.sent = []
        self.secrets = {"github/webhook": SECRETS["github/webhook"]}
        self.metrics = Recorded(self.clock)
        self.answers = []  # in place of the receiver's
        self.requests = []
        self.canaries = Canaries(lambda: self.state, self.clock)

    def receiver(self):
        return Receiver(
            plan=self.plan,
            secrets=SimpleNamespace(current=self._secrets, reread=self._secrets),
            store=SimpleNamespace(send=self.sent.extend),
            clock=self.clock,
            metrics=Metrics(),
            canaries=lambda: self.canaries,
        )

    def _secrets(self, names):
        if missing := [name for name in names if name not in self.secrets]:
            raise SecretMissing(f"there is no secret {missing[0]}")
        return [self.secrets[name] for name in names]

    def answer(self, path, headers, body):
        self.requests.append((path, headers, body))
        if self.answers:
            return {"statusCode": self.answers.pop(0), "headers": {}, "body": ""}
        event = {
            "requestContext": {"http": {"method": "POST", "path": path}},
            "pathParameters": {"system": path.rpartition("/")[2]},
            "rawQueryString": "",
            "headers": headers,
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        return self.receiver().answer(event)

    def look(self, base_url, monkeypatch):
        monkeypatch.setattr(canary, "Secrets", lambda *_, **__: SimpleNamespace(current=self._secrets))
        settings = Settings({"CAUSEWAY_BASE_URL": base_url, "CAUSEWAY_SECRETS_PREFIX": "/stack/causeway"})
        means = Means(
            self.plan,
            settings,
            self.memory,
            Table(self.memory, "journal"),
            self.state,
            self.metrics,
            self.clock,
        )
        return list(canary.canaries(World(means, self.clock.now() + 45), self.clock.now()))


@pytest.fixture
def side():
    return Side()


@pytest.fixture
def look(side, monkeypatch):
    """Look, over a real port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = side.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield lambda: side.look(f"http://127.0.0.1:{server.server_port}", monkeypatch)
        server.shutdown()
        thread.join()


def test_one_that_arrives_is_measured_and_reaches_nobody(side, look, capsys):
    assert look() == []
    (latency,) = side.metrics.of("CanaryLatency")
    assert 0 < latency < 5000
    assert side.sent == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["canary"], "it is in no book"


def test_only_systems_that_want_it_get_one(look, side):
    look()
    assert [path for path, _, _ in side.requests] == ["/webhooks/github"]


def test_an_outage_is_told_to_all_whom_the_system_feeds(side, look):
    side.answers = [503, 503]
    (finding,) = look()
    assert (finding.subject, finding.level) == ("github", "critical")
    assert finding.cause == "it was answered 503"
    assert set(finding.integrations) == {each["name"] for each in side.plan.fed_by("github")}
    assert side.metrics.of("CanaryLatency") == []


def test_one_that_is_lost_on_the_way_is_no_outage(side, look):
    side.answers = [503]
    assert look() == []
    assert len(side.requests) == 2


def test_a_secret_that_was_changed_is_told(side, look, monkeypatch):
    monkeypatch.setattr(side, "receiver", lambda own=side.receiver: _with_other_secret(side, own))
    (finding,) = look()
    assert finding.cause == "it was answered 401"
    assert "causeway verify github" in finding.next_step


def _with_other_secret(side, make):
    receiver = make()
    receiver._secrets = SimpleNamespace(current=lambda _: ["another"], reread=lambda _: ["another"])
    return receiver


def test_an_answer_of_somebody_else_is_told(side, look):
    side.answers = [200, 200]
    (finding,) = look()
    assert "not recognised" in finding.cause


def test_that_nobody_answers_is_told(side, monkeypatch):
    (finding,) = side.look("http://127.0.0.1:9", monkeypatch)
    assert finding.cause.startswith("the public URL cannot be reached")


def test_a_secret_that_the_watchdog_may_not_read_is_the_operators_and_accuses_no_system(side, monkeypatch):
    side.secrets.clear()
    (finding,) = side.look("http://127.0.0.1:9", monkeypatch)
    assert "there is no secret github/webhook" in finding.cause
    assert "CanarySecrets" in finding.next_step
    assert finding.what.startswith("canaries of github cannot be sent")
    assert (finding.level, finding.integrations) == ("warning", ())


def test_where_nobody_answers_a_run_keeps_its_time_and_the_next_one_asks_others(side, monkeypatch):
    """An outage of the public address hits all of them: each waits its whole time, twice."""
    systems = side.plan.systems
    for number in range(40):
        systems[f"shop-{number:02d}"] = systems["github"] | {"name": f"shop-{number:02d}"}
    waiting = threading.Barrier(8, action=lambda: side.clock.advance(canary.ANSWERED_WITHIN), timeout=20)

    def nobody_answers(*_):
        with suppress(threading.BrokenBarrierError):  # of the last, who are fewer
            waiting.wait(0.3)
        raise canary.NotArrivedError("the public URL cannot be reached: ConnectTimeoutError", "look")

    monkeypatch.setattr(canary, "_send", nobody_answers)
    missed = []
    for _ in range(2):
        waiting.reset()
        began = side.clock.now()
        found = side.look("http://127.0.0.1:9", monkeypatch)
        assert side.clock.now() - began <= 45
        assert len(found) == 41, "nothing is taken for well that was not asked"
        missed.append({each.subject for each in found if not each.held})
        side.clock.set(began + canary.EVERY)
    assert all(missed)
    assert missed[0] != missed[1]


@pytest.mark.parametrize("on", [True, False])
def test_what_only_looks_like_a_canary_is_an_event(on):
    """Whoever can have a provider sign his words knows no number that is under way."""
    side = Side(on=on)
    if not on:
        side.canaries.sent("github", "known", NOW)
    number = "guessed" if on else "known"
    event = signed("github", body_with(number)[0], event_id="gh-1", event_type="pull_request")
    assert side.receiver().answer(event)["statusCode"] == 200
    assert [message["event"]["data"] for message in side.sent] == [{PLACE: number}]


@pytest.mark.parametrize("value", [None, 5, "", "x" * 65, ["a"], {"a": 1}])
def test_nor_is_what_holds_anything_else_there(side, value):
    event = signed("github", json.dumps({PLACE: value}).encode(), event_id="gh-1", event_type="pull_request")
    assert side.receiver().answer(event)["statusCode"] == 200
    assert side.sent


def test_a_canary_that_nobody_signed_is_refused(side):
    side.canaries.sent("github", "known", NOW)
    event = signed("github", body_with("known")[0], event_id="gh-1", event_type="pull_request")
    event["headers"]["x-hub-signature-256"] = "sha256=" + "0" * 64
    assert side.receiver().answer(event)["statusCode"] == 401
    assert not side.canaries.arrived("github", "known")


def test_one_that_comes_late_or_twice_is_a_canary_still(side):
    side.canaries.sent("github", "known", NOW)
    side.clock.advance(3600)
    event = signed("github", body_with("known")[0], event_id="gh-1", event_type="pull_request")
    for _ in range(2):
        assert side.receiver().answer(event)["statusCode"] == 200
    assert side.sent == []


def test_while_the_state_does_not_answer_nothing_is_taken_for_an_event(side, monkeypatch):
    event = signed("github", body_with("known")[0], event_id="gh-1", event_type="pull_request")

    def throttled(*_, **__):
        raise AwsError("ThrottlingException", "slow down", 400)

    monkeypatch.setattr(side.state, "update", throttled)
    assert side.receiver().answer(event)["statusCode"] == 503
    assert side.sent == []


@pytest.mark.parametrize("name", SIGNED)
def test_every_scheme_whose_secret_signs_carries_a_canary(name):
    for secret in ANY_SECRETS:
        try:
            request = canary.sign(
                {"schemes": SCHEMES[name]}, secret, "ab" * 16, url="https://x.example.com/webhooks/a", now=NOW
            )
        except canary.CannotSign:
            continue
        request = request._replace(query=request.url.partition("?")[2])
        verified = verify(SCHEMES[name], request, [secret], tolerance=300, now=NOW)
        assert told_body(verified.scheme, request).data[PLACE] == "ab" * 16
        return
    pytest.fail(f"no secret signs by {name}")

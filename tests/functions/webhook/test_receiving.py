"""The rules of receiving: every answer, and what is on the queue, in the log and in the metrics then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from causeway.events.identity import delivery_id
from causeway.plan.plan import UnreadablePlanError
from causeway.webhooks.gateway import MAX_BODY
from causeway.webhooks.receiving import RETRY_AFTER
from causeway.webhooks.sign import sign
from functions.webhook import app
from tests.support.receiving import CONTEXT, NOW, SECRETS, Bench, record, request, signed

OPENED = b'{"action": "opened", "number": 1}'
CLOSED = b'{"action": "closed", "number": 1}'
PROBLEM = {"content-type": "application/problem+json"}


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Any:
    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines


def pull_request(body: bytes = OPENED, **more: Any) -> dict[str, Any]:
    return signed("github", body, **{"event_id": "gh-1", "event_type": "pull_request", **more})


def counted(bench: Bench, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    capsys.readouterr()
    bench.metrics.emit()
    out = capsys.readouterr().out
    emitted = json.loads(out) if out else {"_aws": {"CloudWatchMetrics": [{"Metrics": []}]}}
    names = [metric["Name"] for metric in emitted["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: sum(emitted[name]) for name in names}


# ---- accepted ----


def test_an_event_is_one_message_for_each_integration_that_takes_it(bench: Bench):
    answer = bench.answer(pull_request())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"accepted": True, "id": "gh-1"}
    [news, archive] = bench.queue.messages
    assert news == {
        "format": 1,
        "delivery": delivery_id("github", "gh-1", "news"),
        "integration": "news",
        "system": "github",
        "ticket": "0000.000001",
        "acceptance": news["acceptance"],
        "accepted_at": NOW,
        "event": {
            "specversion": "1.0",
            "id": "gh-1",
            "type": "pull_request",
            "source": "github",
            "time": "2025-11-24T16:00:00.000Z",
            "datacontenttype": "application/json",
            "headers": news["event"]["headers"],
            "data": {"action": "opened", "number": 1},
        },
    }
    assert (archive["integration"], archive["delivery"]) == (
        "archive",
        delivery_id("github", "gh-1", "archive"),
    )
    assert archive["event"] == news["event"]


def test_the_events_headers_are_lower_case_and_hold_no_signature_and_no_credential(bench: Bench):
    event = pull_request()
    event["headers"] |= {
        "X-Hub-Signature": "sha1=00",
        "Authorization": "Bearer x",
        "Cookie": "a=b",
        "X-Custom": "kept",
    }
    assert bench.answer(event)["statusCode"] == 200
    headers = bench.queue.messages[0]["event"]["headers"]
    assert headers["x-custom"] == "kept"
    assert headers["x-github-event"] == "pull_request"
    assert not [name for name in headers if "signature" in name or name in ("authorization", "cookie")]


def test_the_trace_of_the_acceptance_goes_with_the_message(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    bench.answer(pull_request())
    assert bench.queue.messages[0]["trace"] == "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_what_a_filter_does_not_want_is_not_queued(bench: Bench):
    assert bench.answer(pull_request(CLOSED))["statusCode"] == 200
    assert bench.queued == [("archive", "gh-1")]


def test_a_filter_that_fails_is_not_a_no(bench: Bench):
    """``to_number`` of a branch's name is null: the delivery is queued, and dies with its reason."""
    assert bench.answer(signed("github", b'{"ref": "main"}', event_type="push"))["statusCode"] == 200
    assert [integration for integration, _ in bench.queued] == ["archive", "pushes"]


def test_an_event_for_nobody_is_accepted_and_counted(bench: Bench, capsys: pytest.CaptureFixture[str]):
    assert bench.answer(signed("shop", b"{}", event_type="carts/update"))["statusCode"] == 200
    assert bench.queued == []
    assert counted(bench, capsys) == {"WebhooksAccepted": 1, "EventsUnmatched": 1}


def test_what_is_accepted_is_counted(bench: Bench, capsys: pytest.CaptureFixture[str]):
    bench.answer(pull_request())
    bench.answer(pull_request(CLOSED))
    assert counted(bench, capsys) == {"WebhooksAccepted": 2, "DeliveriesQueued": 3, "DeliveriesFiltered": 1}


def test_one_line_tells_what_became_of_a_request(bench: Bench, logged: Any):
    bench.answer(pull_request(CLOSED))
    [line] = logged()
    told = {key: line[key] for key in ("level", "message", "answer", "system", "events", "event_id")}
    assert told == {
        "level": "INFO",
        "message": "received",
        "answer": 200,
        "system": "github",
        "events": 1,
        "event_id": "gh-1",
    }
    assert (line["accepted"], line["filtered"], line["unmatched"]) == ({"archive": 1}, {"news": 1}, 0)


def test_a_batch_becomes_events_of_its_elements(bench: Bench):
    batch = {"events": [{"id": 1, "type": "a"}, {"id": 2, "type": "b"}, {"id": 3, "type": "c"}]}
    answer = bench.answer(signed("batch", json.dumps(batch).encode()))
    assert json.loads(answer["body"]) == {"accepted": True, "ids": ["1", "2", "3"]}
    assert bench.queued == [("elements", "1"), ("elements", "2")]
    assert bench.queue.messages[0]["event"]["data"] == {"id": 1, "type": "a"}
    assert len({message["acceptance"] for message in bench.queue.messages}) == 2


def test_a_system_may_send_name_and_password(bench: Bench):
    assert bench.answer(signed("basic", b"{}"))["statusCode"] == 200
    assert "authorization" not in bench.queue.messages[0]["event"]["headers"]
    assert bench.answer(signed("basic", b"{}", secret="user:guess"))["statusCode"] == 401


def test_a_provider_that_wants_a_certain_answer_gets_it(bench: Bench):
    assert bench.answer(signed("picky", b"{}")) == {
        "statusCode": 204,
        "headers": {"x-seen": "yes"},
        "body": "",
    }
    assert len(bench.queued) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b"a=1&b=2&b=3", "application/x-www-form-urlencoded", {"data": {"a": "1", "b": ["2", "3"]}}),
        (b"hello", "text/plain", {"data": "hello"}),
        (b"\xff\x00", "application/octet-stream", {"data_base64": "/wA="}),
        (b"\xff\x00", None, {"data_base64": "/wA="}),
        (b"", "application/json", {"data": None}),
    ],
)
def test_bodies_that_are_not_json_are_events_too(
    bench: Bench, body: bytes, content_type: str, data: dict[str, Any]
):
    event = pull_request(body, encoded=True, content_type=content_type)
    assert bench.answer(event)["statusCode"] == 200
    kept = bench.queue.messages[-1]["event"]
    assert {key: kept.get(key, "absent") for key in data} == data


# ---- refused ----


@pytest.mark.parametrize(
    ("event", "status", "detail"),
    [
        (request("nobody", b"{}"), 404, "There is no such system here."),
        (request("ledger", b"{}"), 404, "There is no such system here."),
        (request("", b"{}"), 404, "There is no such system here."),
        (request("github", b"", method="GET"), 405, "Events are sent by POST."),
        (request("github", b"", method="HEAD"), 405, "Events are sent by POST."),
        (request("github", b"", method="DELETE"), 405, "Events are sent by POST."),
        ({**pull_request(), "body": "x" * (MAX_BODY + 1)}, 413, f"The body is larger than {MAX_BODY} bytes."),
        ({**pull_request(), "isBase64Encoded": True}, 400, "The body cannot be decoded."),
        (pull_request(b"{"), 400, "The body is not what its content type says."),
        (request("github", OPENED), 401, "A header that the signature needs is missing."),
        (pull_request(secret="wrong"), 401, "No signature matches."),
        (
            signed("payments", b"{}", now=NOW - 301),
            401,
            "The signature's timestamp is too far from our clock.",
        ),
    ],
)
def test_what_is_refused_is_told_the_rule_that_it_broke_and_no_more(
    bench: Bench, event: dict[str, Any], status: int, detail: str
):
    answer = bench.answer(event)
    assert answer["statusCode"] == status
    assert answer["headers"] == PROBLEM | ({"allow": "POST"} if status == 405 else {})
    body = json.loads(answer["body"])
    assert set(body) - {"rule"} == {"type", "title", "status", "detail"}
    assert (body["status"], body["detail"]) == (status, detail)
    assert bench.queued == []


def test_what_is_refused_is_counted_and_strangers_are_not(bench: Bench, capsys: pytest.CaptureFixture[str]):
    for event in (
        request("nobody", b""),
        request("github", b"", method="GET"),
        request("github", b"{}"),
        pull_request(b"{"),
    ):
        bench.answer(event)
    assert counted(bench, capsys) == {"WebhooksRejected": 2}


def test_a_body_is_not_parsed_before_it_is_verified(bench: Bench):
    """A wrong signature over broken JSON is told of the signature."""
    assert bench.answer(pull_request(b"{", secret="wrong"))["statusCode"] == 401


def test_no_secret_and_no_signature_is_logged(bench: Bench, capsys: pytest.CaptureFixture[str]):
    for event in (
        pull_request(),
        pull_request(secret="wrong"),
        signed("gitlab", b"{}"),
        request("gitlab", b"{}", {"x-gitlab-token": "guess"}),
    ):
        bench.answer(event)
    log = capsys.readouterr().out
    assert log.count("\n") == 4
    for word in (*SECRETS.values(), "sha256=", "guess", "wrong"):
        assert word not in log


def test_a_strangers_text_is_not_logged(bench: Bench, capsys: pytest.CaptureFixture[str]):
    bench.answer(request("probe-for-me", b"{}"))
    assert "probe" not in capsys.readouterr().out


# ---- secrets ----


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_without_a_stored_secret_nothing_is_accepted_and_the_operator_is_told(value: str | None, logged: Any):
    bench = Bench(secrets={} if value is None else {"github/webhook": value})
    assert bench.answer(pull_request())["statusCode"] == 401
    [error, refused] = logged()
    assert (error["level"], error["system"], error["secret"]) == ("ERROR", "github", "github/webhook")
    assert refused["message"] == "refused"


def test_a_secret_of_the_wrong_kind_is_told_to_the_operator_and_not_to_the_caller(logged: Any):
    plan = record()
    plan["systems"]["gitlab"]["webhooks"]["schemes"] = plan["systems"]["gitlab"]["webhooks"]["schemes"][:1]
    bench = Bench(plan, secrets={"gitlab/webhook": "no prefix"})
    answer = bench.answer(
        request("gitlab", b"{}", {"webhook-id": "1", "webhook-signature": "v1,x", "webhook-timestamp": "1"})
    )
    assert json.loads(answer["body"])["detail"] == "Signatures cannot be verified here."
    assert logged()[0]["reason"] == "it is not what the scheme's key should be (prefix, encoding)"


def test_one_missing_secret_does_not_hinder_the_others():
    plan = record()
    plan["systems"]["github"]["webhooks"]["secrets"] = ["github/gone", "github/webhook"]
    assert Bench(plan).answer(pull_request())["statusCode"] == 200


def test_a_system_that_names_no_secret_accepts_nothing(logged: Any):
    plan = record()
    plan["systems"]["github"]["webhooks"]["secrets"] = []
    assert Bench(plan).answer(pull_request())["statusCode"] == 401
    assert logged()[0]["message"] == "a system names no secret"


def test_a_scheme_that_signs_the_url_needs_to_know_it(logged: Any):
    """The Host header is whatever the sender says; without a configured URL nothing is accepted."""
    plan = record()
    scheme = {"algorithm": "hmac-sha256", "header": "x-signature", "signed": "{url}{body}"}
    plan["systems"]["github"]["webhooks"]["schemes"] = [scheme]
    event = request("github", b"{}", {"x-signature": "00"})
    assert Bench(plan).answer(event)["statusCode"] == 401
    assert "needs webhooks.base_url" in logged()[0]["reason"]

    plan["systems"]["github"]["webhooks"]["base_url"] = "https://hooks.example.com"
    url, secret = "https://hooks.example.com/webhooks/github", SECRETS["github/webhook"]
    headers = sign(scheme, body=b"{}", secret=secret, id="1", now=NOW, url=url)
    assert Bench(plan).answer(request("github", b"{}", headers))["statusCode"] == 200


def test_after_a_mismatch_the_secrets_are_read_anew(bench: Bench):
    """The operator has just put a new one."""
    bench.secrets.cached = {**SECRETS, "github/webhook": "the one before"}
    assert bench.answer(pull_request())["statusCode"] == 200
    assert bench.secrets.rereads == 1


def test_while_rotating_the_previous_secret_verifies_too(bench: Bench):
    bench.secrets.values["github/webhook"] = "the new one"
    bench.secrets.previous["github/webhook"] = SECRETS["github/webhook"]
    assert bench.answer(pull_request())["statusCode"] == 200


def test_secrets_are_not_read_anew_for_what_no_secret_can_mend(bench: Bench):
    bench.answer(request("github", b"{}"))
    bench.answer(signed("payments", b"{}", now=0))
    assert bench.secrets.rereads == 0


# ---- our fault ----


def test_what_cannot_be_stored_is_to_be_sent_again(
    bench: Bench, logged: Any, capsys: pytest.CaptureFixture[str]
):
    bench.queue.takes = 1
    answer = bench.answer(pull_request())
    assert (answer["statusCode"], answer["headers"]) == (503, PROBLEM | {"retry-after": str(RETRY_AFTER)})
    assert [line["level"] for line in logged()] == ["ERROR"]
    assert counted(bench, capsys) == {}


def test_without_the_store_of_secrets_nothing_is_said_about_the_signature(bench: Bench):
    bench.secrets.available = False
    for event in (pull_request(), pull_request(secret="wrong")):
        assert bench.answer(event)["statusCode"] == 503


def test_without_a_plan_it_is_to_be_sent_again(monkeypatch: pytest.MonkeyPatch):
    def unreadable() -> None:
        raise UnreadablePlanError("no plan")

    monkeypatch.setattr(app, "_receiver", unreadable)
    assert app.handler(pull_request(), CONTEXT)["statusCode"] == 503

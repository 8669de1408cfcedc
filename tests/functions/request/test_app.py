"""The request function as Lambda runs it: on AWS's services as moto has them, and a real target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.request import app
from tests.support.requests import plan_for, request_of
from tests.support.target import Reply, Target

EVENTS = Path(__file__).parents[3] / "events" / "request"


class Context:
    aws_request_id = "request-1"
    function_name = "request"

    def get_remaining_time_in_millis(self):
        return 29_000


@pytest.fixture
def target():
    with Target() as running:
        yield running


@pytest.fixture
def deployed(cloud, target, tmp_path, monkeypatch):
    ledger = {"base_url": f"http://127.0.0.1:{target.port}", "allow_private": ["127.0.0.0/8"]}
    (tmp_path / "dev.json").write_text(json.dumps(plan_for(ledger=ledger).record))
    for name, value in (cloud.environ | {"CAUSEWAY_PLAN": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    app._requests.cache_clear()
    yield cloud
    if app._requests.cache_info().currsize:
        app._requests()._tools.caller.close()
    app._requests.cache_clear()


def handled(event):
    answer = app.handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_a_request_of_the_corpus_is_carried_out_and_its_reply_found(deployed, target, capsys):
    target.on("/entries", Reply(201, {"entry": 1}))
    event = json.loads((EVENTS / "ask.json").read_bytes())
    status, body, headers = handled(event)
    assert (status, body) == (201, {"entry": 1})
    assert handled(event)[2]["idempotency-replayed"] == "true"
    look = request_of(method="GET", client="key:billing-app", delivery=headers["causeway-delivery"])
    assert handled(look)[:2] == (201, {"entry": 1})
    assert len(target.received("/entries")) == 1
    metrics = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert json.loads(metrics[0])["DeliveriesSucceeded"] == [1.0]


def test_what_goes_on_is_on_the_queue(deployed, target):
    status, body, headers = handled(request_of(prefer="respond-async"))
    waiting = deployed.boto("sqs").get_queue_attributes(
        QueueUrl=deployed.deliveries, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert waiting["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}
    assert (status, headers["location"]) == (202, f"/requests/orders-to-ledger/{body['id']}")
    assert not target.received("/entries")


def test_without_a_plan_it_is_to_be_asked_again(deployed, tmp_path):
    (tmp_path / "dev.json").unlink()
    status, body, headers = handled(request_of())
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", "5")
    assert body["status"] == 503


def test_without_a_journal_nothing_is_called(deployed, target):
    deployed.aws.call("dynamodb", "DeleteTable", {"TableName": deployed.journal})
    assert handled(request_of())[0] == 503
    assert not target.received("/entries")

"""The corpus in events/webhook: each request gets the answer that it stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from functions.webhook import app
from tests.functions.webhook.make_events import DIRECTORY, make
from tests.support.receiving import CONTEXT, SECRETS, Bench

GITHUB_ID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

ANSWERS: dict[str, tuple[int, list[tuple[str, str]]]] = {
    # The status, and what is on the queue then: integration and event id.
    "github-pull-request": (200, [("news", GITHUB_ID), ("archive", GITHUB_ID)]),
    "github-base64": (200, [("news", GITHUB_ID), ("archive", GITHUB_ID)]),
    "github-wrong-signature": (401, []),
    "github-unsigned": (401, []),
    "github-not-json": (400, []),
    "github-get": (405, []),
    "shop-order-paid": (200, [("orders", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")]),
    "payments-payment-succeeded": (200, [("money", "evt_sample")]),
    "gitlab-push": (200, []),
    "slack-url-verification": (200, []),
    "slack-command": (200, []),
    "slack-mention": (200, []),
    "unknown-system": (404, []),
}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench()
    monkeypatch.setattr(app, "_receiver", lambda: bench.receiver)
    return bench


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_bytes())
    return found


@pytest.mark.parametrize("name", ANSWERS)
def test_each_request_gets_the_answer_that_it_stands_for(bench: Bench, name: str):
    status, queued = ANSWERS[name]
    assert app.handler(event(name), CONTEXT)["statusCode"] == status
    assert bench.queued == queued


def test_slack_gets_its_challenge_back(bench: Bench):
    assert app.handler(event("slack-url-verification"), CONTEXT) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "x-content-type-options": "nosniff"},
        "body": "3eZbrw1aBm2rZgRNFdxV",
    }


def test_the_corpus_is_what_its_script_makes():
    files = {path.stem: json.loads(path.read_bytes()) for path in DIRECTORY.glob("*.json")}
    assert files == json.loads(json.dumps(make()))
    assert set(files) == set(ANSWERS)


def test_the_secrets_of_the_corpus_are_documented_beside_it():
    documented = yaml.safe_load((DIRECTORY / "secrets.yaml").read_text())
    assert documented.items() <= SECRETS.items()

"""The function as it is deployed: settings from the environment, secrets and queue on (emulated) AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from causeway.acceptance.sightings import refusals
from causeway.aws.client import Aws
from causeway.aws.table import Table
from causeway.settings.clock import SettableClock
from functions.webhook import app
from tests.support.receiving import CONTEXT, NOW, SECRETS, record, request, signed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.aws import Cloud

OPENED = b'{"action": "opened"}'


@pytest.fixture
def deployed(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The handler, wired to this cloud, with a clock that stands still."""
    (tmp_path / "dev.json").write_text(json.dumps(record()))
    environ = cloud.environ | {"CAUSEWAY_PLAN": str(tmp_path), "CAUSEWAY_CLAIM_CHECK_OVER": "10000"}
    for name, value in SECRETS.items():
        cloud.put_secret(name, value)
    receiver = app.make_receiver(environ, SettableClock(NOW))
    monkeypatch.setattr(app, "_receiver", lambda: receiver)
    return cloud


def pull_request(body: bytes = OPENED) -> dict[str, Any]:
    return signed("github", body, event_id="gh-1", event_type="pull_request")


def test_a_signed_event_is_on_the_queue(deployed: Cloud):
    assert app.handler(pull_request(), CONTEXT)["statusCode"] == 200
    messages = deployed.messages(deployed.deliveries)
    assert sorted((each["integration"], each["event"]["id"]) for each in messages) == [
        ("archive", "gh-1"),
        ("news", "gh-1"),
    ]


def test_a_large_event_is_in_the_bucket(deployed: Cloud):
    body = json.dumps({"action": "opened", "text": "x" * 20_000}).encode()
    assert app.handler(pull_request(body), CONTEXT)["statusCode"] == 200
    assert {each["event_at"][:10] for each in deployed.messages(deployed.deliveries)} == {"s3:events/"}


def test_a_wrong_signature_leaves_nothing_on_the_queue(deployed: Cloud):
    event = request("github", OPENED, {"x-hub-signature-256": "sha256=" + "0" * 64})
    assert app.handler(event, CONTEXT)["statusCode"] == 401
    assert deployed.messages(deployed.deliveries) == []


def test_that_requests_are_refused_is_noted_for_whoever_asks_why_nothing_comes(deployed: Cloud):
    event = request("github", OPENED, {"x-hub-signature-256": "sha256=" + "0" * 64})
    for _ in range(3):
        app.handler(event, CONTEXT)
    state = Table(Aws.from_env(deployed.environ), deployed.environ["CAUSEWAY_STATE_TABLE"])
    refused = refusals(state, "github", NOW - 60)
    assert (refused.times, refused.rule, refused.last) == (
        1,
        "signature",
        NOW,
    )  # the next note is of the tenth


def test_a_rotated_secret_is_found_at_the_first_mismatch(deployed: Cloud):
    assert app.handler(pull_request(), CONTEXT)["statusCode"] == 200
    deployed.put_secret("github/webhook", "the new one")
    event = signed("github", OPENED, event_type="pull_request", secret="the new one")
    assert app.handler(event, CONTEXT)["statusCode"] == 200
    assert app.handler(pull_request(), CONTEXT)["statusCode"] == 200


def test_without_a_queue_it_is_to_be_sent_again(deployed: Cloud):
    deployed.aws.call("sqs", "DeleteQueue", {"QueueUrl": deployed.deliveries})
    assert app.handler(pull_request(), CONTEXT)["statusCode"] == 503


def test_the_metrics_of_an_invocation_are_written_at_its_end(
    deployed: Cloud, capsys: pytest.CaptureFixture[str]
):
    app.handler(pull_request(), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("function_request_id") for line in lines] == [CONTEXT.aws_request_id, None]
    assert lines[-1]["DeliveriesQueued"] == [2.0]


HEAVY = (
    "boto3",
    "botocore.client",
    "pydantic",
    "yaml",
    "cryptography",
    "aws_xray_sdk",
    "requests",
    "urllib3",
    "asyncio",
    "http",
    "causeway.aws.table",
    "causeway.webhooks.handshakes",
    "causeway.webhooks.key_material",
    "causeway.webhooks.rejections",
)


def test_the_diagnosis_is_no_part_of_the_function():
    """It knows every secret of the map, and is for operators alone."""
    code = (
        "import sys; from functions.webhook import app; print('causeway.webhooks.diagnosis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nothing_heavy_is_imported_to_receive():
    """A cold start delays a provider's event; cryptography comes with the first Ed25519 signature."""
    script = f"""
import json, sys
from functions.webhook import app
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.sign import sign
from causeway.webhooks.verify import SignedRequest, verify
for name in ("github", "stripe", "standard-webhooks"):
    secret = "whsec_" + "A" * 32
    headers = sign(SCHEMES[name][0], body=b"{{}}", secret=secret, id="1", now=0)
    verify(SCHEMES[name], SignedRequest("POST", "", headers, b"{{}}"), [secret], tolerance=300, now=0)
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []

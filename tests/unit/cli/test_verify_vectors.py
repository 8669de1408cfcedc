"""``causeway verify --vectors``: each vector's verdict, and an exit code that says whether all are as expected."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from causeway_cli.main import Commands
from causeway_cli.vectors import ACCEPTED, MalformedFile, check, read_vectors
from causeway_cli.verify import verify
from tests.support.receiving import NOW

if TYPE_CHECKING:
    from pathlib import Path

import typer

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CHALLENGE = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"


def vector(**changes: Any) -> dict[str, Any]:
    body = json.dumps({"action": "opened"})
    signature = hmac.new(SECRET.encode(), body.encode(), "sha256").hexdigest()
    made = {
        "id": "github/own",
        "provider": "github",
        "kind": "delivery",
        "secret": SECRET,
        "url": "https://example.com/webhooks",
        "method": "POST",
        "headers": {
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Delivery": "72d3162e",
            "X-GitHub-Event": "pull_request",
            "Content-Type": "application/json",
        },
        "body": body,
        "now": NOW,
        "valid": True,
        "expected_event_id": "72d3162e",
        "expected_event_type": "pull_request",
    }
    return {**made, **changes}


def slack(**changes: Any) -> dict[str, Any]:
    body = json.dumps({"type": "url_verification", "challenge": CHALLENGE})
    message = f"v0:{int(NOW)}:{body}".encode()
    signature = hmac.new(SECRET.encode(), message, "sha256").hexdigest()
    return vector(
        id="slack/own",
        provider="slack",
        kind="handshake",
        headers={
            "X-Slack-Signature": f"v0={signature}",
            "X-Slack-Request-Timestamp": str(int(NOW)),
            "Content-Type": "application/json",
        },
        body=body,
        expected_event_id=None,
        expected_event_type="url_verification",
        expected_response={"status": 200, "content_type": "text/plain", "body": CHALLENGE},
        **changes,
    )


def run(file: Path, vectors: list[dict[str, Any]], *arguments: str) -> Any:
    file.write_text(json.dumps({"meta": {}, "vectors": vectors}))
    app = typer.Typer()
    app.command()(verify)
    return CliRunner().invoke(app, ["--vectors", str(file), *arguments])


def test_the_verdicts_are_a_list_of_objects(tmp_path: Path) -> None:
    done = run(tmp_path / "v.json", [vector(), slack()], "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == [
        {
            "id": "github/own",
            "valid": True,
            "event_id": "72d3162e",
            "event_type": "pull_request",
            "reason": None,
            "response": None,
        },
        {
            "id": "slack/own",
            "valid": True,
            "event_id": None,
            "event_type": "url_verification",
            "reason": None,
            "response": {
                "status": 200,
                "headers": {"content-type": "text/plain", "x-content-type-options": "nosniff"},
                "body": CHALLENGE,
            },
        },
    ]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"valid": False}, "valid: True, expected False"),
        ({"policy": True}, "valid: True, expected False"),
        ({"body": "{}"}, "valid: False, expected True"),
        ({"secret": "other"}, "valid: False, expected True"),
        ({"secret": None}, "valid: False, expected True"),
        ({"expected_event_id": "1"}, "event_id: '72d3162e', expected '1'"),
        ({"expected_event_type": None}, "event_type: 'pull_request', expected None"),
        ({"provider": "githup"}, "unknown provider: githup"),
        ({"provider": "githup", "valid": False}, "unknown provider: githup"),
        (
            {"kind": "handshake", "expected_response": {"status": 204}},
            "response: " + json.dumps(ACCEPTED) + ', expected {"status": 204}',
        ),
    ],
)
def test_what_differs_is_told_and_fails(tmp_path: Path, changes: dict[str, Any], difference: str) -> None:
    assert difference in check(vector(**changes)).differences
    done = run(tmp_path / "v.json", [vector(), vector(**changes)])
    assert done.exit_code == 1
    assert "1 differ" in done.stdout


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": 204},
        {"status": 200, "body": "other"},
        {"status": 200, "content_type": "text/html"},
        {"status": 200, "headers": {"X-Content-Type-Options": "other"}},
        {"status": 200, "json": {"challenge": CHALLENGE}},
    ],
)
def test_a_response_is_as_expected_in_every_part(wanted: dict[str, Any]) -> None:
    (difference,) = check({**slack(), "expected_response": wanted}).differences
    assert difference.startswith("response: ")


def test_a_contact_that_is_answered_as_any_event_is_has_that_response() -> None:
    expected = {"kind": "handshake", "expected_response": {"status": 200}}
    assert check(vector(**expected)).differences == []


def test_any_alternative_of_a_response_will_do() -> None:
    wanted = {"status": 200, "body": "no", "alternatives": [{"body": "neither"}, {"body": CHALLENGE}]}
    assert check({**slack(), "expected_response": wanted}).differences == []


def test_an_event_without_an_id_of_its_providers_has_none() -> None:
    """The hash that stands for it inside is no id of the provider's."""
    headers = {
        key: value
        for key, value in vector()["headers"].items()
        if key not in ("X-GitHub-Delivery", "X-GitHub-Event")
    }
    verdict = check(vector(headers=headers)).verdict
    assert (verdict.valid, verdict.event_id, verdict.event_type) == (True, None, None)


def test_a_proven_body_that_cannot_be_read_is_valid_all_the_same() -> None:
    body = "Hello, World!"
    signature = hmac.new(SECRET.encode(), body.encode(), "sha256").hexdigest()
    headers = {**vector()["headers"], "X-Hub-Signature-256": f"sha256={signature}"}
    assert check(vector(body=body, headers=headers)).differences == []


@pytest.mark.parametrize("content", ["", "{}", '{"vectors": 1}', "[1]", "\0"])
def test_what_is_no_file_of_vectors_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "v.json"
    file.write_text(content)
    with pytest.raises(MalformedFile, match=r"v\.json"):
        read_vectors(file)


@pytest.mark.parametrize("key", sorted({*vector(), "expected_response", "policy"}))
@pytest.mark.parametrize("value", [None, 1, [], {}, "", True, ["a"], {"a": 1}, "\ud800", -1, 1e400])
def test_no_vector_is_too_odd(key: str, value: Any) -> None:
    for one in (vector(), slack(), vector(provider="x", method="GET", url="https://e.com/?crc_token=a")):
        check({**one, key: value})


def test_an_odd_vector_hinders_no_other(tmp_path: Path) -> None:
    done = run(tmp_path / "v.json", [vector(now=None), vector()], "--json")
    verdicts = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [each["valid"] for each in verdicts] == [False, True]
    assert verdicts[0]["reason"].startswith("not written as vectors are")


@pytest.mark.parametrize("secret", [[SECRET], ["other", SECRET], {"secret": SECRET}, {"key": SECRET}])
def test_a_secret_may_be_one_of_several_or_the_only_value_of_an_object(secret: Any) -> None:
    assert check(vector(secret=secret)).differences == []


def test_the_command_is_in_the_table() -> None:
    assert "verify" in Commands(name="causeway").list_commands(None)

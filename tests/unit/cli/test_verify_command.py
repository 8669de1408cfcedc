"""``causeway verify SYSTEM``: a refused request from a file, against a stack's secrets, and why."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from causeway_cli import request_files, verify
from causeway_cli.errors import CommandError
from causeway_cli.refusals import Diagnosed
from tests.support.aws import credentials_for
from tests.support.local_cloud import CAUSEWAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from causeway.aws.client import Aws

SECRET = "the-shops-secret-never-shown"
BODY = b'{"id": 1, "email": "ann@example.com"}'
AT = 1_764_000_000.0


@pytest.fixture
def causeway(aws_url: str, aws: Aws, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command for a stack of its own, on a map with two systems."""
    for directory in ("systems", "environments"):
        (tmp_path / directory).mkdir()
    (tmp_path / "environments" / "production.yaml").write_text("{}\n")
    for name, scheme in (("shop", "github"), ("bank", "stripe")):
        (tmp_path / "systems" / f"{name}.yaml").write_text(
            f"system: {name}\ndescription: Sends.\nredact: [data.email]\n"
            f"webhooks: {{scheme: {scheme}, secrets: [{name}/webhook]}}\n"
        )
    environ = os.environ | credentials_for(aws_url) | {"AWS_DEFAULT_REGION": "eu-central-1"}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        stack = ["--stack", tmp_path.name, "--integrations", str(tmp_path)]
        return subprocess.run(
            [CAUSEWAY, *arguments, *stack],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    for name, value in (("shop", SECRET), ("bank", "the-banks-secret")):
        path = f"/{tmp_path.name}/causeway/in/{name}/webhook"
        parameter = {"Name": path, "Value": value, "Type": "SecureString", "Overwrite": True}
        aws.call("ssm", "PutParameter", parameter)
    return run


def _kept(tmp_path: Path, secret: str = SECRET, body: bytes = BODY) -> Path:
    signature = hmac.new(secret.encode(), BODY, "sha256").hexdigest()
    file = tmp_path / "request.json"
    request = {
        "method": "POST",
        "headers": {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"},
        "body_base64": base64.b64encode(body).decode(),
        "at": AT,
    }
    file.write_text(json.dumps(request))
    return file


def test_a_valid_request_is_said_to_be(
    causeway: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = causeway("verify", "shop", str(_kept(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert "It is valid." in done.stdout


def test_the_reason_is_told_without_what_is_secret_or_redacted(
    causeway: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = causeway("verify", "shop", str(_kept(tmp_path, "the-banks-secret")))
    assert done.returncode == 1
    assert "secret: Another secret signed it: bank/webhook of bank." in done.stdout
    for hidden in (SECRET, "the-banks-secret", "ann@example.com", "sha256="):
        assert hidden not in done.stdout + done.stderr


def test_programs_get_the_findings_as_json(
    causeway: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = causeway("verify", "shop", str(_kept(tmp_path, body=BODY + b"\n")), "--json")
    (found,) = json.loads(done.stdout)
    assert (found["valid"], [each["kind"] for each in found["findings"]]) == (False, ["newline"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nobody", "request.json"], 1, "no system 'nobody' that sends webhooks; there are bank, shop"),
        (["shop", "missing.json"], 1, "cannot be read"),
        ([], 2, "name a system"),
        (["shop", "--vectors", "v.json"], 2, "takes no system"),
        (["--vectors", "missing.json"], 1, "cannot be read"),
    ],
)
def test_wrong_usage_is_told(
    causeway: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], code: int, message: str
) -> None:
    done = causeway("verify", *arguments)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def _read(tmp_path: Path, content: bytes) -> Any:
    file = tmp_path / "request"
    file.write_bytes(content)
    return request_files.read(file, base_url="https://hooks.example.com", now=AT)


def test_nothing_of_a_request_is_a_command_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Anybody can send what is refused, and the operator looks at it."""
    verify._show_diagnosed([Diagnosed("request", [], "{} \x1b]0;mine\x07 \x9b2J\r{}")], as_json=False)
    assert capsys.readouterr().out == "request\n  {} ?]0;mine? ?2J?{}\n"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_request_as_it_came_by_wire_keeps_its_bytes(tmp_path: Path, end: str) -> None:
    lines = ["POST /webhooks/shop?a=1 HTTP/1.1", "Host: x", "X-A: 1", "x-a: 2", "", ""]
    found = _read(tmp_path, end.join(lines).encode() + b"\xff body\r\n")
    request = found.request
    assert (request.method, request.url) == ("POST", "https://hooks.example.com/webhooks/shop?a=1")
    assert (request.headers["x-a"], request.body) == ("1,2", b"\xff body\r\n")
    assert (found.query, found.at) == ("a=1", AT)


def test_a_request_of_the_gateway_has_its_own_time(tmp_path: Path) -> None:
    event = {
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 1_700_000_000_000},
        "pathParameters": {"system": "shop"},
        "rawQueryString": "a=1",
        "headers": {"X-A": "1"},
        "body": base64.b64encode(b"\xff").decode(),
        "isBase64Encoded": True,
    }
    found = _read(tmp_path, json.dumps(event).encode())
    assert found.request.url == "https://hooks.example.com/webhooks/shop?a=1"
    assert (found.request.body, found.at, found.query) == (b"\xff", 1_700_000_000, "a=1")


def test_a_request_as_json_may_have_its_body_as_text(tmp_path: Path) -> None:
    found = _read(tmp_path, json.dumps({"headers": {"X-A": "1"}, "body": "Zoë"}).encode())
    assert (found.request.body, found.request.headers, found.at) == ("Zoë".encode(), {"x-a": "1"}, AT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"headers": 1}',
        b'{"headers": {}, "body_base64": "?"}',
        b'{"headers": {}, "body_base64": 1}',
        b'{"headers": {}, "at": "soon"}',
        b'{"requestContext": 1}',
        b'{"requestContext": {}}',
        b'{"requestContext": {"timeEpoch": "soon"}}',
        b"get / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CommandError, match="request"):
        _read(tmp_path, content)

"""First contact on the whole stack, under the functions' own roles: who is answered, and whose secret is taken."""

from __future__ import annotations

import hmac
import json
import subprocess
import time
from typing import TYPE_CHECKING

import urllib3

from tests.support.local_cloud import CAUSEWAY

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud

HOOK_SECRET = "b537207f20cbfa02357cf448134da559"


def _ask(cloud: LocalCloud, method: str, path: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"{cloud.url}/webhooks/{path}", timeout=35.0, retries=False)


def test_a_challenge_is_answered(cloud: LocalCloud) -> None:
    answer = _ask(cloud, "GET", "files?challenge=abc123")
    assert (answer.status, answer.data) == (200, b"abc123")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/plain"


def test_head_is_answered_where_a_provider_asks_so(cloud: LocalCloud) -> None:
    assert _ask(cloud, "HEAD", "boards").status == 200
    assert _ask(cloud, "HEAD", "files").status == 405


def test_a_secret_that_a_provider_brings_is_taken_while_the_operator_waits_for_it(cloud: LocalCloud) -> None:
    contact = {"X-Hook-Secret": HOOK_SECRET}
    assert cloud.post("tasks", b"{}", contact).status == 403
    waiting = subprocess.Popen(
        [CAUSEWAY, "secrets", "accept", "tasks", "--minutes", "1"],
        env=cloud.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until = time.monotonic() + 40
    try:
        while (answer := cloud.post("tasks", b"{}", contact)).status != 200:
            assert answer.status == 403, answer.data
            assert time.monotonic() < until
            time.sleep(0.5)
        output, _ = waiting.communicate(timeout=30)
    finally:
        waiting.kill()
    assert answer.headers["x-hook-secret"] == HOOK_SECRET
    assert waiting.returncode == 0, output
    assert "stored tasks/webhook (in)" in output
    assert HOOK_SECRET not in output

    body = b'{"events": []}'
    signed = {"X-Hook-Signature": hmac.new(HOOK_SECRET.encode(), body, "sha256").hexdigest()}
    until = time.monotonic() + 40  # what was read before is read anew after a mismatch, every 30 s
    while (answer := cloud.post("tasks", body, signed)).status != 200:
        assert time.monotonic() < until, answer.data
        time.sleep(1)


def test_a_refused_request_is_kept_and_explained(cloud: LocalCloud) -> None:
    body = json.dumps({"list_folder": {"accounts": ["dbid:1"]}}).encode()
    secret = b"the secret of files"
    signature = hmac.new(secret, body + b"\n", "sha256").hexdigest()  # the newline was lost on its way
    assert cloud.post("files", body, {"X-Dropbox-Signature": signature}).status == 401

    done = cloud.causeway("verify", "files", "--json")

    assert done.returncode == 1, done.stderr
    (found,) = json.loads(done.stdout)
    assert [each["kind"] for each in found["findings"]] == ["newline"]
    assert signature not in done.stdout

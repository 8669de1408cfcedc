"""Every function as `sam build` made it, in an image of Lambda's runtime, against the local cloud.

Needs what docs/sam-local.md describes, and the `sam` that CAUSEWAY_SAM names.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from causeway_cli.account import LOCAL_KEY, LOCAL_REGION
from tests.support.local_cloud import LocalCloud
from tests.support.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAM = os.environ.get("CAUSEWAY_SAM", "sam")
EVENTS = ROOT / "events"

ANSWERS = {
    "github-pull-request": 200,
    "github-wrong-signature": 401,
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    home = tmp_path_factory.mktemp("cloud")
    with LocalCloud(home, "--secrets", str(EVENTS / "webhook" / "secrets.yaml")) as running:
        yield running


@pytest.fixture(scope="module")
def settings(cloud: LocalCloud) -> Iterator[Path]:
    """The settings' file, while the local cloud is open to containers."""
    path = cloud.home / "state" / "sam-env.json"
    relay = subprocess.Popen([sys.executable, "-m", "causeway_cli.local.containers"], env=cloud.environ)
    try:
        give_up = time.monotonic() + 15
        while not path.exists():
            assert relay.poll() is None, "no Docker here"
            assert time.monotonic() < give_up
            time.sleep(0.1)
        yield path
    finally:
        relay.terminate()
        relay.wait(10)


def invoke(built: Path, settings: Path, function: str, event: Path) -> Any:
    """What the function returns."""
    options = {
        "--template": built / "template.yaml",
        "--event": event,
        "--env-vars": settings,
        "--parameter-overrides": f"Architecture={built.parent.name}",
    }
    done = subprocess.run(
        [SAM, "local", "invoke", function, "--skip-pull-image", *itertools.chain(*options.items())],
        env=os.environ
        | {
            "AWS_ACCESS_KEY_ID": LOCAL_KEY,
            "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
            "AWS_DEFAULT_REGION": LOCAL_REGION,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", ANSWERS)
def test_the_webhook_function_answers(built, settings, case):
    answer = invoke(built, settings, "WebhookFunction", EVENTS / "webhook" / f"{case}.json")
    assert answer["statusCode"] == ANSWERS[case]


@pytest.mark.parametrize("case", ["order", "filtered", "poison"])
def test_the_processor_works_on_a_batch(built, settings, case):
    """Delivered, filtered or given up: what has been decided does not come again."""
    event = EVENTS / "processor" / f"{case}.json"
    assert invoke(built, settings, "ProcessorFunction", event) == {"batchItemFailures": []}


def test_the_scheduler_works_off_what_is_due(built, settings):
    done = invoke(built, settings, "SchedulerFunction", EVENTS / "scheduler" / "minute.json")
    assert "released" in done
    assert set(done.values()) == {0}

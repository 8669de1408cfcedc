"""The commands that work with the local cloud, and how it starts, changes and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.flow import providers
from tests.flow.conftest import INTEGRATION, write_map
from tests.support.local_cloud import CAUSEWAY, LocalCloud

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.target import Target


def test_ready_within_twenty_seconds(cloud: LocalCloud) -> None:
    assert cloud.ready_after < 20


def test_send_signs_as_the_provider_does(cloud: LocalCloud) -> None:
    done = cloud.causeway("send", "payments", "--count", "2", "--json")

    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [answer["status"] for answer in answers] == [200, 200]
    assert len({answer["id"] for answer in answers}) == 2


def test_send_posts_a_file_as_it_is(cloud: LocalCloud, target: Target, scenario: str, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"type": "order.paid", "scenario": scenario}, indent=4))

    done = cloud.causeway("send", "standard", str(file), "--type", "order.paid")

    assert done.returncode == 0, done.stderr
    target.wait_for(1, path=f"/{scenario}")


def test_send_says_what_it_does_not_know(cloud: LocalCloud) -> None:
    done = cloud.causeway("send", "nobody")

    assert done.returncode == 1
    assert "no system 'nobody'" in done.stderr


def test_check_compares_a_stack_with_the_map_and_finds_no_right_lacking(cloud: LocalCloud) -> None:
    """With the caller's own rights, as on AWS: who made the stack has named in its parameters what the map needs."""
    environ = cloud.environ | {
        "AWS_ENDPOINT_URL": cloud.running["endpoint"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    asked = [
        "check",
        str(cloud.home / "integrations"),
        "--stack",
        cloud.running["stack"],
        "--region",
        "us-east-1",
    ]
    done = subprocess.run(
        [CAUSEWAY, *asked, "--json"], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr or done.stdout
    found = {each["about"]: each["severity"] for each in json.loads(done.stdout)["stack"]}
    assert found == dict.fromkeys(("flow@example.com", "OperatorEmail", "AlarmPollLag"), "warning")


def test_secrets_are_listed_without_values(cloud: LocalCloud) -> None:
    done = cloud.causeway("secrets", "check", "--json")

    assert done.returncode == 0
    assert {each["name"]: each["present"] for each in json.loads(done.stdout)} == dict.fromkeys(
        providers.SECRETS, True
    )
    assert not any(value in done.stdout for value in providers.SECRETS.values())


def test_a_secret_that_was_put_verifies(cloud: LocalCloud) -> None:
    """And the one before still does, while the provider's side is being changed."""
    before = providers.by_github("rotating")

    done = cloud.causeway(
        "secrets", "put", "github/webhook", stdin=f"{providers.SECRETS['github/webhook']}\n"
    )

    assert done.stdout == "stored github/webhook (in)\n"
    assert cloud.post(*before).status == 200


def test_the_console_shows_no_secret(cloud: LocalCloud) -> None:
    assert not any(value in cloud.output for value in providers.SECRETS.values())


def test_a_change_of_the_map_is_picked_up(
    cloud: LocalCloud, flow_map: Path, target: Target, scenario: str
) -> None:
    integration = INTEGRATION.format(
        name="added", source="standard", events='"added.*"', target="target", path=scenario, attempts=1
    )

    (flow_map / "added.yaml").write_text("integration: added\nnonsense: true\n")
    cloud.wait_for_output("not deployed: the map does not compile")
    (flow_map / "added.yaml").write_text(integration)
    cloud.wait_for_output("added.yaml             deployed")

    assert cloud.post(*providers.by_svix("ignored", type_="added.later")).status == 200
    target.wait_for(1, path=f"/{scenario}")


def test_a_busy_port_is_said(cloud: LocalCloud, flow_map: Path) -> None:
    done = cloud.causeway("dev", "--port", str(cloud.port), "--integrations", str(flow_map))

    assert done.returncode == 1
    assert f"port {cloud.port} is in use" in done.stderr


def test_without_a_local_cloud_commands_say_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [CAUSEWAY, "send", "github"],
        env=os.environ | {"CAUSEWAY_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "causeway: no local cloud is running: start one with `causeway dev`\n"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_local_cloud(tmp_path: Path, ending: signal.Signals) -> None:
    write_map(tmp_path / "integrations", target=1, sometimes=2)
    with LocalCloud(tmp_path, "--integrations", str(tmp_path / "integrations")) as cloud:
        emulator = int(cloud.running["endpoint"].rpartition(":")[2])
        assert _listens(emulator)
        assert _processes_in(tmp_path)

        cloud.process.send_signal(ending)

        give_up = time.monotonic() + 10
        while _listens(emulator) or _processes_in(tmp_path):
            assert time.monotonic() < give_up, _processes_in(tmp_path)
            time.sleep(0.1)
    if ending != signal.SIGKILL:
        assert cloud.process.returncode == 0
        assert list((tmp_path / "state").iterdir()) == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _processes_in(directory: Path) -> list[str]:
    """Processes that were started with a file below a directory: functions run from their run's own."""
    running = subprocess.run(
        ["ps", "-axww", "-o", "command"], capture_output=True, text=True, check=True
    ).stdout
    return re.findall(rf".*{re.escape(str(directory))}.*", running)

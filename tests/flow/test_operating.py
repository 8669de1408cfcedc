"""Operating the local cloud as one operates a stack: pause and resume, replay, redrive, look, close the books."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from causeway.settings.clock import rfc3339
from tests.flow import providers
from tests.support.local_cloud import CAUSEWAY
from tests.support.target import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target

PAUSED, DYING = "pulls-to-target", "standard-to-dead"


def told(cloud: LocalCloud, *arguments: str) -> Any:
    """What a command says, as JSON."""
    done = cloud.causeway(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(look: Callable[[], Any], seconds: float = 15) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up
        time.sleep(0.3)
    return found


def next_minute(cloud: LocalCloud) -> None:
    """Have the scheduler begin one, instead of waiting for it."""
    minute = {"FunctionName": cloud.physical("SchedulerFunction"), "InvocationType": "Event"}
    cloud.clients("lambda").invoke(**minute, Payload=b"{}")


def dead(cloud: LocalCloud, event: str) -> dict[str, Any]:
    """The delivery of an event, once it is dead."""

    def look() -> dict[str, Any] | None:
        listed = told(cloud, "deliveries", "--integration", DYING, "--status", "dead")["deliveries"]
        return next((each for each in listed if each["event_id"] == event), None)

    return until(look)


def die(cloud: LocalCloud, target: Target, scenario: str) -> dict[str, Any]:
    """An event whose delivery is dead, at a target that has recovered since."""
    target.on(f"/{scenario}", Reply(500))
    system, body, headers = providers.by_standard_webhooks(scenario, type_="dead.on.arrival")
    assert cloud.post(system, body, headers).status == 200
    found = dead(cloud, headers["webhook-id"])
    target.on(f"/{scenario}", Reply(200))
    return found


@pytest.fixture(scope="module", autouse=True)
def _clean_up(cloud: LocalCloud) -> Iterator[None]:
    """Leave no dead letters to other tests."""
    yield
    cloud.causeway("replay", "--from-queue", "--integration", DYING)


def test_a_paused_integration_waits_and_a_resumed_one_goes_on(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    paused = cloud.causeway("pause", PAUSED, "--reason", "the target is being moved")
    assert "is paused" in paused.stdout, paused.stderr
    again = cloud.causeway("pause", PAUSED, "--reason", "another")
    assert "the target is being moved" in again.stdout
    time.sleep(5.1)  # by now every instance knows

    assert cloud.post(*providers.by_github(scenario)).status == 200
    (waiting,) = until(
        lambda: told(cloud, "deliveries", "--integration", PAUSED, "--status", "waiting")["deliveries"]
    )
    assert waiting["error"] == "paused"
    assert "the target is being moved" in waiting["reason"]
    assert target.received(f"/{scenario}") == []
    (shown,) = told(cloud, "status", "--integration", PAUSED)["integrations"]
    assert (shown["state"], shown["waiting"]) == ("paused", 1)
    assert shown["paused"]["reason"] == "the target is being moved"

    assert told(cloud, "resume", PAUSED)["changed"] is True
    next_minute(cloud)
    (request,) = target.wait_for(1, path=f"/{scenario}", seconds=70)
    assert request.headers["causeway-attempt"] == "1"
    assert request.headers["idempotency-key"] == waiting["id"]


def test_a_dead_delivery_is_replayed_by_its_id(cloud: LocalCloud, target: Target, scenario: str) -> None:
    found = die(cloud, target, scenario)
    shown = told(cloud, "deliveries", "show", found["id"])
    assert (shown["status"], shown["event_kept"], len(shown["attempts"])) == ("dead", True, 2)

    record = told(cloud, "replay", found["id"])

    requests = target.wait_for(3, path=f"/{scenario}")
    assert {request.headers["idempotency-key"] for request in requests} == {found["id"]}
    assert (record["state"], record["delivery"]) == ("done", found["id"])
    until(lambda: told(cloud, "deliveries", "show", found["id"])["status"] == "delivered")
    (of_event,) = told(cloud, "deliveries", "event", "standard", found["event_id"])
    assert of_event["replay"] == 1


def test_many_are_replayed_by_a_filter_after_a_dry_run(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    first, _ = (die(cloud, target, f"{scenario}-{number}") for number in range(2))
    chosen = ("--integration", DYING, "--error", "http", "--since", first["accepted_at"])

    counted = told(cloud, "replay", *chosen, "--dry-run")
    assert (counted["matched"], counted["replayed"]) == (2, 0)
    started = told(cloud, "replay", *chosen, "--rate", "2", "--new-key", "--no-wait")
    assert (started["state"], started["replayed"]) == ("running", 0)
    next_minute(cloud)
    replayed = told(cloud, "replay", "--follow", started["replay"])
    assert (replayed["state"], replayed["replayed"]) == ("done", 2)
    assert replayed in told(cloud, "replay", "--history")

    for number in range(2):
        *_, last = target.wait_for(3, path=f"/{scenario}-{number}")
        assert last.headers["idempotency-key"].endswith("-1")


def test_the_dead_letter_queue_is_redriven(cloud: LocalCloud, target: Target, scenario: str) -> None:
    found = die(cloud, target, scenario)

    moved = told(cloud, "replay", "--from-queue", "--integration", DYING)

    assert moved["replayed"] >= 1
    assert moved["by_task"] is False, "the emulator has no such operation"
    requests = target.wait_for(3, path=f"/{scenario}", seconds=30)
    assert {request.headers["idempotency-key"] for request in requests} == {found["id"]}


def test_status_shows_that_the_books_close_and_when_they_do_not(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    lost = die(cloud, target, scenario)
    hour = lost["accepted_at"]

    def closed() -> Any:
        done = cloud.causeway("status", "--hour", hour, "--json")
        found = json.loads(done.stdout)
        missing = [book["unaccounted"] for book in found["books"]["integrations"]]
        return found if sum(missing) == 0 and done.returncode == 0 else None

    found = until(closed, seconds=30)
    books = {book["integration"]: book for book in found["books"]["integrations"]}
    assert books[DYING]["dead"] >= 1
    assert sum(book["accepted"] for book in books.values()) >= 1

    table, key = cloud.outputs["Journal"], {"id": {"S": lost["id"]}, "part": {"S": "delivery"}}
    tables = cloud.clients("dynamodb")
    item = tables.get_item(TableName=table, Key=key)["Item"]
    tables.delete_item(TableName=table, Key=key)
    try:
        done = cloud.causeway("status", "--hour", hour, "--json")
        found = json.loads(done.stdout)
        books = {book["integration"]: book["unaccounted"] for book in found["books"]["integrations"]}
        assert books[DYING] == 1
        # While other tests' messages are on the queue, it could be one of those.
        assert found["books"]["close"] == (found["on_queue"] > 0)
        assert done.returncode == (0 if found["books"]["close"] else 1)
    finally:
        tables.put_item(TableName=table, Item=item)
    assert "close" in cloud.causeway("status", "--hour", hour).stdout


def test_tail_shows_what_happens(cloud: LocalCloud, target: Target, scenario: str) -> None:
    found = die(cloud, target, scenario)
    tail = subprocess.Popen(
        [CAUSEWAY, "tail", "--json", "--integration", DYING, "--since", "10m"],
        env=cloud.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert tail.stdout is not None
        lines = (json.loads(line) for line in tail.stdout)
        given_up = (line["delivery_id"] for line in lines if line.get("message") == "given up")
        assert found["id"] in given_up  # of the lines that come, until it does
    finally:
        tail.send_signal(signal.SIGINT)
        tail.communicate(timeout=10)
    assert tail.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pause", "nobody", "--reason", "x"), "the map has no integration 'nobody'"),
        (("deliveries", "show", "0" * 32), "there is no delivery 0000"),
        (("deliveries", "--status", "lost"), "there is no status 'lost'"),
        (("deliveries", "--since", "yesterday"), "is no time"),
        (("deliveries", "--cursor", "x"), "no cursor"),
        (("replay", "0" * 32), "there is no delivery 0000"),
        (("replay", "--cancel", "2026-11-22-000000-00000000"), "there is no replay"),
        (("replay",), "say what to replay"),
        (("replay", "--from-queue", "--since", "6h"), "goes with --integration and --rate only"),
        (("replay", "--all", "--status", "waiting"), "--status is dead or delivered"),
        (("replay", "--all", "--status", "delivered", "--error", "http"), "has no class of errors"),
    ],
)
def test_what_cannot_be_done_is_said(cloud: LocalCloud, arguments: tuple[str, ...], says: str) -> None:
    done = cloud.causeway(*arguments)

    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deployed_stack_is_operated_with_the_callers_own_rights(cloud: LocalCloud, flow_map: Path) -> None:
    """Here it is the same stack, found as one on AWS is: by its name, its outputs, and the caller's credentials."""
    caller = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environ = (
        os.environ | caller | {"AWS_ENDPOINT_URL": cloud.running["endpoint"], "CAUSEWAY_STATE": "/nowhere"}
    )
    deployed = ("--region", "us-east-1", "--integrations", str(flow_map))

    def causeway(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [CAUSEWAY, *arguments, *deployed]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    stack = ("--stack", cloud.running["stack"])
    listed = causeway("deliveries", *stack, "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["deliveries"]
    done = causeway("pause", "standard-to-sometimes", "--reason", "x", *stack, "--json")
    assert json.loads(done.stdout)["by"].startswith("arn:aws:"), done.stderr
    assert causeway("resume", "standard-to-sometimes", *stack).returncode == 0
    nowhere = causeway("status", "--stack", "nowhere")
    assert nowhere.stderr == "causeway: there is no stack 'nowhere' in us-east-1\n"


def test_a_page_goes_on_where_the_last_one_ended(cloud: LocalCloud) -> None:
    since = rfc3339(time.time() - 3600)
    first = told(cloud, "deliveries", "--limit", "2", "--since", since)
    second = told(cloud, "deliveries", "--limit", "2", "--since", since, "--cursor", first["cursor"])
    ids = [each["id"] for each in (*first["deliveries"], *second["deliveries"])]
    assert len(set(ids)) == 4


def test_the_api_shows_and_replays_to_who_has_the_key_that_dev_prints(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    """Through the gateway, its authorizer and the console's own role, as on AWS."""

    def ask(method: str, path: str, key: str = cloud.key, body: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        answer = cloud.send(method, f"/api{path}", body, headers)
        return answer.status, answer.json()

    def of_event() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask("GET", f"/events/standard/{event}")[1].get("deliveries", [])
        return [
            each for each in found if each["integration"] == DYING and each["status"] in ("dead", "delivered")
        ]

    target.on(f"/{scenario}", Reply(400))  # dead at once, and nothing that a circuit counts
    system, body, headers = providers.by_standard_webhooks(scenario, type_="dead.on.arrival")
    event = headers["webhook-id"]
    assert cloud.post(system, body, headers).status == 200
    (dead_one,) = until(of_event, seconds=40)
    target.on(f"/{scenario}", Reply(200))

    assert ask("GET", "/health", "") == (200, {"status": "ok"})
    assert ask("GET", "/openapi.json", "")[1]["openapi"] == "3.1.0"
    for key in ("", "causeway_0000000000000000_" + "A" * 43):
        assert ask("GET", "/deliveries", key)[0] in (401, 403)
    status, listed = ask("GET", f"/deliveries?integration={DYING}&status=dead&limit=100")
    assert (status, dead_one["id"] in {each["id"] for each in listed["deliveries"]}) == (200, True)
    shown = ask("GET", f"/deliveries/{dead_one['id']}")[1]
    assert (shown["status"], shown["event"]["data"]["scenario"]) == ("dead", scenario)
    integrations = {each["integration"]: each for each in ask("GET", "/integrations")[1]["integrations"]}
    assert integrations[DYING]["dead"] >= 1
    assert ask("POST", f"/integrations/{PAUSED}/resume")[0] == 202
    status, counted = ask("POST", "/replays", body={"integration": DYING, "dry_run": True})
    assert (status, counted["state"], counted["by"]) == (202, "done", "key:dev")
    assert ask("POST", f"/deliveries/{dead_one['id']}/replay")[0] == 202
    target.wait_for(2, path=f"/{scenario}", seconds=40)

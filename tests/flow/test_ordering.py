"""What keeps an order, through the queues, the roles and the functions of the local cloud."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.flow import providers
from tests.support.target import Reply

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target

NAME = "standard-in-order"
FRESH = 5.0
"""Seconds for which an instance may rely on what it read of a pause."""


def send(cloud: LocalCloud, scenario: str, key: str, number: int) -> None:
    signed = providers.by_standard_webhooks(scenario, type_="step.taken", key=key, number=number)
    assert cloud.post(*signed).status == 200


def test_a_parked_key_is_worked_off_in_order_before_what_comes_later(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    """A pause parks the key, what comes meanwhile joins it, and a resume lets all of it go on."""
    target.on(f"/{scenario}", Reply(503), Reply(200))
    assert cloud.causeway("pause", NAME, "--reason", "to park its keys").returncode == 0
    for number in range(5):
        send(cloud, scenario, "cleo", number)
    time.sleep(FRESH + 0.5)
    assert target.received(f"/{scenario}") == []

    assert cloud.causeway("resume", NAME).returncode == 0
    minute = {"FunctionName": cloud.physical("SchedulerFunction"), "InvocationType": "Event"}
    cloud.clients("lambda").invoke(**minute, Payload=b"{}")
    target.wait_for(1, path=f"/{scenario}", seconds=25)
    for number in range(5, 8):
        send(cloud, scenario, "cleo", number)

    requests = target.wait_for(9, path=f"/{scenario}", seconds=25)
    assert [request.json["number"] for request in requests] == [0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert [request.headers["causeway-attempt"] for request in requests] == ["1", "2", *"1111111"]


def test_a_key_waits_for_its_head_and_no_other_does(cloud: LocalCloud, target: Target, scenario: str) -> None:
    """The first of all is refused once: those of its key wait on the queue, those of the other one go on."""
    target.on(f"/{scenario}", Reply(503), Reply(200))

    for number in range(4):
        for key in ("ann", "bob"):
            send(cloud, scenario, key, number)

    requests = [request.json for request in target.wait_for(9, path=f"/{scenario}", seconds=25)]
    refused = requests[0]["key"]
    came = {key: [each["number"] for each in requests if each["key"] == key] for key in ("ann", "bob")}
    assert came.pop(refused) == [0, 0, 1, 2, 3]
    assert list(came.values()) == [[0, 1, 2, 3]]

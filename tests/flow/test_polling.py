"""A poll on the local cloud: by the command, over the FIFO queue, under the poller's own role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.target import Reply

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target

ORDERS = [
    {"id": f"o{number}", "version": 1, "updated_at": f"2023-05-01T00:00:0{number}Z"} for number in range(4)
]


def poll(cloud: LocalCloud, *arguments: str) -> dict[str, Any]:
    done = cloud.causeway("poll", "polled", "orders", "--json", "--wait", "40", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def api(target: Target) -> Target:
    """Two pages, of which the second one fails at first; then only the newest again; then both."""
    last = Reply(body={"orders": ORDERS[2:]})
    first = Reply(body={"orders": ORDERS[:2]}, headers={"Link": '</polled/orders/2>; rel="next"'})
    target.on("/polled/orders", first, Reply(body={"orders": ORDERS[3:]}), first)
    target.on("/polled/orders/2", Reply(500), last)
    return target


def test_a_poll_runs_when_it_is_wanted_and_its_records_are_delivered_once(
    cloud: LocalCloud, api: Target
) -> None:
    done = poll(cloud)

    assert (done["state"], done["records"], done["queued"]) == ("done", 4, 4)
    arrived = api.wait_for(4, path="/polled/arrived")
    assert sorted(request.json["id"] for request in arrived) == [f"o{number}@1" for number in range(4)]
    assert poll(cloud)["queued"] == 0
    again = poll(cloud, "--since", "2023-01-01T00:00:00Z", "--until", "2023-05-01T00:00:01Z")
    assert (again["records"], again["queued"]) == (4, 2), "they are queued, and known to the journal"
    assert len(api.received("/polled/arrived")) == 4

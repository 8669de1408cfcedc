"""What comes in beside the API, on the local cloud: events of the bus by its rule, messages of the stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.flow import providers
from tests.support.target import Reply

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target


def test_an_event_of_the_bus_is_delivered_and_what_a_dead_one_did_is_undone(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    target.on(f"/{scenario}/charges", Reply(201, body={"id": "ch_1", "scenario": scenario}))
    target.on(f"/{scenario}", Reply(400))
    target.on(f"/{scenario}/undone", Reply(200))

    cloud.clients("events").put_events(
        Entries=[
            {
                "EventBusName": cloud.outputs["Bus"],
                "Source": "com.example.flow",
                "DetailType": "order.placed",
                "Detail": json.dumps({"scenario": scenario}),
            }
        ]
    )

    (request,) = target.wait_for(1, path=f"/{scenario}", seconds=20)
    assert request.json == {"charge": "ch_1"}
    (undone,) = target.wait_for(1, path=f"/{scenario}/undone", seconds=20)
    assert undone.json == {"charge": "ch_1"}


def test_events_for_the_stream_arrive_by_it_and_a_refused_one_comes_again(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    target.on(f"/{scenario}", Reply(500), Reply(200))

    signed = [
        providers.by_standard_webhooks(scenario, type_="streamed", number=number) for number in range(12)
    ]
    assert {cloud.post(*each).status for each in signed} == {200}

    requests = target.wait_for(13, path=f"/{scenario}", seconds=25)
    assert {request.json["number"] for request in requests} == set(range(12))
    attempts = [request.headers["causeway-attempt"] for request in requests]
    assert sorted(attempts) == ["1"] * 12 + ["2"]
    assert len({request.headers["idempotency-key"] for request in requests}) == 12
    assert sum(scenario in record for record in on_the_stream(cloud)) == 12


def on_the_stream(cloud: LocalCloud) -> list[str]:
    """All that lies on the stream."""
    kinesis, name = cloud.clients("kinesis"), cloud.physical("Stream")
    found = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += [
            record["Data"].decode() for record in kinesis.get_records(ShardIterator=iterator)["Records"]
        ]
    return found

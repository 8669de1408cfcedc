"""What becomes of deliveries whose target refuses, is down, or stays away."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.flow import providers
from tests.support.local_cloud import message
from tests.support.target import Reply, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.local_cloud import LocalCloud


@pytest.mark.parametrize(
    ("refusals", "least"),
    [
        pytest.param([Reply(500)], 1.0, id="500"),
        pytest.param([Reply(429, headers={"Retry-After": "3"})], 3.0, id="429"),
        pytest.param([Reply(drop="unanswered")], 1.0, id="dropped"),
        pytest.param(
            [Reply(503, close=True), Reply(drop="unread"), Reply(500)], 3.0, id="one-after-the-other"
        ),
    ],
)
def test_a_refused_delivery_comes_again_with_the_same_key(
    cloud: LocalCloud, target: Target, scenario: str, refusals: list[Reply], least: float
) -> None:
    target.drop_idle()  # what fails on a new connection is an attempt; an idle one is given a second chance
    target.on(f"/{scenario}", *refusals, Reply(200))

    assert cloud.post(*providers.by_stripe(scenario)).status == 200

    requests = target.wait_for(len(refusals) + 1, path=f"/{scenario}", seconds=25)
    assert len({request.headers["idempotency-key"] for request in requests}) == 1
    attempts = [request.headers["causeway-attempt"] for request in requests]
    assert attempts == [str(number + 1) for number in range(len(requests))]
    assert requests[-1].at - requests[0].at >= least
    time.sleep(1.5)
    assert len(target.received(f"/{scenario}")) == len(refusals) + 1


def test_a_target_that_is_down_gets_its_deliveries_once_it_is_up(
    cloud: LocalCloud, sometimes: int, scenario: str
) -> None:
    signed = [providers.by_svix(scenario, type_="sometimes.there", number=number) for number in range(5)]
    assert {cloud.post(*each).status for each in signed} == {200}
    time.sleep(2)

    with Target(port=sometimes) as late:
        requests = late.wait_for(5, path=f"/{scenario}", seconds=20)

    assert sorted(request.json["data"]["number"] for request in requests) == [0, 1, 2, 3, 4]


@pytest.fixture
def announced(cloud: LocalCloud) -> Iterator[str]:
    """A queue that hears what is said on the stack's bus."""
    sqs, events, bus = cloud.clients("sqs"), cloud.clients("events"), cloud.outputs["Bus"]
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"detail-type": ["causeway.delivery.dead"]}')
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "heard", "Arn": arn}])
    yield url
    events.remove_targets(Rule="all", EventBusName=bus, Ids=["heard"])
    events.delete_rule(Name="all", EventBusName=bus)
    sqs.delete_queue(QueueUrl=url)


def test_a_delivery_whose_attempts_are_up_is_dead_and_announced(
    cloud: LocalCloud, target: Target, scenario: str, announced: str
) -> None:
    target.on(f"/{scenario}", Reply(500))
    system, body, headers = providers.by_standard_webhooks(scenario, type_="dead.on.arrival")

    assert cloud.post(system, body, headers).status == 200

    sqs = cloud.clients("sqs")
    letter = message(sqs, cloud.outputs["DeadLettersUrl"], "standard-to-dead")
    requests = target.received(f"/{scenario}")
    assert len(requests) == 2
    assert letter["delivery"] == requests[0].headers["idempotency-key"]
    heard = message(sqs, announced, letter["delivery"])
    assert heard["detail-type"] == "causeway.delivery.dead"
    assert "500" in json.dumps(heard["detail"])
    item = cloud.clients("dynamodb").get_item(
        TableName=cloud.outputs["Journal"],
        Key={"id": {"S": letter["delivery"]}, "part": {"S": "delivery"}},
    )["Item"]
    assert item["status"] == {"S": "dead"}


def test_a_poison_message_lies_with_the_dead_letters_and_hinders_nobody(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    sqs = cloud.clients("sqs")

    sqs.send_message(QueueUrl=cloud.outputs["DeliveriesUrl"], MessageBody=f'{{"no": "{scenario}"}}')
    assert cloud.post(*providers.by_stripe(scenario)).status == 200

    target.wait_for(1, path=f"/{scenario}")
    message(sqs, cloud.outputs["DeadLettersUrl"], scenario)

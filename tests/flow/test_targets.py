"""Targets that are no system, on the local cloud: under the processor's own role, which a parameter widens."""

from __future__ import annotations

import json
import time
import zlib
from typing import TYPE_CHECKING, Any

from tests.flow import providers
from tests.support.local_cloud import message

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud


def post(cloud: LocalCloud, kind: str, scenario: str, count: int = 1) -> None:
    for number in range(count):
        signed = providers.by_standard_webhooks(scenario, type_=f"to-{kind}", number=number)
        assert cloud.post(*signed).status == 200


def lines(cloud: LocalCloud, bucket: str) -> list[dict[str, Any]]:
    s3 = cloud.clients("s3")
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in zlib.decompress(body, wbits=31).splitlines()]


def test_a_queue_gets_the_message(cloud: LocalCloud, scenario: str) -> None:
    post(cloud, "queue", scenario)

    sqs = cloud.clients("sqs")
    found = message(sqs, sqs.get_queue_url(QueueName="flow-jobs")["QueueUrl"], scenario)

    assert found["type"] == "to-queue"


def test_a_bus_gets_the_event(cloud: LocalCloud, scenario: str) -> None:
    sqs, events = cloud.clients("sqs"), cloud.clients("events")
    url = sqs.create_queue(QueueName="flow-heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"detail-type": ["to-bus"]})
    events.put_rule(Name="all", EventBusName="flow-bus", EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName="flow-bus", Targets=[{"Id": "heard", "Arn": arn}])

    post(cloud, "bus", scenario)

    found = message(sqs, url, scenario)
    assert found["source"] == "causeway.standard-to-bus"
    assert found["resources"][0].startswith("causeway:delivery:")


def test_a_bucket_gets_every_line_in_few_objects_and_the_console_shows_them(
    cloud: LocalCloud, scenario: str
) -> None:
    post(cloud, "bucket", scenario, count=12)

    give_up = time.monotonic() + 15
    while len(own := [line for line in lines(cloud, "flow-lake") if line["scenario"] == scenario]) < 12:
        assert time.monotonic() < give_up, own
        time.sleep(0.2)

    assert sorted(line["number"] for line in own) == list(range(12))
    assert len({line["_delivery"] for line in own}) == 12
    cloud.wait_for_output("flow-lake")


def test_what_no_parameter_names_is_refused_and_tried_again(cloud: LocalCloud, scenario: str) -> None:
    """The role has no right to a queue that the map did not name when it was deployed."""
    iam = cloud.clients("iam")
    role = {"RoleName": cloud.physical("ProcessorRole"), "PolicyName": "processor"}
    policy = iam.get_role_policy(**role)["PolicyDocument"]
    without = [each for each in policy["Statement"] if each["Sid"] != "SendToTargetQueues"]
    assert len(without) == len(policy["Statement"]) - 1
    iam.put_role_policy(**role, PolicyDocument=json.dumps(policy | {"Statement": without}))
    try:
        post(cloud, "queue", scenario)
        cloud.wait_for_output("reason=queue flow-jobs: AccessDenied")
    finally:
        iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))

    sqs = cloud.clients("sqs")
    message(sqs, sqs.get_queue_url(QueueName="flow-jobs")["QueueUrl"], scenario)

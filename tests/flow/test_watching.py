"""The watchdog on the local cloud, under its own role: what it sees, whom it tells, what it announces."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.local_cloud import LocalCloud


def look(cloud: LocalCloud) -> dict[str, Any]:
    """One run, instead of waiting for the minute; the one of the minute may be at work, and then stands first."""
    give_up = time.monotonic() + 60
    while True:
        answer = cloud.clients("lambda").invoke(
            FunctionName=cloud.physical("WatchdogFunction"), Payload=b"{}"
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        if found:
            return found
        assert time.monotonic() < give_up
        time.sleep(0.2)


def heard(sqs: Any, url: str, number: int) -> list[dict[str, Any]]:
    """So many messages of a queue, what SNS and the bus have brought."""
    found: list[dict[str, Any]] = []
    give_up = time.monotonic() + 30
    while len(found) < number:
        assert time.monotonic() < give_up, found
        taken = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        for each in taken.get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            found.append(json.loads(each["Body"]))
    return found


def shown(report: dict[str, Any]) -> set[tuple[str, str]]:
    """What is not well, by a report that is not old."""
    assert not report["late"]
    return {(each["check"], each["subject"]) for each in report["findings"]}


def test_a_pause_is_told_to_its_owner_and_on_the_bus_and_so_is_its_end(cloud: LocalCloud) -> None:
    sqs, sns, events = cloud.clients("sqs"), cloud.clients("sns"), cloud.clients("events")
    url = sqs.create_queue(QueueName="watch-heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed})
    policy = {"team": ["flow"], "check": ["paused"]}
    sns.subscribe(
        TopicArn=cloud.outputs["OwnersTopic"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    bus = cloud.outputs["Bus"]
    pattern = json.dumps({"detail-type": [{"prefix": "causeway.integration."}]})
    events.put_rule(Name="watch", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="watch", EventBusName=bus, Targets=[{"Id": "heard", "Arn": arn}])
    (integration, *_) = json.loads(cloud.causeway("status", "--json").stdout)["integrations"]
    name = integration["integration"]

    look(cloud)
    cloud.causeway("pause", name, "--reason", "the target is being moved")
    counts = look(cloud)

    assert (counts["failed"], counts["left_out"], counts["untold"]) == (0, 0, 0), counts
    told = {each.get("Subject", each.get("detail-type")): each for each in heard(sqs, url, 2)}
    (subject, event) = sorted(told)
    assert subject.startswith(f"[warning] {name}: paused by")
    assert event == "causeway.integration.paused"
    assert "the target is being moved" in told[subject]["Message"]
    assert told[event]["detail"]["reason"] == "the target is being moved"
    assert ("paused", name) in shown(json.loads(cloud.causeway("status", "--json").stdout)["watched"])
    time.sleep(5)  # so old may be what the console's function has read
    answer = cloud.send("GET", "/api/findings", None, {"authorization": f"Bearer {cloud.key}"})
    assert ("paused", name) in shown(answer.json()), "under the console's own role"
    cloud.causeway("resume", name)
    look(cloud)
    again = {each.get("Subject", each.get("detail-type")) for each in heard(sqs, url, 2)}
    assert again == {f"[ok] recovered: {subject.partition('] ')[2]}", "causeway.integration.recovered"}


def test_a_canary_takes_the_public_way_and_comes_back(cloud: LocalCloud) -> None:
    """The watchdog signs it with a secret of the system, and may read no other."""
    table = cloud.clients("dynamodb")
    give_up = time.monotonic() + 20
    arrived: list[str] = []
    while not arrived:
        assert time.monotonic() < give_up
        assert look(cloud)["failed"] == 0
        answer = table.query(
            TableName=cloud.outputs["State"],
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": "canary#files"}},
        )
        arrived = [item["part"]["S"] for item in answer["Items"] if "arrived_at" in item]
    reading = [
        statement
        for statement in _statements(cloud, "WatchdogRole")
        if "ssm:GetParameters" in statement["Action"]
    ]
    (statement,) = reading
    assert [arn.rpartition("/in/")[2] for arn in statement["Resource"]] == ["files/webhook"]


def _statements(cloud: LocalCloud, role: str) -> list[dict[str, Any]]:
    iam, name = cloud.clients("iam"), cloud.physical(role)
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    found: list[dict[str, Any]] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"][
        "Statement"
    ]
    return found

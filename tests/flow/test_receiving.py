"""What a provider gets, and what it leads to, on the stack that is deployed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.flow import providers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flow.providers import Signed
    from tests.support.local_cloud import LocalCloud
    from tests.support.target import Target

QUIET = 1.5
"""Seconds in which something that must not happen would have happened."""


@pytest.mark.parametrize(
    "sign",
    [providers.by_stripe, providers.by_github, providers.by_standard_webhooks, providers.by_svix],
)
def test_what_the_official_sdks_sign_arrives_exactly_once(
    cloud: LocalCloud, target: Target, scenario: str, sign: Callable[[str], Signed]
) -> None:
    answer = cloud.post(*sign(scenario))

    assert answer.status == 200
    accepted = json.loads(answer.data)
    assert accepted["accepted"] is True
    request = target.wait_for(1, path=f"/{scenario}")[0]
    assert request.json["id"] == accepted["id"] == request.headers["causeway-event-id"]
    assert request.headers["causeway-attempt"] == "1"
    assert len(request.headers["idempotency-key"]) == 32
    time.sleep(QUIET)
    assert len(target.received(f"/{scenario}")) == 1


@pytest.mark.parametrize("sign", [providers.by_stripe, providers.by_github, providers.by_standard_webhooks])
def test_an_altered_body_is_refused_and_goes_nowhere(
    cloud: LocalCloud, target: Target, scenario: str, sign: Callable[[str], Signed]
) -> None:
    system, body, headers = sign(scenario)

    answer = cloud.post(system, body + b" ", headers)

    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    time.sleep(QUIET)
    assert target.received(f"/{scenario}") == []


def test_a_repeated_event_is_answered_alike_and_delivered_once(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    signed = providers.by_stripe(scenario)

    answers = [cloud.post(*signed) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({answer.data for answer in answers}) == 1
    target.wait_for(1, path=f"/{scenario}")
    time.sleep(QUIET)
    assert len(target.received(f"/{scenario}")) == 1


def test_bytes_are_verified_as_they_were_sent(cloud: LocalCloud, target: Target, scenario: str) -> None:
    """The gateway hands a form to the function in base64; characters beyond ASCII and odd spacing stay."""
    system, body, headers = providers.by_standard_webhooks(scenario, text="Grüße, 東京 \u2028 \U0001f30a")

    assert cloud.post(system, body, headers).status == 200
    assert target.wait_for(1, path=f"/{scenario}")[0].json["data"]["text"] == "Grüße, 東京 \u2028 \U0001f30a"


def test_a_body_in_base64_is_verified_too(cloud: LocalCloud) -> None:
    """Without a content type that is text, API Gateway encodes the body; 400 says that it was verified first."""
    system, body, headers = providers.by_github("unread")

    answer = cloud.post(system, body, headers | {"Content-Type": "application/octet-stream"})

    assert answer.status == 200


def test_an_unknown_system_is_not_found(cloud: LocalCloud) -> None:
    _, body, headers = providers.by_github("nowhere")

    assert cloud.post("nobody", body, headers).status == 404


def test_over_the_platforms_limit_is_413(cloud: LocalCloud) -> None:
    """6 MB are Lambda's limit, 10 MB API Gateway's."""
    for size in (7_000_000, 11_000_000):
        system, body, headers = providers.by_standard_webhooks("too-large", filling="x" * size)

        assert cloud.post(system, body, headers).status == 413


def test_a_large_event_goes_by_way_of_the_bucket(cloud: LocalCloud, target: Target, scenario: str) -> None:
    filling = "x" * 2_000_000

    assert cloud.post(*providers.by_stripe(scenario, filling=filling)).status == 200

    request = target.wait_for(1, path=f"/{scenario}")[0]
    assert request.json["data"]["data"]["object"]["filling"] == filling
    assert cloud.clients("s3").list_objects_v2(Bucket=cloud.outputs["Payloads"])["KeyCount"] >= 1


def test_an_event_that_nobody_takes_is_answered_200(cloud: LocalCloud) -> None:
    assert cloud.post(*providers.by_standard_webhooks("unmatched", type_="nothing.of.interest")).status == 200


def test_a_function_may_do_only_what_its_role_allows(
    cloud: LocalCloud, target: Target, scenario: str
) -> None:
    """The roles of the template are enforced: without its right to the queue, the webhook function answers 503."""
    iam = cloud.clients("iam")
    role = {"RoleName": cloud.physical("WebhookRole"), "PolicyName": "webhook"}
    policy = iam.get_role_policy(**role)["PolicyDocument"]
    without = [each for each in policy["Statement"] if each["Sid"] != "QueueDeliveries"]
    iam.put_role_policy(**role, PolicyDocument=json.dumps(policy | {"Statement": without}))
    try:
        refused = cloud.post(*providers.by_github(scenario))
    finally:
        iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))

    assert refused.status == 503
    assert "retry-after" in refused.headers
    assert target.received(f"/{scenario}") == []
    assert cloud.post(*providers.by_github(scenario)).status == 200
    target.wait_for(1, path=f"/{scenario}")

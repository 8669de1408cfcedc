"""`causeway owners`: each owner's address gets what concerns its integrations, by SNS as moto has it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws
from moto.sns.models import sns_backends
from typer.testing import CliRunner

from causeway.watching.owners import OPERATOR, policy_of
from causeway_cli import owners, stacks
from tests.support.deliveries import plan_of

OWNER = "finance@example.com"


@pytest.fixture
def sns(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("sns", region_name="eu-central-1")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="owners")["TopicArn"]


@pytest.fixture
def command(sns, topic, monkeypatch):
    place = SimpleNamespace(clients=lambda _: sns, outputs={"OwnersTopic": topic}, plan=plan_of())
    monkeypatch.setattr(stacks, "_local", lambda: place)

    def run(*arguments):
        result = CliRunner().invoke(owners.app, [*arguments, "--json"])
        if result.exception:
            raise result.exception
        return {line["address"]: line for line in json.loads(result.stdout)["owners"]}

    return run


def subscribed(sns, topic):
    """Addresses and their filter policies."""
    found = {}
    for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        attributes = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
        found[each["Endpoint"]] = json.loads(attributes.get("FilterPolicy", "null"))
    return found


def test_each_owner_is_subscribed_to_what_is_for_it_and_to_nothing_else(command, sns, topic):
    line = command("sync")[OWNER]
    assert (line["done"], line["integrations"]) == ("was asked to confirm", ["orders-to-ledger"])
    assert subscribed(sns, topic) == {OWNER: {"to": [OWNER]}}


def test_a_second_time_nothing_is_left_to_do(command, sns, topic):
    command("sync")
    before = subscribed(sns, topic)
    assert command("sync")[OWNER]["done"] == ""
    assert subscribed(sns, topic) == before


def test_a_filter_that_is_not_right_is_set_right(command, sns, topic):
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=OWNER)
    assert command("sync")[OWNER]["done"] == "its filter was set right"
    assert subscribed(sns, topic) == {OWNER: {"to": [OWNER]}}


def test_who_owns_nothing_any_more_stays_until_it_is_pruned(command, sns, topic):
    gone = "gone@example.com"
    policy = json.dumps(policy_of(gone))
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=gone, Attributes={"FilterPolicy": policy})
    assert command("sync")[gone] | {"done": ""} == command("list")[gone]
    assert gone in subscribed(sns, topic)
    assert command("sync", "--prune")[gone]["done"] == "unsubscribed"
    assert gone not in subscribed(sns, topic)


@pytest.mark.parametrize("policy", [policy_of(OPERATOR), {"severity": ["critical"]}])
def test_the_operator_and_what_others_have_subscribed_themselves_is_nobodys_to_prune(
    command, sns, topic, policy
):
    sns.subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint="ops@example.com",
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    command("sync", "--prune")
    assert "ops@example.com" in subscribed(sns, topic)


def test_who_has_not_confirmed_is_shown_as_pending_and_asked_again_only_on_demand(
    command, sns, topic, monkeypatch
):
    command("sync")
    (subscription,) = sns_backends["123456789012"]["eu-central-1"].subscriptions.values()
    monkeypatch.setattr(subscription, "arn", "PendingConfirmation")
    line = command("sync")[OWNER]
    assert (line["state"], line["done"]) == ("pending", "")
    assert command("sync", "--remind")[OWNER]["done"] == "was asked to confirm"

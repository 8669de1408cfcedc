"""``causeway check --stack``: does a deployed stack have what the map needs, before it is deployed there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from causeway_cli.owners import Subscribing
from causeway_cli.secret_names import uses
from causeway_cli.stack_parameters import Finding, Where, compare
from causeway_cli.stored_secrets import StoredSecrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway_cli.stacks import Place

LOOKED_THROUGH = 10_000
"""So many open deliveries are looked through, for those of integrations that the map no longer has."""


def findings(place: Place) -> list[Finding]:
    """What does not fit, what would not be delivered, received or told first."""
    described = place.stack.describe() or {}
    where = Where.of(described["StackId"])
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described["Parameters"]}
    found = [
        *_secrets(place),
        *compare(place.plan, parameters, where),
        *_left_behind(place),
        *_owners(place),
        *_listeners(place, parameters),
    ]
    return sorted(found, key=lambda each: each.severity)


def _secrets(place: Place) -> Iterator[Finding]:
    stack = place.stack.name
    stored = StoredSecrets(place.clients, stack)
    for use in uses(place.plan):
        if not stored.is_there(use):
            what = "verifies" if use.direction == "in" else "calls"
            remedy = f"causeway secrets put {use.name} --stack {stack}"
            yield Finding("error", use.name, f"the secret is missing; it {what} for {use.used_by}", remedy)


def _left_behind(place: Place) -> Iterator[Finding]:
    """Integrations that the map no longer has, with deliveries that are open."""
    there = place.journal.whole("open", most=LOOKED_THROUGH)
    if there is None:
        says = (
            f"more than {LOOKED_THROUGH} are open: those of integrations that would vanish were not counted"
        )
        yield Finding(
            "warning", "deliveries", says, "see `causeway status` before an integration is taken away"
        )
        return
    counted = Counter(
        (str(each["integration"]), str(each["open_at"]).partition("#")[0])
        for each in there
        if each["integration"] not in place.plan.integrations
    )
    for (integration, status), number in sorted(counted.items()):
        if status == "dead":
            says = f"would vanish with {number} dead letters, which nothing could replay any more"
            remedy = f"causeway replay --integration {integration} --stack {place.stack.name}, or let them go"
            yield Finding("warning", integration, says, remedy)
        else:
            says = f"would vanish with {number} deliveries {status}: they die after an hour, as removed"
            yield Finding(
                "error", integration, says, "let them be delivered first; have its source send nothing more"
            )


def _owners(place: Place) -> Iterator[Finding]:
    lines = Subscribing(place.clients("sns"), place.outputs["OwnersTopic"], place.plan).lines()
    for line in lines:
        if line.state in ("missing", "pending"):
            says = f"has not confirmed to be told of {', '.join(line.integrations)}: the operator is, instead"
            remind = " --remind" if line.state == "pending" else ""
            remedy = f"causeway owners sync{remind} --stack {place.stack.name}"
            yield Finding("warning", line.address, says, remedy)


def _listeners(place: Place, parameters: dict[str, str]) -> Iterator[Finding]:
    """Whether anybody hears the stack's alarms."""
    topic = place.outputs["AlarmsTopic"]
    pages = place.clients("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    confirmed = [
        each for page in pages for each in page["Subscriptions"] if each["SubscriptionArn"].startswith("arn:")
    ]
    if not confirmed and not parameters.get("AlarmTopic"):
        says = "nobody hears the stack's alarms: their topic has no confirmed subscription"
        yield Finding(
            "warning",
            "OperatorEmail",
            says,
            "deploy with OperatorEmail or AlarmTopic, or subscribe and confirm",
        )

"""A stack's parameters against the map that is to run on it: what only both together can be wrong about."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from causeway.delivery.targets import place_of
from causeway.delivery.work import MARGIN
from causeway.polling.schedules import next_slot
from causeway.settings.clock import SystemClock
from causeway_cli.maps import spell_duration
from causeway_cli.secret_names import signing_canaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.plan.plan import Plan
    from causeway.plan.records import Poll, Step, Target

TURNS = 20
"""So many turns of a poll are looked at for the longest time between two, as over a weekend."""

MANY_INTEGRATIONS = 50
"""Metrics by integration are better turned off above: docs/costs.md."""


@dataclass(frozen=True)
class Finding:
    """Something about a stack that does not fit the map."""

    severity: Literal["error", "warning"]  # an error: something would not be delivered, received or told
    about: str  # a parameter, a secret, an owner, an integration
    says: str
    remedy: str


@dataclass(frozen=True)
class Where:
    """Where a stack is, as ARNs say it."""

    stack: str
    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, stack_id: str) -> Where:
        """From the stack's own ARN."""
        _, partition, _, region, account, resource = stack_id.split(":", 5)
        return cls(resource.split("/")[1], partition, region, account)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in the stack's account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def compare(plan: Plan, parameters: Mapping[str, str], where: Where) -> Iterator[Finding]:
    """What of a stack's parameters does not fit the map.

    Args:
        plan: The map's, for the stack's environment.
        parameters: Their values by name.
        where: Where the stack is.
    """
    for name, needed in (
        ("TargetQueues", _queues(plan, where)),
        ("TargetBuses", _buses(plan, where)),
        ("TargetBuckets", _buckets(plan, where)),
        ("CanarySecrets", _canaries(plan, where)),
    ):
        yield from _rights(name, parameters.get(name, ""), needed)
    yield from _stream(plan, parameters)
    yield from _slow_calls(plan, parameters)
    yield from _slow_polls(plan, parameters)
    if len(plan.integrations) > MANY_INTEGRATIONS and parameters.get("MetricsByIntegration") == "true":
        says = f"metrics for each of {len(plan.integrations)} integrations cost money each month"
        yield Finding("warning", "MetricsByIntegration", says, "deploy with MetricsByIntegration=false")


def _rights(parameter: str, value: str, needed: Mapping[str, str]) -> Iterator[Finding]:
    """What lacks in a list of ARNs, and what is in it for nothing; ``needed`` says what for, by ARN."""
    given = [arn for arn in value.split(",") if arn]
    for arn, what in needed.items():
        if not any(_covers(pattern, arn) for pattern in given):
            listed = ",".join([*given, arn])
            yield Finding("error", parameter, f"no right to {what}", f"deploy with {parameter}={listed}")
    for pattern in given:
        if not any(_covers(pattern, arn) for arn in needed):
            says = f"gives a right that the map does not need: {pattern}"
            yield Finding("warning", parameter, says, "take it out")


def _covers(pattern: str, arn: str) -> bool:
    """Whether a policy's ARN, which may have wildcards, is one that is needed, or some of what it stands for.

    AWS adds a hyphen and six characters to the name of a secret, so it is needed as ``NAME-*``; and which
    objects of a bucket are written only events say, so a part of ``BUCKET/*`` may be all of it.
    """
    return fnmatchcase(arn, pattern) or fnmatchcase(pattern, arn)


def _targets(plan: Plan, kind: str) -> Iterator[tuple[str, str]]:
    """The names of a kind of target, with the integration that sends there."""
    for integration in plan.integrations.values():
        target = integration["target"]
        if kind in target:
            yield target[kind]["name"], integration["name"]  # type: ignore[literal-required]


def _queues(plan: Plan, where: Where) -> dict[str, str]:
    return {
        where.arn("sqs", name): f"send to the queue {name}, the target of {integration}"
        for name, integration in _targets(plan, "queue")
    }


def _buses(plan: Plan, where: Where) -> dict[str, str]:
    return {
        name if name.startswith("arn:") else where.arn("events", f"event-bus/{name}"): (
            f"put on the bus {name}, the target of {integration}"
        )
        for name, integration in _targets(plan, "bus")
    }


def _buckets(plan: Plan, where: Where) -> dict[str, str]:
    return {
        f"arn:{where.partition}:s3:::{name}/*": f"write to the bucket {name}, the target of {integration}"
        for name, integration in _targets(plan, "bucket")
    }


def _canaries(plan: Plan, where: Where) -> dict[str, str]:
    found = {}
    for use in signing_canaries(plan):
        path = use.path(where.stack)
        in_manager = use.in_secrets_manager
        arn = (
            where.arn("secretsmanager", f"secret:{path}-*")
            if in_manager
            else where.arn("ssm", f"parameter{path}")
        )
        found[arn] = f"read the secret {use.name}, by which the canary of {use.used_by} is signed"
    return found


def _stream(plan: Plan, parameters: Mapping[str, str]) -> Iterator[Finding]:
    buffered = [each["name"] for each in plan.integrations.values() if each.get("buffer") == "stream"]
    mode = parameters.get("StreamMode", "none")
    if buffered and mode == "none":
        says = f"there is no stream for {', '.join(buffered)}: the queue is used"
        yield Finding("warning", "StreamMode", says, "deploy with StreamMode=on-demand or provisioned")
    if not buffered and mode != "none":
        says = "the stream costs money by the hour, and no integration uses it"
        yield Finding("warning", "StreamMode", says, "deploy with StreamMode=none")


def _slow_calls(plan: Plan, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Calls that an invocation of the processor cannot wait for: they are cut short."""
    most = float(parameters.get("ProcessorTimeout", 60)) - MARGIN
    for integration in plan.integrations.values():
        places: list[Step | Target] = [each for each in integration["steps"] if "call" in each]
        places.append(integration["target"])
        longest = max(place_of(each).timeout for each in places)
        if longest > most:
            says = f"a call of {integration['name']} may take {longest:g} s, and is cut off after {most:g}"
            yield Finding(
                "warning", "ProcessorTimeout", says, "deploy with a longer one, or lower the call's timeout"
            )


def _slow_polls(plan: Plan, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Polls whose turns are further apart than the alarm has patience."""
    patience = float(parameters.get("AlarmPollLag", 3600))
    for system in plan.systems.values():
        for poll in system.get("polls", {}).values():
            apart = _apart(poll)
            if apart >= patience:
                says = (
                    f"{spell_duration(apart)} lie between two turns of {system['name']}/{poll['name']}: "
                    "the alarm PollLag rings at the first answer that is none"
                )
                yield Finding("warning", "AlarmPollLag", says, f"deploy with AlarmPollLag={round(2 * apart)}")


def _apart(poll: Poll) -> float:
    """The most seconds between two of a poll's next turns."""
    if "every" in poll:
        return poll["every"]
    slots = [next_slot(poll, SystemClock().now())]
    for _ in range(TURNS):
        slots.append(next_slot(poll, slots[-1]))
    return max(after - before for before, after in pairwise(slots))

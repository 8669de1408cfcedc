"""Why a source is silent, probably, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.acceptance.sightings import refusals

if TYPE_CHECKING:
    from causeway.acceptance.sightings import Refused
    from causeway.plan.records import Integration
    from causeway.watching.world import World

REFUSED_OF_LATE = 3600.0
"""Seconds back in which refused requests explain that nothing comes."""

UNREAD = (
    "nothing of it was begun; whether something was accepted and waits could not be read from the logs",
    "see whether the deliveries' queues back up, and what the source says of its last deliveries",
)
"""What is said as long as it is not known whether anything was accepted."""

_VERIFY = "causeway verify {system} says why a request is refused"
_OTHERWISE_SIGNED = (
    "it signs otherwise than the map says, or these are others' and it sends nothing",
    f"see in {{system}} whether the webhook is still on, and how it signs; {_VERIFY}",
)
_BY_RULE = {
    "signature": (
        "its secret was probably changed on one side only",
        f"compare the secret on both sides (causeway secrets put {{secret}}); {_VERIFY}",
    ),
    "timestamp": (
        "its clock is wrong, or what it sends comes late",
        f"{_VERIFY}, and by how much; webhooks.tolerance says what is accepted",
    ),
    "secret": (
        "here is no secret to verify it with",
        "causeway secrets check says which is missing, causeway secrets put {secret} stores it",
    ),
    "scheme": (
        "by the scheme in the map nothing can be verified",
        "the webhook function's log says what is wrong with it; correct the map, deploy",
    ),
    "keys": (
        "the keys that it publishes cannot be fetched",
        "see whether it has an outage; the webhook function's log says what its keys' address answers",
    ),
    "missing": _OTHERWISE_SIGNED,
    "malformed": _OTHERWISE_SIGNED,
}
"""What a broken rule makes probable, and the next step; a rule that is not here is an answer's status."""

_BY_STATUS = ("it is not what we take", "the webhook function's log says what was wrong with it")


def why(world: World, integration: Integration, now: float) -> tuple[str, str]:
    """The probable cause, and what to do.

    Raises:
        AwsError: the state could not be read.
    """
    source = integration["source"]
    system = source.get("system", "")
    if "poll" in source:
        return (
            f"the poll {source['poll']} of {system} brings nothing new",
            f"see in {system} whether there is anything; if the poll lags or fails, that is told, too",
        )
    if "bus" in source:
        return (
            "no event on the bus matches its pattern",
            "see whether its sender still puts events on this bus",
        )
    if "request" in source:
        return "no client asks", "ask its clients, and see in the authorizer's log whether they are refused"
    refused = refusals(world.means.state, system, now - REFUSED_OF_LATE)
    if refused.times:
        return _why_refused(world, system, refused)
    return (
        f"{system} sends nothing: the provider is down, or its subscription was ended or changed",
        f"see in {system} whether the webhook is still on, and what it says of its last deliveries",
    )


def _why_refused(world: World, system: str, refused: Refused) -> tuple[str, str]:
    probably, next_step = _BY_RULE.get(refused.rule, _BY_STATUS)
    cause = (
        f"we refuse what {system} sends: at least {refused.times} in the last hour, by the rule "
        f"{refused.rule}; {probably}"
    )
    secrets = world.plan.systems[system].get("webhooks", {}).get("secrets") or ["NAME"]
    return cause, next_step.format(system=system, secret=secrets[0])

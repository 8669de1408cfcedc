"""Integrations: how each is; pause and resume."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.api.examples import INTEGRATION as EXAMPLE
from causeway.api.examples import PAUSED, RESUMED
from causeway.api.operation import Answer, Operation
from causeway.api.parameters import Parameter, text
from causeway.api.routes.common import INTEGRATION, OPERATE, RATE, READ
from causeway.delivery.pauses import RATE as USUAL_RATE
from causeway.settings.clock import rfc3339

if TYPE_CHECKING:
    from causeway.api.operation import Request
    from causeway.api.stack import Stack

_NOT_THERE = {404: "The map has no such integration."}


def _list(stack: Stack, _request: Request) -> Answer:
    return Answer({"integrations": stack.integrations()})


def _pause(stack: Stack, request: Request) -> Answer:
    name = stack.existing(request.values["name"])
    changed = stack.pauses.pause(name, by=request.by, reason=request.values["reason"])
    found = stack.pauses.now(name)
    stack.forget()
    since = None if found.since is None else rfc3339(found.since)
    return Answer(
        {
            "integration": name,
            "paused": found.paused,
            "since": since,
            "by": found.by,
            "reason": found.reason,
            "changed": changed,
        }
    )


def _resume(stack: Stack, request: Request) -> Answer:
    name = stack.existing(request.values["name"])
    rate = request.values["rate"] or USUAL_RATE
    changed = stack.pauses.resume(name, by=request.by, rate=rate)
    stack.forget()
    return Answer({"integration": name, "paused": False, "rate": rate, "changed": changed})


OPERATIONS = (
    Operation(
        id="listIntegrations",
        method="GET",
        path="/api/integrations",
        scope=READ,
        summary="Every integration of the map, and how it is.",
        description="At most five seconds old. What is counted is bounded: `at_least` names the counts that "
        "are lower bounds.",
        run=_list,
        schema="Integrations",
        example={"integrations": [EXAMPLE]},
    ),
    Operation(
        id="pauseIntegration",
        method="POST",
        path="/api/integrations/{name}/pause",
        scope=OPERATE,
        summary="Let an integration's deliveries wait.",
        description="Nothing is lost, and no delivery runs out of time. Instances know of it within five "
        "seconds. One that is paused already keeps who paused it, and why.",
        status=HTTPStatus.ACCEPTED,
        parameters=(
            INTEGRATION,
            Parameter(
                "reason",
                "body",
                text(500),
                "Why, for those who find it paused.",
                "the ledger is being moved",
                required=True,
            ),
        ),
        run=_pause,
        schema="Paused",
        example=PAUSED,
        problems=_NOT_THERE,
    ),
    Operation(
        id="resumeIntegration",
        method="POST",
        path="/api/integrations/{name}/resume",
        scope=OPERATE,
        summary="Let an integration's deliveries go on.",
        description="Those that wait are released at the given rate, from the next minute on.",
        status=HTTPStatus.ACCEPTED,
        parameters=(INTEGRATION, RATE),
        run=_resume,
        schema="Resumed",
        example=RESUMED,
        problems=_NOT_THERE,
    ),
)

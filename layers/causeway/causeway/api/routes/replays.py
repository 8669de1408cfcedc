"""Replays of many: started, looked at, cancelled. The scheduler works them off."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.api.examples import REPLAY
from causeway.api.operation import Answer, Operation
from causeway.api.parameters import FLAG, Parameter, name, one_of
from causeway.api.problems import Fault, bad
from causeway.api.routes.common import FILTERS, NEW_KEY, OPERATE, RATE, in_body
from causeway.operations.replays import RATE as USUAL_RATE
from causeway.operations.replays import shown
from causeway.operations.selecting import Selection

if TYPE_CHECKING:
    from causeway.api.operation import Request
    from causeway.api.stack import Stack

_ID = Parameter(
    "id",
    "path",
    name(r"\d{4}-\d{2}-\d{2}-\d{6}-[0-9a-f]{8}", "a replay's id, as its start was answered"),
    "The replay's id.",
    "2026-11-22-101500-1f2e3d4c",
    required=True,
)
_CHOOSE = [each.name for each in FILTERS]
_NOT_THERE = {404: "There is no such replay, or it is forgotten: records are kept for 400 days."}


def _start(stack: Stack, request: Request) -> Answer:
    said = request.values
    if not said["all"] and all(said[name] is None for name in _CHOOSE):
        raise bad([Fault("body", "body", f"must choose by {', '.join(_CHOOSE)}, or say all: true")])
    chosen = {name: said[name] for name in ("error", "since", "until")}
    names = stack.named(said["integration"], "body")
    made = stack.replays.start(
        Selection(names, said["status"] or "dead", **chosen),
        by=request.by,
        rate=said["rate"] or USUAL_RATE,
        dry_run=bool(said["dry_run"]),
        new_key=bool(said["new_key"]),
    )
    replay: str = made["part"]
    stack.forget()
    # The first step at once: who counts wants to know, and who replays wants to see it begin.
    return Answer(shown(stack.replays.step(replay)), {"location": f"/api/replays/{replay}"})


def _find(stack: Stack, request: Request) -> Answer:
    return Answer(shown(stack.replays.find(request.values["id"])))


def _cancel(stack: Stack, request: Request) -> Answer:
    return Answer(shown(stack.replays.cancel(request.values["id"], by=request.by)))


OPERATIONS = (
    Operation(
        id="startReplay",
        method="POST",
        path="/api/replays",
        scope=OPERATE,
        summary="Start afresh all dead or delivered deliveries that a filter means, or count them.",
        description="It begins at once, and the scheduler goes on with it, at the given rate. Of delivered "
        "ones those count whose event is kept (`keep_events`), accepted in the day before `until` unless "
        "`since` says more.",
        body_rule={
            "anyOf": [
                *({"required": [name]} for name in _CHOOSE),
                {"properties": {"all": {"const": True}}, "required": ["all"]},
            ],
            # What was delivered has no class of errors.
            "not": {"properties": {"status": {"const": "delivered"}}, "required": ["status", "error"]},
        },
        status=HTTPStatus.ACCEPTED,
        parameters=(
            *in_body(FILTERS),
            Parameter("all", "body", FLAG, "All of this status: needed where nothing else chooses.", True),
            Parameter(
                "status", "body", one_of("dead", "delivered"), "Of this status; default: dead.", "dead"
            ),
            RATE,
            NEW_KEY,
            Parameter("dry_run", "body", FLAG, "Count them only; nothing is replayed.", True),
        ),
        run=_start,
        schema="Replay",
        example=REPLAY,
    ),
    Operation(
        id="getReplay",
        method="GET",
        path="/api/replays/{id}",
        scope=OPERATE,
        summary="A replay: who wanted it, of what, and how far it is.",
        parameters=(_ID,),
        run=_find,
        schema="Replay",
        example=REPLAY,
        problems=_NOT_THERE,
    ),
    Operation(
        id="cancelReplay",
        method="DELETE",
        path="/api/replays/{id}",
        scope=OPERATE,
        summary="Let a replay go no further.",
        description="What was replayed stays so. One that is over stays as it is.",
        parameters=(_ID,),
        run=_cancel,
        schema="Replay",
        example=REPLAY,
        problems=_NOT_THERE,
    ),
)

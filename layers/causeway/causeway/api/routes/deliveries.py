"""Deliveries: lists of them, one with its attempts, those of an event; one replayed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from causeway.api.examples import DELIVERY as EXAMPLE
from causeway.api.examples import DELIVERY_LINE, DELIVERY_OF_EVENT, REPLAY_OF_ONE
from causeway.api.operation import Answer, Operation
from causeway.api.parameters import Parameter, foreign, one_of, whole
from causeway.api.problems import Problem
from causeway.api.routes.common import DELIVERY, FILTERS, NAME, NEW_KEY, OPERATE, READ
from causeway.operations.deliveries import STATUSES, Query
from causeway.operations.replays import shown

if TYPE_CHECKING:
    from causeway.api.operation import Request
    from causeway.api.stack import Stack

PAGE, LARGEST_PAGE = 50, 200
"""Deliveries on a page, unless it is said otherwise, and at most."""


def _list(stack: Stack, request: Request) -> Answer:
    said = request.values
    query = Query(
        stack.named(said["integration"], "query"), said["status"], said["error"], said["since"], said["until"]
    )
    page = stack.deliveries.page(query, limit=said["limit"] or PAGE, cursor=said["cursor"])
    return Answer({"deliveries": page.items, "cursor": page.cursor})


def _one(stack: Stack, request: Request) -> Answer:
    delivery = request.values["id"]
    found = stack.deliveries.find(delivery, stack.showing)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no delivery {delivery}")
    return Answer(found)


def _of_event(stack: Stack, request: Request) -> Answer:
    system, event = request.values["system"], request.values["id"]
    names = [each["name"] for each in stack.plan.fed_by(system)]
    found = stack.deliveries.of_event(system, event, names)
    if not found:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            f"nothing is known of event {event!r} of {system}: it was not accepted, no integration takes it, "
            "or its deliveries have expired",
        )
    return Answer({"deliveries": found})


def _replay(stack: Stack, request: Request) -> Answer:
    new_key = bool(request.values["new_key"])
    made = shown(stack.replays.one(request.values["id"], by=request.by, new_key=new_key))
    stack.forget()
    return Answer(made, {"location": f"/api/replays/{made['replay']}"})


OPERATIONS = (
    Operation(
        id="listDeliveries",
        method="GET",
        path="/api/deliveries",
        scope=READ,
        summary="Deliveries, those accepted last first.",
        description="A page may be shorter than its limit, even empty, while there is a cursor: what one "
        "request reads is bounded. Pages are stable: what is accepted meanwhile is before the first of them. "
        "Delivered ones are looked for one day back, unless `since` says more. One in its first attempt is "
        "in no list: it is found by its id, or by its event.",
        parameters=(
            FILTERS[0],
            Parameter("status", "query", one_of(*STATUSES), "Only with this status.", "dead"),
            *FILTERS[1:],
            Parameter("limit", "query", whole(1, LARGEST_PAGE), f"So many at most; default: {PAGE}.", 20),
            Parameter(
                "cursor",
                "query",
                foreign(200),
                "Of the page before, with the same filters.",
                "WyIyMDI2LTExLTIyVDEwOjAwOjAwLjAwMFoiLCAiM2E3YiJd",
            ),
        ),
        run=_list,
        schema="Deliveries",
        example={"deliveries": [DELIVERY_LINE], "cursor": None},
    ),
    Operation(
        id="getDelivery",
        method="GET",
        path="/api/deliveries/{id}",
        scope=READ,
        summary="One delivery with its attempts and, while it is kept, its event.",
        description="What the system's manifest names in `redact` is replaced by `[redacted]`.",
        parameters=(DELIVERY,),
        run=_one,
        schema="DeliveryInFull",
        example=EXAMPLE,
        problems={404: "There is no such delivery, or it has expired."},
    ),
    Operation(
        id="replayDelivery",
        method="POST",
        path="/api/deliveries/{id}/replay",
        scope=OPERATE,
        summary="Start a dead or delivered delivery afresh.",
        description="It keeps its id, and its `Idempotency-Key` unless a new one is asked for; its schedule "
        "begins anew. Steps that have changed something are not carried out again.",
        status=HTTPStatus.ACCEPTED,
        parameters=(DELIVERY, NEW_KEY),
        run=_replay,
        schema="Replay",
        example=REPLAY_OF_ONE,
        problems={
            404: "There is no such delivery, or it has expired.",
            409: "It is under way, or its event is no longer kept.",
        },
    ),
    Operation(
        id="listDeliveriesOfEvent",
        method="GET",
        path="/api/events/{system}/{id}",
        scope=READ,
        summary="What became of one event: its deliveries with their attempts.",
        parameters=(
            Parameter("system", "path", NAME, "The system that sent it.", "shop", required=True),
            Parameter("id", "path", foreign(1024), "Its id, as the system has it.", "4711", required=True),
        ),
        run=_of_event,
        schema="DeliveriesOfEvent",
        example={"deliveries": [DELIVERY_OF_EVENT]},
        problems={404: "Nothing is known of this event."},
    ),
)

"""``causeway replay``: dead deliveries start afresh, from the journal or from the dead-letter queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from causeway.operations.redriving import Redriving
from causeway.operations.replays import RATE, NotPossibleError, NotThereError, Replays, Selection, shown
from causeway_cli.errors import CommandError
from causeway_cli.stacks import (
    MAP,
    AsJson,
    ErrorClass,
    Map,
    Name,
    Place,
    Profile,
    Region,
    Since,
    StackName,
    Until,
    operating,
    print_json,
    when,
)

if TYPE_CHECKING:
    from causeway.plan.records import JSON

INTERRUPTED = 130  # what shells say of Ctrl-C


def replay(
    delivery: Annotated[str | None, typer.Argument(metavar="ID", help="One delivery, by its id.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that are dead, of every integration.")] = False,
    integration: Name = None,
    error: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them only.")] = False,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Deliveries per second.")] = RATE,
    from_queue: Annotated[
        bool, typer.Option("--from-queue", help="Move the dead-letter queue's messages back instead.")
    ] = False,
    go_on: Annotated[
        str | None, typer.Option("--go-on", help="Go on with a replay that was cut off.")
    ] = None,
    cancel: Annotated[str | None, typer.Option("--cancel", help="Cancel a replay that is under way.")] = None,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = MAP,
    as_json: AsJson = False,
) -> None:
    """Let dead deliveries start afresh: one by its ID, or all that the options mean.

    Example: causeway replay --integration orders-to-ledger --error http --since 6h --dry-run
    """
    filters = any((every, integration, error, since, until))
    if sum(map(bool, (delivery, go_on, cancel, filters or from_queue))) != 1:
        raise CommandError(
            "say what to replay: an ID, a filter (--integration, --error, --since, --until) or --all; "
            "or --go-on, or --cancel",
            exit_code=2,
        )
    with operating(stack, region, profile, integrations) as place:
        replays = Replays(journal=place.journal, state=place.state, queue=place.queue, clock=place.clock)
        names = place.integrations(integration)
        try:
            if from_queue:
                if error or since or until or dry_run:
                    raise CommandError("--from-queue goes with --integration only", exit_code=2)
                _show(_redrive(place, integration), as_json=as_json)
                return
            if delivery:
                record = replays.one(delivery, by=place.by)
            elif cancel:
                record = replays.cancel(cancel, by=place.by)
            else:
                selection = Selection(names, error, when(since), when(until))
                began = go_on or str(
                    replays.start(selection, by=place.by, rate=rate, dry_run=dry_run)["part"]
                )
                record = _work_off(replays, began)
        except (NotThereError, NotPossibleError) as refused:
            raise CommandError(str(refused)) from refused
    _show(shown(record), as_json=as_json)


def _work_off(replays: Replays, replay: str) -> dict[str, JSON]:
    """Make the steps of a replay, each when it is time for it."""
    try:
        with Console(stderr=True).status("replaying") as status:
            while True:
                record = replays.step(replay)
                status.update(f"{record['matched']} found, {record['replayed']} replayed")
                if record["state"] != "running":
                    return record
                time.sleep(max(0.0, record["not_before"] - time.time()))
    except KeyboardInterrupt:
        raise CommandError(
            f"interrupted: causeway replay --go-on {replay}, or --cancel {replay}", exit_code=INTERRUPTED
        ) from None


def _redrive(place: Place, integration: str | None) -> dict[str, JSON]:
    redriving = Redriving(
        place.aws,
        dead_letters=place.outputs["DeadLettersUrl"],
        queue=place.queue,
        integration=integration,
    )
    moved = left = 0
    while not (step := redriving.step()).over:
        moved, left = moved + step.moved, left + step.left
    return {"moved": moved, "left": left}


def _show(result: dict[str, JSON], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
    elif "moved" in result:
        print(f"{result['moved']} moved back to the queue, {result['left']} left on the dead-letter queue")
    elif result.get("dry_run"):
        print(f"{result['matched']} would be replayed")
    else:
        skipped = f", {result['skipped']} whose event is no longer kept" if result["skipped"] else ""
        print(f"replay {result['replay']} is {result['state']}: {result['replayed']} replayed{skipped}")

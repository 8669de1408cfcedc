"""``causeway replay``: deliveries start afresh, from the journal or from the dead-letter queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from causeway.operations.deliveries import BadQueryError
from causeway.operations.redriving import MoveFailedError, MoveTask, Redriving
from causeway.operations.replays import RATE, NotPossibleError, NotThereError, Replays, shown
from causeway.operations.selecting import Selection
from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson, ErrorClass, Name, Since, Until, when
from causeway_cli.printing import as_told, print_json, wide_console
from causeway_cli.stacks import OnStack, Place, on_stack

if TYPE_CHECKING:
    from causeway.plan.records import JSON

INTERRUPTED = 130  # what shells say of Ctrl-C

_EVERY = 1.0  # seconds between looks at a replay

Id = Annotated[str | None, typer.Argument(metavar="ID", help="One delivery, by its id.")]
Every = Annotated[bool, typer.Option("--all", help="All of that status, of every integration.")]
Status = Annotated[
    str, typer.Option("--status", help="dead, or delivered: where keep_events keeps their events.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count them only.")]
Rate = Annotated[float, typer.Option("--rate", min=0.1, help="Deliveries per second.")]
NewKey = Annotated[
    bool, typer.Option("--new-key", help="With an Idempotency-Key that the target has not seen.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it only; the scheduler works it off.")]
FromQueue = Annotated[
    bool, typer.Option("--from-queue", help="Move the dead-letter queue's messages back instead.")
]
Follow = Annotated[str | None, typer.Option("--follow", help="Follow a replay to its end.")]
Cancel = Annotated[str | None, typer.Option("--cancel", help="Cancel a replay that is under way.")]
History = Annotated[bool, typer.Option("--history", help="List the replays of this month and the last.")]


@on_stack
def replay(
    stack: OnStack,
    delivery: Id = None,
    *,
    every: Every = False,
    integration: Name = None,
    status: Status = "dead",
    error: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    rate: Rate = RATE,
    new_key: NewKey = False,
    no_wait: NoWait = False,
    from_queue: FromQueue = False,
    follow: Follow = None,
    cancel: Cancel = None,
    history: History = False,
    as_json: AsJson = False,
) -> None:
    """Let deliveries start afresh: one by its ID, or all that the options mean.

    Example: causeway replay --integration orders-to-ledger --error http --since 6h --dry-run
    """
    many = from_queue or any((every, integration, error, since, until))
    _check_one_is_meant(delivery, follow, cancel, history, many)
    if from_queue and (error or since or until or dry_run or new_key or status != "dead"):
        raise CommandError("--from-queue goes with --integration and --rate only", exit_code=2)
    with stack() as place:
        replays = Replays(journal=place.journal, state=place.state, queue=place.queue, clock=place.clock)
        try:
            if history:
                _show_history(_history(replays), as_json=as_json)
                return
            if from_queue:
                record = _redrive(place, replays, integration, rate)
            elif delivery:
                record = replays.one(delivery, by=place.by, new_key=new_key)
            elif cancel:
                record = replays.cancel(cancel, by=place.by)
            elif follow:
                record = _follow(replays, replays.find(follow))
            else:
                names = place.integrations(integration)
                selection = Selection(names, _status(status), error, when(since), when(until))
                record = replays.start(selection, by=place.by, rate=rate, dry_run=dry_run, new_key=new_key)
                record = record if no_wait else _follow(replays, record)
        except (NotThereError, NotPossibleError, BadQueryError, MoveFailedError) as refused:
            raise CommandError(str(refused)) from refused
    if as_json:
        print_json(shown(record))
    else:
        print(_in_words(record))


def _check_one_is_meant(*wanted: object) -> None:
    if sum(map(bool, wanted)) != 1:
        raise CommandError(
            "say what to replay: an ID, a filter (--integration, --error, --since, --until) or --all; "
            "or --follow, --cancel or --history",
            exit_code=2,
        )


def _status(text: str) -> Literal["dead", "delivered"]:
    match text:
        case "dead" | "delivered":
            return text
    raise CommandError(f"what is {text!r} cannot be replayed: --status is dead or delivered", exit_code=2)


def _follow(replays: Replays, record: dict[str, JSON]) -> dict[str, JSON]:
    """Return when a replay is over. Counting needs no scheduler, so that is done here."""
    name = record["part"]
    try:
        with Console(stderr=True).status("begins with the next minute") as status:
            while record["state"] == "running":
                if record["steps"]:
                    status.update(f"{record['matched']} found, {record['replayed']} replayed")
                if not record["dry_run"]:
                    time.sleep(_EVERY)
                record = replays.step(name) if record["dry_run"] else replays.find(name)
            return record
    except KeyboardInterrupt:
        raise CommandError(
            f"it goes on: causeway replay --follow {name}, or --cancel {name}", exit_code=INTERRUPTED
        ) from None


def _redrive(place: Place, replays: Replays, integration: str | None, rate: float) -> dict[str, JSON]:
    """Move the dead-letter queue's messages, by AWS's own means where they do; leave a record of it.

    AWS moves everything to one queue; what keeps an order goes on from there to its own.
    """
    (only,) = place.integrations(integration) if integration else (None,)
    source, deliveries = place.outputs["DeadLettersUrl"], place.outputs["DeliveriesUrl"]
    task = None
    if not only:
        task = MoveTask.start(place.aws, dead_letters=source, deliveries=deliveries, rate=rate)
    moving = task or Redriving(place.aws, dead_letters=source, queue=place.queue, integration=only)
    moved = left = 0
    state = "cut off"
    try:
        with Console(stderr=True).status("moving") as status:
            while not (step := moving.step()).over:
                moved, left = moved + step.moved, left + step.left
                status.update(f"{moved} moved back, {left} left")
                time.sleep(_EVERY if task else step.moved / rate)
            moved += step.moved
        state = "done"
    finally:  # what was moved has begun afresh, however it ended: that is on record
        record = replays.note(
            place.by,
            from_queue=True,
            by_task=task is not None,
            integrations=[only] if only else None,
            rate=rate,
            state=state,
            ended_at=place.clock.now(),
            matched=moved + left,
            replayed=moved,
            skipped=left,
        )
    return record


def _history(replays: Replays) -> list[dict[str, JSON]]:
    now = time.gmtime()
    last = (now.tm_year, now.tm_mon - 1) if now.tm_mon > 1 else (now.tm_year - 1, 12)
    months = [f"{year}-{month:02d}" for year, month in (last, (now.tm_year, now.tm_mon))]
    return [shown(record) for month in months for record in replays.in_month(month)]


def _in_words(record: dict[str, JSON]) -> str:
    kept, skipped = record["matched"] - record["skipped"], record["skipped"]
    if record.get("from_queue"):
        return f"{record['replayed']} moved back to the queue, {skipped} left on the dead-letter queue"
    if record.get("dry_run"):
        lost = f"; of {skipped} the event is no longer kept" if skipped else ""
        return f"{kept} would be replayed{lost}"
    if record["state"] == "running":
        return f"replay {record['part']} begins with the next minute: --follow or --cancel it"
    lost = f", {skipped} whose event is no longer kept" if skipped else ""
    return f"replay {record['part']} is {record['state']}: {record['replayed']} replayed{lost}"


def _show_history(records: list[dict[str, JSON]], *, as_json: bool) -> None:
    if as_json:
        print_json(records)
        return
    table = Table("replay", "by", "of", "state", "found", "replayed", box=None)
    for record in records:
        of = record.get("delivery") or ", ".join(record.get("integrations") or ["all"])
        how = "dry run" if record.get("dry_run") else record["state"]
        counts = (str(record["matched"]), str(record["replayed"]))
        table.add_row(record["replay"], as_told(record["by"]), of, how, *counts)
    wide_console().print(table)

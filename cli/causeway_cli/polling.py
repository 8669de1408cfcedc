"""``causeway poll``: the next regular run of a poll now, or a backfill."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from causeway.operations.polling import NoSuchPollError, Polls
from causeway.polling.cursors import TIMES, CursorError
from causeway.polling.ticks import PollQueue
from causeway.settings.clock import rfc3339
from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson, ago
from causeway_cli.printing import print_json
from causeway_cli.stacks import OnStack, on_stack

if TYPE_CHECKING:
    from causeway.operations.polling import Progress
    from causeway.plan.records import Poll
    from causeway.polling.ticks import Tick
    from causeway_cli.stacks import Place

_LOOK = 0.5


@on_stack
def poll(
    stack: OnStack,
    system: Annotated[str, typer.Argument(help="The system's name.")],
    name: Annotated[str, typer.Argument(help="The poll's name.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="Read again from here on: RFC 3339, so long ago (3d), or as the cursor is."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Read until, likewise.")] = None,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the end.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Run a poll now, and wait for it; with --since, read a time again, beside the regular runs.

    A backfill brings its records under the ids that they have: what was delivered and is still known is not
    delivered again.

    Example: causeway poll shop orders --since 3d
    """
    if until is not None and since is None:
        raise CommandError("--until needs --since: a backfill reads from there on")
    with stack() as place:
        polls = _polls(place)
        try:
            wanted = polls.find(system, name)
            tick = polls.start(wanted, since=_bound(wanted, since), until=_bound(wanted, until))
        except (NoSuchPollError, CursorError) as error:
            raise CommandError(str(error)) from error
        progress = _follow(polls, tick, wait)
    if as_json:
        print_json({"system": system, "poll": name, "backfill": tick.get("backfill"), **asdict(progress)})
    else:
        print(_line(f"{system} {name}", progress))
    if progress.state == "failed":
        raise typer.Exit(1)


def _polls(place: Place) -> Polls:
    ticks = PollQueue(place.aws, place.outputs["PollsUrl"])
    return Polls(
        place.plan,
        state=place.state,
        ticks=ticks,
        aws=place.aws,
        bucket=place.outputs["Payloads"],
        clock=place.clock,
    )


def _bound(poll: Poll, text: str | None) -> str | None:
    """So long ago is a time, where the cursor is one."""
    is_time = "cursor" in poll and poll["cursor"]["format"] in TIMES
    past = ago(text) if text is not None and is_time else None
    return text if past is None else rfc3339(past)


def _follow(polls: Polls, tick: Tick, seconds: float) -> Progress:
    """What it came to, or how far it is when there is no more time."""
    end = time.monotonic() + seconds
    while True:
        progress = polls.progress(tick)
        if progress.state in ("done", "failed") or time.monotonic() >= end:
            return progress
        time.sleep(_LOOK)


def _line(name: str, progress: Progress) -> str:
    match progress.state:
        case "done":
            return (
                f"{name}: {progress.records} records read, {progress.queued} of them new; "
                f"read until {progress.read_until}"
            )
        case "failed":
            return f"{name} failed: {progress.reason}"
        case "running":
            return f"{name} goes on: {progress.records} records read so far, {progress.queued} of them new"
    return f"{name} has not begun yet; it will: the message is on its queue"

"""``causeway status``: what is not well, every integration, and whether the books close."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from causeway.limiting.health import Healths
from causeway.operations import books
from causeway.operations.integrations import COUNTS, circuit, live, said, systems_called
from causeway.operations.ledger import Ledger
from causeway.operations.overview import Overview
from causeway.settings.clock import rfc3339
from causeway.watching.alarms import Alarms
from causeway.watching.report import report
from causeway.watching.standing import Standings
from causeway_cli.findings import ago, concerning, drawn
from causeway_cli.options import MAP, AsJson, Map, Name, Profile, Region, StackName, when
from causeway_cli.printing import plain, print_json
from causeway_cli.stacks import Place, operating

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.records import JSON

EVERY = 5.0  # seconds between looks

_STYLES = {"active": "green", "paused": "red", "resuming": "yellow"}
_DEPTHS = ("", "NotVisible", "Delayed")


def status(
    *,
    integration: Name = None,
    hour: Annotated[
        str | None, typer.Option("--hour", help="Whose books; default: the last that should close.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every 5 s, until Ctrl-C; with --json a line for each.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = MAP,
    as_json: AsJson = False,
) -> None:
    """Show what is not well, every integration, and whether what was accepted is accounted for (else exit 1).

    Example: causeway status
    """
    with operating(stack, region, profile, integrations) as place:
        names = place.integrations(integration)
        wanted = when(hour)
        if watch:
            show = _print_lines if as_json else _show_live
            with suppress(KeyboardInterrupt):
                show(_looks(place, names, wanted))
            return
        found = _look(place, names, wanted)
    if as_json:
        print_json(found)
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = 160  # nothing is cut where lines are only kept
        console.print(_drawn(found))
    if not found["books"]["close"]:
        raise typer.Exit(1)


def _looks(place: Place, names: list[str], hour: float | None) -> Iterator[dict[str, JSON]]:
    """One look after the other, as long as anybody wants them."""
    while True:
        yield _look(place, names, hour)
        time.sleep(EVERY)


def _print_lines(looks: Iterator[dict[str, JSON]]) -> None:
    for found in looks:
        print(json.dumps(found), flush=True)


def _show_live(looks: Iterator[dict[str, JSON]]) -> None:
    with Live(_drawn(next(looks)), auto_refresh=False) as live:
        for found in looks:
            live.update(_drawn(found), refresh=True)


def _look(place: Place, names: list[str], hour: float | None) -> dict[str, JSON]:
    overview = Overview(journal=place.journal, state=place.state, pauses=place.pauses, clock=place.clock)
    begin = books.last_closed(place.clock.now()) if hour is None else hour // books.HOUR * books.HOUR
    closed = _closed(place, begin, names)
    on_queue = _on_queue(place)
    alarms = Alarms(place.aws, place.stack.name)
    watched = report(Standings(place.state), alarms, place.plan, place.clock.now())
    return {
        "watched": concerning(watched, names),
        "integrations": _integrations(place, names, overview),
        "on_queue": on_queue,
        "books": {
            "hour": rfc3339(begin),
            "close": not books.lost_of(closed, on_queue, place.clock.now()),
            "integrations": [{"integration": book.integration, **said(book)} for book in closed],
        },
    }


def _closed(place: Place, begin: float, names: list[str]) -> list[books.Book]:
    """The books of an hour; what was accepted is as the watchdog keeps it, else read in the logs."""
    ledger = Ledger(place.state)
    kept = next((each for each in ledger.between(begin, begin) if each.closed_at is not None), None)
    if kept is not None:
        return books.close(
            place.journal, begin, {*names, *kept.accepted}, lambda name: ledger.accepted(begin, name)
        )
    accepted: books.ByIntegration = defaultdict(list)
    for function, group in place.log_groups.items():
        if function in books.ACCEPTING:
            for name, more in books.accepted_in(place.aws, group, begin).items():
                accepted[name] += more
    return books.close(place.journal, begin, {*names, *accepted}, lambda name: accepted.get(name, ()))


def _on_queue(place: Place) -> int:
    """Messages on the queues of deliveries, under way among them; SQS counts approximately."""
    names = [f"ApproximateNumberOfMessages{name}" for name in _DEPTHS]
    found = 0
    for queue in ("DeliveriesUrl", "DeliveriesFifoUrl"):
        parameters = {"QueueUrl": place.outputs[queue], "AttributeNames": names}
        answer = place.aws.call("sqs", "GetQueueAttributes", parameters)
        found += sum(int(count) for count in answer["Attributes"].values())
    return found


def _integrations(place: Place, names: list[str], overview: Overview) -> list[dict[str, JSON]]:
    now, healths = place.clock.now(), {each.system: each for each in Healths(place.state, place.clock).all()}
    return [
        live(each, now)
        | {"circuit": circuit(systems_called(place.plan.integrations[each.name]), healths, now)}
        for each in overview.integrations(names)
    ]


def _drawn(found: dict[str, JSON]) -> Group:
    table = Table("integration", "state", "last event", "waiting", "oldest", "dead", "delivered", box=None)
    for each in found["integrations"]:
        state, paused = each["state"], each["paused"]
        shown = Text(state, _STYLES[state])
        if paused:
            shown.append(plain(f" since {paused['since']} by {paused['by']}: {paused['reason']}"), "default")
        if each["circuit"]["state"] != "closed":
            shown.append(f"; {each['circuit']['system']} is {each['circuit']['state']}", "yellow")
        table.add_row(
            each["integration"],
            shown,
            each["last_event"] or "none is known",
            _count(each, "waiting"),
            ago(each["oldest_waiting"]),
            Text(_count(each, "dead"), "red" if each["dead"] else "default"),
            _count(each, "delivered"),
        )
    kept = found["books"]
    return Group(drawn(found["watched"]), table, "", _verdict(found), _ledger(kept), *_lost(kept))


def _count(found: dict[str, JSON], name: str) -> str:
    """A count; with a plus where there are more than were counted."""
    return f"{found[name]}{'+' if name in found['at_least'] else ''}"


def _verdict(found: dict[str, JSON]) -> Text:
    kept, on_queue = found["books"], found["on_queue"]
    missing = sum(book["unaccounted"] for book in kept["integrations"])
    hour = f"the hour from {kept['hour'][:16]}Z"
    if not missing:
        return Text(f"the books of {hour} close; {on_queue} messages are on the queue", "green")
    if kept["close"]:
        return Text(f"the books of {hour} are open: {missing} missing, {on_queue} on the queue", "yellow")
    return Text(f"the books of {hour} do not close: {missing} unaccounted for", "red")


def _ledger(kept: dict[str, JSON]) -> Table:
    table = Table("integration", *COUNTS, box=None)
    for book in kept["integrations"]:
        if any(book[name] for name in COUNTS):
            table.add_row(book["integration"], *(str(book[name]) for name in COUNTS))
    return table


def _lost(kept: dict[str, JSON]) -> Iterator[Text]:
    """The first of what is unaccounted for, by name."""
    for book in kept["integrations"]:
        for each in book["lost"]:
            line = f"unaccounted for: {book['integration']} {each['delivery']} of event {each['event_id']}"
            yield Text(plain(line), "red")

"""``causeway deliveries``: lists of them, one with its attempts, and what became of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from causeway.operations.deliveries import BadQueryError, Deliveries, Query
from causeway.plan.sources import system_of
from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson, ErrorClass, Name, Since, Until, when
from causeway_cli.printing import as_told, print_json, wide_console
from causeway_cli.stacks import OnStack, on_stack

if TYPE_CHECKING:
    from causeway.plan.records import JSON

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_STYLES = {"delivered": "green", "waiting": "yellow", "running": "yellow", "dead": "red"}


@app.callback(invoke_without_command=True)
@on_stack
def deliveries(
    stack: OnStack,
    context: typer.Context,
    *,
    integration: Name = None,
    status: Annotated[str | None, typer.Option("--status", help="waiting, delivered or dead.")] = None,
    error: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="So many at most.")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, those accepted last first; delivered ones of the last day, unless --since says more.

    Example: causeway deliveries --integration orders-to-ledger --status dead
    """
    if context.invoked_subcommand:
        return
    with stack() as place:
        query = Query(place.integrations(integration), status, error, when(since), when(until))
        try:
            page = Deliveries(place.journal, place.clock).page(query, limit=limit, cursor=cursor)
        except BadQueryError as bad:
            raise CommandError(str(bad)) from bad
    if as_json:
        print_json({"deliveries": page.items, "cursor": page.cursor})
        return
    _show(page.items)
    if page.cursor:
        print(f"more: --cursor {page.cursor}")


@app.command()
@on_stack
def show(
    stack: OnStack,
    delivery: Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one delivery with its attempts.

    Example: causeway deliveries show 3a7bd3e2360a3d29eea436fcfb7e44c7
    """
    with stack() as place:
        found = Deliveries(place.journal, place.clock).find(delivery)
    if found is None:
        raise CommandError(f"there is no delivery {delivery}")
    if as_json:
        print_json(found)
    else:
        _show_one(found)


@app.command()
@on_stack
def event(
    stack: OnStack,
    system: Annotated[str, typer.Argument(help="The system that sent it.")],
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, as the system has it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what became of one event: its deliveries with their attempts.

    Example: causeway deliveries event shop 4711
    """
    with stack() as place:
        known = place.plan.integrations.values()
        names = [each["name"] for each in known if system_of(each["source"]) == system]
        found = Deliveries(place.journal, place.clock).of_event(system, event_id, names)
    if not found:
        raise CommandError(f"nothing is known of event {event_id} of {system}")
    if as_json:
        print_json(found)
    else:
        for each in found:
            _show_one(each)


def _show(items: list[dict[str, JSON]]) -> None:
    table = Table("accepted", "integration", "status", "delivery", "event", "attempt", "why", box=None)
    for item in items:
        table.add_row(
            item["accepted_at"],
            item["integration"],
            _styled(item["status"]),
            item["id"],
            *(as_told(item[name]) for name in ("event_id", "attempt", "reason")),
        )
    wide_console().print(table)


def _show_one(found: dict[str, JSON]) -> None:
    console = Console(highlight=False)
    status, reason = _styled(found["status"]), as_told(found["reason"])
    console.print(Text.assemble((found["id"], "bold"), "  ", status, "  ", reason))
    for name in ("integration", "system", "event_id", "event_type", "accepted_at", "updated_at", "due_at"):
        if found[name] is not None:
            console.print(as_told(f"  {name.replace('_', ' '):<12} {found[name]}"))
    kept = "kept: it can be replayed" if found["event_kept"] else "no longer kept"
    console.print(f"  {'event':<12} {kept}")
    table = Table("at", "ticket", "outcome", "seconds", "status", "step", "error", "why", box=None)
    for entry in found["attempts"]:
        names = ("at", "ticket", "outcome", "seconds", "status", "step", "error", "reason")
        table.add_row(*(as_told(entry.get(name)) for name in names))
    wide_console().print(table)


def _styled(status: str) -> Text:
    return Text(status, _STYLES.get(status, "default"))

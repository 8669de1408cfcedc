"""``causeway map``: who sends what to whom, owned by whom."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from causeway.plan.sources import system_of, taken_by
from causeway_cli.errors import CommandError
from causeway_cli.maps import Directory, compiled, show_table
from causeway_cli.options import MAP
from causeway_cli.poll_times import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.plan.records import Integration, PlanRecord


class Format(StrEnum):
    """How a map is drawn."""

    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


def show_map(
    directory: Directory = MAP,
    *,
    form: Annotated[Format, typer.Option("--format", help="How it is drawn.")] = Format.TABLE,
    environment: Annotated[str, typer.Option(help="Whose map.")] = "production",
) -> None:
    """Draw who sends what to whom, owned by whom.

    Example: causeway map integrations --format mermaid
    """
    plans = compiled(directory).plans
    if environment not in plans:
        raise CommandError(f"there is no environment {environment!r}; there are: {', '.join(sorted(plans))}")
    plan = plans[environment]
    if form is Format.TABLE:
        rows = [_row(integration) for integration in plan["integrations"].values()]
        show_table(["integration", "from", "events", "by way of", "to", "owner"], rows)
    elif form is Format.MERMAID:
        typer.echo("\n".join(_mermaid(plan)))
    else:
        typer.echo(json.dumps(_json(plan), indent=2, ensure_ascii=False))


def _steps(integration: Integration) -> list[str]:
    """What is asked or run before the target."""
    return [
        step["call"]["system"] if "call" in step else step.get("run", "") for step in integration["steps"]
    ]


def _receiver(integration: Integration) -> str:
    """Where it delivers to: a system, or a queue, bus or bucket."""
    from causeway.delivery.targets import place_of  # noqa: PLC0415 - only where needed

    return place_of(integration["target"]).receiver


def _row(integration: Integration) -> tuple[str, ...]:
    return (
        integration["name"],
        system_of(integration["source"]),
        taken_by(integration["source"]),
        ", ".join(_steps(integration)),
        _receiver(integration),
        integration["owner"]["team"],
    )


def _mermaid(plan: PlanRecord) -> Iterator[str]:
    """A flow chart (https://mermaid.js.org): systems are boxes, integrations the arrows between them."""
    used = {name for integration in plan["integrations"].values() for name in _systems(integration)}
    yield "flowchart LR"
    for name in sorted(used):
        yield f'  {_id(name)}["{name}"]'
    for integration in plan["integrations"].values():
        source, *others = _systems(integration)
        yield f'  {_id(source)} -- "{integration["name"]}<br/>{_label(integration)}" --> {_id(others[-1])}'
        for name in dict.fromkeys(others[:-1]):
            if name != others[-1]:
                yield f'  {_id(source)} -. "{integration["name"]}: step" .-> {_id(name)}'


def _systems(integration: Integration) -> list[str]:
    steps = [step["call"]["system"] for step in integration["steps"] if "call" in step]
    return [system_of(integration["source"]), *steps, _receiver(integration)]


def _id(name: str) -> str:
    """An id of Mermaid's; some of its words, such as end, cannot be one as they are."""
    return "s_" + re.sub(r"[^A-Za-z0-9]", "_", name)


def _label(integration: Integration) -> str:
    taken = taken_by(integration["source"])
    return f"{taken}<br/>{integration['owner']['team']}".replace('"', "#quot;")


def _json(plan: PlanRecord) -> dict[str, object]:
    return {
        "environment": plan["environment"],
        "systems": [
            {
                "name": system["name"],
                "description": system["description"],
                "sends": "webhooks" in system,
                "is_called": "api" in system,
                "polls": {name: runs(poll) for name, poll in system.get("polls", {}).items()},
            }
            for system in plan["systems"].values()
        ],
        "integrations": [
            {
                "name": integration["name"],
                "description": integration["description"],
                "source": integration["source"],
                "steps": _steps(integration),
                "target": _receiver(integration),
                "owner": integration["owner"],
            }
            for integration in plan["integrations"].values()
        ],
    }

"""``causeway check``: is the map right, when would its deliveries be retried, and what does nobody watch.

With ``--stack`` also: does that stack have what the map needs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causeway_cli.maps import Directory, count, show_problems, show_table, spell_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.compiler import Compiled
    from causeway.plan.problems import Problem
    from causeway.plan.records import Integration
    from causeway_cli.poll_times import PollTimes
    from causeway_cli.stack_parameters import Finding

_MOST = 200
"""So many attempts are counted; a schedule with more of them is shown as "more than"."""

_SHOWN = 5
"""So many waits of a schedule are shown."""


def check(
    directory: Directory = Path("integrations"),
    *,
    stack: Annotated[
        str | None, typer.Option("--stack", help="Also whether this deployed stack has what the map needs.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="Its AWS region.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="The AWS profile to use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate the map: all errors at once, then every integration's retries and what is worth knowing.

    With --stack it is the map as the stack's environment has it, before it is deployed there: secrets and
    owners, the parameters that grant rights, and integrations that would vanish with deliveries waiting.

    Exit code 1 when there is an error.

    Example: causeway check integrations --stack causeway-dev
    """
    from causeway.plan.compiler import compile_map  # noqa: PLC0415 - pydantic and YAML, only where needed
    from causeway.plan.problems import InvalidMapError  # noqa: PLC0415
    from causeway_cli.poll_times import polls_of  # noqa: PLC0415

    try:
        result = compile_map(directory)
        problems, schedules, polls = result.remarks, _schedules(result), polls_of(result)
    except InvalidMapError as error:
        result, problems, schedules, polls = None, error.problems, [], []
    found = _of_stack(stack, region, profile, directory) if stack and result else []
    ok = result is not None and all(each.severity != "error" for each in found)
    if as_json:
        told = {
            "ok": ok,
            "problems": [_plain(each) for each in problems],
            "schedules": [asdict(each) for each in schedules],
            "polls": [asdict(each) for each in polls],
        }
        typer.echo(
            json.dumps(told | ({"stack": [asdict(each) for each in found]} if stack else {}), indent=2)
        )
    else:
        _show(problems, schedules, polls, result)
        if stack and result:
            _show_stack(stack, found)
    if not ok:
        raise typer.Exit(1)


def _of_stack(stack: str, region: str | None, profile: str | None, directory: Path) -> list[Finding]:
    from causeway_cli.stack_check import findings  # noqa: PLC0415 - AWS's clients, only where needed
    from causeway_cli.stacks import operating  # noqa: PLC0415

    with operating(stack, region, profile, directory) as place:
        return findings(place)


@dataclass
class Schedule:
    """When one integration's deliveries are tried again."""

    integration: str
    waits: list[float]  # seconds between attempts, without the jitter that is added
    attempts: int | None
    give_up_after: float
    environments: list[str]
    order_by: str | None = None

    def __str__(self) -> str:
        shown = " ".join(spell_duration(wait) for wait in self.waits[:_SHOWN])
        more = f" ... {spell_duration(max(self.waits))}" if len(self.waits) > _SHOWN else ""
        number = f"more than {_MOST}" if len(self.waits) == _MOST else str(len(self.waits) + 1)
        order = f"; in order of {self.order_by}" if self.order_by else ""
        return f"{shown}{more}; dead after {number} attempts or {spell_duration(self.give_up_after)}{order}"


def _schedules(result: Compiled) -> list[Schedule]:
    """Each integration's, once for all environments that have the same."""
    found: dict[str, Schedule] = {}
    for environment, plan in sorted(result.plans.items()):
        for integration in plan["integrations"].values():
            schedule = _schedule(integration)
            found.setdefault(f"{schedule.integration}: {schedule}", schedule).environments.append(environment)
    return [found[key] for key in sorted(found)]


def _schedule(integration: Integration) -> Schedule:
    from causeway.delivery.schedule import waits  # noqa: PLC0415

    errors = integration["errors"]
    return Schedule(
        integration["name"],
        waits(errors, limit=_MOST),
        errors["attempts"],
        errors["give_up_after"],
        [],
        integration.get("order_by"),
    )


def _plain(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "key": problem.key,
        "message": problem.message,
        "environments": list(problem.environments),
    }


def _show(
    problems: Sequence[Problem],
    schedules: Sequence[Schedule],
    polls: Sequence[PollTimes],
    result: Compiled | None,
) -> None:
    show_problems(problems)
    if result is None:
        typer.echo(f"\n{count(problems)}")
        return
    if problems:
        typer.echo()
    everywhere = len(result.plans)
    show_table(
        ["integration", "is tried again after", "in"],
        [(each.integration, str(each), _where(each, everywhere)) for each in schedules],
    )
    if polls:
        typer.echo()
    show_table(
        ["poll", "runs", "next", "in"],
        [(each.poll, each.runs, each.next, _where(each, everywhere)) for each in polls],
    )
    typer.echo(f"\nThe map is right. It compiles for {', '.join(sorted(result.plans))}.")


def _show_stack(stack: str, found: Sequence[Finding]) -> None:
    typer.echo()
    if not found:
        typer.echo(f"The stack {stack} has what the map needs.")
        return
    colours = {"error": typer.colors.RED, "warning": typer.colors.YELLOW}
    for each in found:
        typer.echo(f"{typer.style(each.severity, fg=colours[each.severity])}: {each.about}: {each.says}")
        typer.echo(f"    {each.remedy}")
    errors = sum(each.severity == "error" for each in found)
    typer.echo(f"\nThe stack {stack} lacks {errors} of what the map needs." if errors else "")


def _where(shown: Schedule | PollTimes, everywhere: int) -> str:
    """The environments that something holds in; nothing where it is all of them."""
    return "" if len(shown.environments) == everywhere else ", ".join(shown.environments)

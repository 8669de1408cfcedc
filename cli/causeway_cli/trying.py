"""``causeway try``: one event through one integration, and the requests that would be sent. Sends nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from causeway.calls.outcome import Answer
from causeway.plan.plan import Plan
from causeway.plan.problems import did_you_mean
from causeway.plan.yaml import UnreadableError, read
from causeway_cli import event_files, trial
from causeway_cli.errors import CommandError
from causeway_cli.maps import compiled
from causeway_cli.options import MAP, AsJson, MapHere

if TYPE_CHECKING:
    from causeway.plan.records import JSON, Integration
    from causeway_cli.trial import Shown, Trial

_VERDICTS = {
    "unmatched": "not for this integration",
    "filtered": "filtered out",
    "skipped": "nothing to call, which is success",
    "delivered": "this is what would be sent; nothing was",
    "retried": "refused, to be tried again",
    "dead": "a dead letter",
    "unanswered": "stopped",
}


def try_integration(
    integration: Annotated[str, typer.Argument(help="The integration, by its name in the map.")],
    event_file: Annotated[
        Path,
        typer.Argument(
            metavar="EVENT-FILE",
            help="A provider's body, an event (CloudEvents JSON, or of the bus), or an API Gateway request.",
        ),
    ],
    *,
    answers: Annotated[
        Path | None,
        typer.Option(help="YAML or JSON: what calls answer, {STEP: {status, headers, body}}; also `target`."),
    ] = None,
    directory: MapHere = MAP,
    environment: Annotated[str, typer.Option(help="Whose values are merged over the map.")] = "dev",
    type_: Annotated[
        str | None, typer.Option("--type", help="The event's type, for a provider's body.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(help='A header of the webhook, for a provider\'s body: "X-GitHub-Event: push".'),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run filter, steps and mapping on one event, and print the requests that would be sent.

    Nothing is sent. Secrets are shown by their names. Steps in Python run. Exit code 1 when the event would
    not get through: it is a dead letter, is refused by an answer that was given, or an answer is missing.

    Example: causeway try orders-to-ledger order.json --answers answers.yaml
    """
    plan = _plan(directory, environment)
    if integration not in plan.integrations:
        meant = did_you_mean(integration, plan.integrations)
        raise CommandError(f"the map has no integration {integration!r} in {environment}; {meant}")
    record = plan.integrations[integration]
    given = _answers(answers, record) if answers else {}
    events = event_files.read(event_file, plan, record, type_=type_, headers=header or [])
    trials = [trial.run(plan, record, event, given) for event in events]
    if as_json:
        typer.echo(json.dumps([trial.as_json(each) for each in trials], indent=2, ensure_ascii=False))
    else:
        for each in trials:
            _print(each, record)
    if any(each.outcome not in trial.GOOD for each in trials):
        raise typer.Exit(1)


def _plan(directory: Path, environment: str) -> Plan:
    result = compiled(directory)
    if environment not in result.plans:
        raise CommandError(
            f"there is no environment {environment!r}; {did_you_mean(environment, result.plans)}"
        )
    # In Lambda the folder is a package on the path; here its place is wherever the map is.
    package = ModuleType("transforms")
    package.__path__ = [str(directory / "transforms")]
    sys.modules["transforms"] = package
    return Plan(result.plans[environment])


def _answers(file: Path, integration: Integration) -> dict[str, Answer]:
    calling = [step["name"] for step in integration["steps"] if "call" in step]
    calling += [trial.TARGET] if "call" in integration["target"] else []
    found: dict[str, Answer] = {}
    for name, answer in _yaml(file).items():
        if name not in calling:
            raise CommandError(f"{file}: {name!r} is no step that calls; {did_you_mean(name, calling)}")
        if not isinstance(answer, dict) or not set(answer) <= {"status", "headers", "body"}:
            raise CommandError(f"{file}: the answer for {name} is an object of status, headers and body")
        headers = {str(key).lower(): str(value) for key, value in (answer.get("headers") or {}).items()}
        found[name] = Answer(answer.get("status", 200), headers, answer.get("body"), seconds=0.0)
    return found


def _yaml(file: Path) -> dict[str, JSON]:
    if not file.is_file():
        raise CommandError(f"there is no file {file}")
    try:
        value: dict[str, JSON] = read(file, str(file)).value
    except UnreadableError as error:
        raise CommandError("\n".join(map(str, error.problems))) from error
    return value


def _print(tried: Trial, integration: Integration) -> None:
    event = tried.event
    typer.echo(f"event {event['id']} of {event['source']}, {event['type']}")
    if tried.order_key is not None:
        typer.echo(f"after all before it with the order key {tried.order_key}")
    requests = {request.step: request for request in tried.requests}
    for step in integration["steps"]:
        name = step["name"]
        if name in requests:
            _print_request(f"step {name}", requests[name])
        elif name in tried.progress.answers:
            result = tried.progress.answers[name]
            what = "ran" if "run" in step else "skipped"
            _heading(f"step {name}: {what if result is not None else 'skipped'}")
            if result is not None:
                typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    if None in requests:
        _print_request("target", requests[None])
    verdict = f"{_VERDICTS[tried.outcome]}{f': {tried.reason}' if tried.reason else ''}"
    colour = typer.colors.GREEN if tried.outcome in trial.GOOD else typer.colors.RED
    typer.secho(f"\n{verdict}", fg=colour)


def _heading(text: str) -> None:
    typer.secho(f"\n{text}", bold=True)


def _print_request(what: str, request: Shown) -> None:
    _heading(f"{what}: {request.method} {request.url}")
    for name, value in request.headers.items():
        typer.echo(f"{name}: {value}")
    if request.body is not None:
        typer.echo()
        typer.echo(
            json.dumps(json.loads(request.body), indent=2, ensure_ascii=False)
            if request.is_json
            else request.body
        )

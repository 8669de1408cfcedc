"""``causeway send``: a signed sample event, as the provider would send it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
import urllib3
from urllib3.exceptions import HTTPError

from causeway.plan.plan import load
from causeway_cli.account import local_clients
from causeway_cli.errors import CommandError
from causeway_cli.files import bytes_of
from causeway_cli.local import running
from causeway_cli.local.signing import Provider, SignedEvent, webhooks_of
from causeway_cli.options import AsJson
from causeway_cli.printing import print_json
from causeway_cli.secret_names import SecretUse
from causeway_cli.stored_secrets import StoredSecrets, field_of

ANSWER_WITHIN = 35.0  # seconds: API Gateway gives up after 30


def send(
    system: Annotated[str, typer.Argument(help="The system that sends, by its name in the map.")],
    file: Annotated[Path | None, typer.Argument(help="A body to send as it is; default: a sample.")] = None,
    *,
    type_: Annotated[str | None, typer.Option("--type", help="The event's type.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="So many, each with an id of its own.")] = 1,
    url: Annotated[
        str | None, typer.Option("--url", help="Another API's base URL; needs --secret-file.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="Holds the secret to sign with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign a sample event as the provider would, and post it to the local cloud.

    Example: causeway send github --type pull_request
    """
    cloud = running.find()
    if url and not secret_file:
        raise CommandError("--url needs --secret-file: the local cloud's secret is of no use elsewhere")
    plan = load(cloud.plan, cloud.environment)
    secret = _read(secret_file) if secret_file else _stored(cloud, webhooks_of(plan, system)["secrets"][0])
    address = f"{(url or cloud.url).rstrip('/')}/webhooks/{system}"
    provider = Provider(plan, system, secret=secret, url=address)
    content = bytes_of(file) if file else None
    answers: list[dict[str, Any]] = []
    with urllib3.PoolManager(timeout=ANSWER_WITHIN) as pool:
        for _ in range(count):
            event = (
                provider.sample(type_)
                if content is None
                else provider.from_bytes(content, type_, numbered=count > 1)
            )
            answers.append(_post(pool, address, event))
            if not as_json:
                print("{status} {id}  {seconds:.3f} s  {answer}".format(**answers[-1]))
    if as_json:
        print_json(answers)
    if any(answer["status"] >= 300 for answer in answers):  # noqa: PLR2004 - what HTTP calls success ends there
        raise typer.Exit(1)


def _post(pool: urllib3.PoolManager, address: str, event: SignedEvent) -> dict[str, Any]:
    started = time.monotonic()
    try:
        answer = pool.request(
            "POST", event.at(address), body=event.body, headers=event.headers, retries=False
        )
    except HTTPError as error:
        raise CommandError(f"{address} cannot be reached: {error}") from error
    return {
        "status": answer.status,
        "id": event.id,
        "seconds": round(time.monotonic() - started, 3),
        "answer": answer.data.decode("utf-8", "replace"),
    }


def _stored(cloud: running.Running, name: str) -> str:
    use = SecretUse.of(name, "in")
    value = StoredSecrets(local_clients(cloud.endpoint), cloud.stack).get(use)
    if value is None:
        raise CommandError(f"the local cloud has no secret {use.name}: causeway secrets put {use.name}")
    return field_of(name, value)


def _read(file: Path) -> str:
    return bytes_of(file).decode("utf-8").strip()

"""``causeway verify``: why was a request refused; and files of signature vectors, judged offline."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from causeway_cli.errors import CommandError
from causeway_cli.options import AsJson
from causeway_cli.place import FindPlace, at_place
from causeway_cli.printing import plain, print_json, wide_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway_cli.refusals import Diagnosed
    from causeway_cli.vectors import Checked


@at_place
def verify(
    find: FindPlace,
    system: Annotated[
        str | None, typer.Argument(help="The system whose request was refused, by its name in the map.")
    ] = None,
    request_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[REQUEST-FILE]",
            help="The request: JSON with method, url, headers and body or body_base64; one of API Gateway; "
            "or HTTP as it came by wire. Default: the last that were kept (`keep_rejected`).",
        ),
    ] = None,
    *,
    vectors: Annotated[
        Path | None, typer.Option("--vectors", help="Judge a file of signature vectors instead, offline.")
    ] = None,
    last: Annotated[int, typer.Option("--last", min=1, max=100, help="So many of those that were kept.")] = 5,
    at: Annotated[
        datetime | None, typer.Option("--at", help="When the request came (UTC), if the file does not say.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a provider's request was refused: secret, clock, altered body, encoding, URL, scheme.

    Exit code 1 when it is not valid, or when a vector's verdict is not the expected one.

    Example: causeway verify github rejected.json
    """
    if vectors is not None:
        if system is not None:
            raise CommandError("--vectors takes no system: each vector names its provider", exit_code=2)
        _vectors(vectors, as_json=as_json)
        return
    if system is None:
        raise CommandError("name a system, or a file with --vectors", exit_code=2)
    from causeway_cli.refusals import diagnose_file, diagnose_kept  # noqa: PLC0415 - AWS, only where needed

    place = find()
    if request_file is not None:
        now = at.replace(tzinfo=at.tzinfo or UTC).timestamp() if at else time.time()
        found = [diagnose_file(place, system, request_file, now=now)]
    else:
        found = diagnose_kept(place, system, last=last, now=time.time())
    _show_diagnosed(found, as_json=as_json)
    if not all(each.valid for each in found):
        raise typer.Exit(1)


def _show_diagnosed(found: Sequence[Diagnosed], *, as_json: bool) -> None:
    if as_json:
        print_json([each.plain() for each in found])
        return
    if not found:
        typer.echo("no refused request is kept: `webhooks.keep_rejected` says how long they are")
    for each in found:
        findings = [f"  {finding.kind}: {finding.text}" for finding in each.findings]
        for line in (each.title, *findings, f"  {each.shown}"):
            typer.echo(plain(line))  # whoever sent it proved nothing


def _vectors(file: Path, *, as_json: bool) -> None:
    from causeway_cli.vectors import MalformedFile, check, read_vectors  # noqa: PLC0415 - all schemes, only here

    try:
        checked = [check(each) for each in read_vectors(file)]
    except MalformedFile as error:
        raise CommandError(str(error)) from error
    if as_json:
        print_json([each.verdict._asdict() for each in checked])
    else:
        _show_vectors(checked)
    if any(each.differences for each in checked):
        raise typer.Exit(1)


def _show_vectors(checked: Sequence[Checked]) -> None:
    different = [each for each in checked if each.differences]
    if different:
        table = Table("vector", "difference", box=None)
        for each in different:
            table.add_row(each.verdict.id, "\n".join(each.differences))
        wide_console().print(table)
    accepted = sum(each.verdict.valid for each in checked)
    typer.echo(
        f"{len(checked)} vectors: {accepted} accepted, {len(checked) - accepted} refused; "
        f"{len(different)} differ from what is expected"
    )

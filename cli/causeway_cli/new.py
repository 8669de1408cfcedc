"""``causeway new``: a commented manifest to fill in."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from causeway_cli.errors import CommandError
from causeway_cli.options import MAP, AsJson, MapHere
from causeway_cli.printing import print_json

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A small letter, then at most 47 of a-z, 0-9 and -.")
]


@app.callback()
def new() -> None:
    """Write a commented manifest to fill in.

    Example: causeway new system shop
    """


@app.command()
def system(name: Name, *, directory: MapHere = MAP, as_json: AsJson = False) -> None:
    """Write DIR/systems/NAME.yaml: how a system signs what it sends, and how it is called.

    Example: causeway new system shop
    """
    _write("system", name, directory / "systems" / f"{name}.yaml", as_json=as_json)


@app.command()
def integration(name: Name, *, directory: MapHere = MAP, as_json: AsJson = False) -> None:
    """Write DIR/NAME.yaml: from where, to where, who owns it, and what happens when it fails.

    Example: causeway new integration orders-to-ledger
    """
    _write("integration", name, directory / f"{name}.yaml", as_json=as_json)


def _write(kind: str, name: str, path: Path, *, as_json: bool) -> None:
    from causeway.plan.manifest.values import NAME_FORM  # noqa: PLC0415 - pydantic, only where needed
    from causeway.webhooks.schemes import SCHEMES  # noqa: PLC0415

    if not re.fullmatch(NAME_FORM.pattern, name):
        raise CommandError(f"{name!r} must be {NAME_FORM.what}")
    template = Template(
        files("causeway_cli").joinpath("templates", f"{kind}.yaml").read_text(encoding="utf-8")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.substitute(name=name, schemes=", ".join(SCHEMES)))
    except FileExistsError as error:
        raise CommandError(f"{path} is there already: nothing is overwritten") from error
    if as_json:
        print_json({"path": str(path)})
    else:
        typer.echo(f"wrote {path}: fill it in, then run causeway check")

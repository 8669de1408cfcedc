"""``causeway schema``: JSON Schemas of the manifests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def schema(
    out: Annotated[
        Path | None, typer.Option(help="Write <kind>.schema.json here instead of printing.")
    ] = None,
) -> None:
    """JSON Schemas of systems, integrations and environments, for editors and other programs.

    A manifest names its schema in a comment that the YAML language server reads, as `causeway new` writes it:
    # yaml-language-server: $schema=../.schemas/system.schema.json

    Example: causeway schema --out integrations/.schemas
    """
    from causeway.plan.schemas import schemas  # noqa: PLC0415 - pydantic, only where needed

    found = schemas()
    if out is None:
        typer.echo(json.dumps(found, indent=2))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        (out / f"{name}.schema.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    typer.echo(f"wrote {', '.join(f'{name}.schema.json' for name in found)} to {out}")

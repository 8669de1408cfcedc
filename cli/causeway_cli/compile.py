"""``causeway compile``: write the plan that functions load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from causeway_cli.maps import Directory, compiled
from causeway_cli.options import MAP, AsJson
from causeway_cli.printing import print_json


def compile_map(
    directory: Directory = MAP,
    *,
    out: Annotated[Path, typer.Option(help="Where plan/ and python/transforms/ are written.")],
    as_json: AsJson = False,
) -> None:
    """Write the plan of every environment, and the transforms: the content of the plan layer.

    Nothing is written when the map has an error; `causeway check` shows the same errors.

    Example: causeway compile integrations --out build
    """
    from causeway.plan.compiler import write  # noqa: PLC0415

    result = compiled(directory)
    write(result, out)
    if as_json:
        print_json({"plan": str(out / "plan"), "environments": sorted(result.plans)})
    else:
        typer.echo(f"wrote {', '.join(sorted(result.plans))} to {out / 'plan'}")

"""Maps on the command line: where they are, and how their problems are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from causeway_cli.errors import CommandError
from causeway_cli.printing import wide_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.compiler import Compiled
    from causeway.plan.problems import Problem

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The map's directory.", show_default=True)]

_COLOURS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW, "note": typer.colors.BRIGHT_BLACK}


def compiled(directory: Path) -> Compiled:
    """Compile a map; its errors become one failure of the command.

    Raises:
        CommandError: it does not compile.
    """
    from causeway.plan.compiler import compile_map  # noqa: PLC0415 - pydantic and YAML, only where needed
    from causeway.plan.problems import InvalidMapError  # noqa: PLC0415

    try:
        return compile_map(directory)
    except InvalidMapError as error:
        show_problems(error.problems, err=True)
        raise CommandError(f"{directory} does not compile: {count(error.problems)}") from error


def show_problems(problems: Sequence[Problem], *, err: bool = False) -> None:
    """Print problems, one a line, as editors and terminals make links of them: ``file:line: ...``."""
    for problem in problems:
        place = str(problem.place)
        rest = str(problem).removeprefix(place)
        typer.echo(typer.style(place, fg=_COLOURS[problem.severity]) + rest, err=err)


def count(problems: Sequence[Problem]) -> str:
    """How many problems of each severity: ``2 errors, 1 warning``."""
    found = [problem.severity for problem in problems]
    return ", ".join(
        f"{number} {severity}{'s' * (number != 1)}"
        for severity in ("error", "warning", "note")
        if (number := found.count(severity))
    )


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, as wide as the terminal if there is one; empty columns are left out."""
    if not rows:
        return
    from rich.table import Table  # noqa: PLC0415 - slow to import

    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = [index for index in range(len(columns)) if any(row[index] for row in rows)]
    for index in shown:
        table.add_column(columns[index], no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*(row[index] for index in shown))
    wide_console().print(table, markup=False)


def spell_duration(seconds: float) -> str:
    """A duration as people read it: ``2m15s``."""
    rest = round(seconds)
    text = ""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        number, rest = divmod(rest, length)
        text += f"{number}{unit}" if number else ""
    return text or "0s"

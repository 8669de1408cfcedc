"""Options that commands share, each said once; and how a command gets what they choose."""

from __future__ import annotations

import inspect
import re
import time
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from causeway.settings.clock import from_rfc3339
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

MAP = Path("integrations")

LAST_PORT = 65535

StackName = Annotated[str | None, typer.Option("--stack", help="A deployed stack; default: the local cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Its AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", help="The AWS profile to use.")]
Map = Annotated[Path, typer.Option("--integrations", help="The map's directory, for a deployed stack.")]
Environment = Annotated[
    str, typer.Option("--environment", help="The map's environment, for a deployed stack.")
]
MapHere = Annotated[Path, typer.Option("--integrations", help="The map's directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str | None, typer.Option("--integration", help="Only this integration.")]
ErrorClass = Annotated[
    str | None, typer.Option("--error", help="Only this class of reasons: http, timeout, dns, mapping ...")
]
Since = Annotated[
    str | None, typer.Option("--since", help="Accepted since: RFC 3339, or so long ago (90m, 6h, 3d).")
]
Until = Annotated[str | None, typer.Option("--until", help="Accepted until, likewise.")]

_AGO = re.compile(r"(\d+)([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def choosing(find: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator of commands that work where options say.

    The command's first argument is ``find`` with what its options chose, to be called when all else is right;
    those options, which are the parameters of ``find``, become the command's.
    """
    shared = inspect.signature(find, eval_str=True).parameters.values()

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        options = sorted((*own, *shared), key=lambda each: each.name == "as_json")  # in helps it is the last

        @wraps(command)
        def run(**values: Any) -> None:
            chosen = {each.name: values.pop(each.name) for each in shared}
            command(partial(find, **chosen), **values)

        of_keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in options]
        run.__signature__ = inspect.Signature(of_keyword)  # type: ignore[attr-defined] # typer reads both
        run.__annotations__ = {each.name: each.annotation for each in options}
        return run

    return decorate


def ago(text: str) -> float | None:
    """Epoch seconds of so long ago (``90m``, ``6h``, ``3d``); None where a text says something else."""
    found = _AGO.fullmatch(text)
    return time.time() - int(found[1]) * _UNITS[found[2]] if found else None


def when(text: str | None) -> float | None:
    """Epoch seconds of an RFC 3339 time, or of so long ago.

    Raises:
        CommandError: It is neither.
    """
    if text is None:
        return None
    past = ago(text)
    if past is not None:
        return past
    try:
        return from_rfc3339(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is no time: write 2026-11-22T10:00:00Z, or so long ago: 90m, 6h, 3d"
        ) from None

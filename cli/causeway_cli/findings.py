"""What is not well, as ``causeway status`` draws it: the same that owners are told, the worst first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from causeway.settings.clock import from_rfc3339
from causeway_cli.printing import as_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from causeway.plan.records import JSON

_STYLES = {"critical": "red", "warning": "yellow"}


def concerning(report: dict[str, JSON], names: list[str]) -> dict[str, JSON]:
    """The same report, of these integrations and of the stack alone."""
    wanted = set(names)
    found = [
        each
        for each in report["findings"]
        if not each["integrations"] or wanted.intersection(each["integrations"])
    ]
    return report | {"findings": found}


def drawn(report: dict[str, JSON]) -> Group:
    """All of it, for people."""
    table = Table("not well", "what", "since", "whose", box=None)
    for each in report["findings"]:
        table.add_row(
            Text(each["level"], _STYLES[each["level"]]),
            as_told("\n".join(_lines(each))),
            ago(each["since"]),
            as_told(", ".join(owner["team"] for owner in each["owners"]) or "the operator"),
        )
    shown: list[RenderableType] = [table] if report["findings"] else []
    return Group(*shown, *_verdict(report), "")


def _lines(each: dict[str, JSON]) -> Iterator[str]:
    """One thing, as its message tells it."""
    what, subject = each["what"], each["subject"]
    many = f" ({each['how_many']})" if each["how_many"] else ""
    yield f"{what if subject in what else f'{subject}: {what}'}{many}"
    if each["well_since"]:
        yield f"well again for {ago(each['well_since'])}, which is told when it lasts"
    if each["integrations"] not in ([], [subject]):
        yield f"concerns: {', '.join(each['integrations'])}"
    for label, name in (("cause", "cause"), ("next", "next_step"), ("see", "runbook")):
        if each[name]:
            yield f"{label}: {each[name]}"


def _verdict(report: dict[str, JSON]) -> Iterator[Text]:
    """When the watchdog looked, and what it could not see."""
    if report["watched_at"] is not None:
        looked = f"the watchdog looked {ago(report['watched_at'])} ago"
        number = len(report["findings"])
        if not number:
            yield Text(f"{looked}: all is well", "green")
        else:
            more = "more than " if report["more"] else ""
            yield Text(f"{looked}; not well: {more}{number}", "yellow")
    if report["failed"]:
        yield Text(f"it could not tell: {', '.join(report['failed'])}; its log says why", "yellow")
    if report["left_out"]:
        yield Text(f"it left {report['left_out']} looks to the next run, for want of time", "yellow")


def ago(text: str | None) -> str:
    """How long ago a moment was, in one unit; empty: nobody knows."""
    if text is None:
        return ""
    seconds = time.time() - from_rfc3339(text)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"

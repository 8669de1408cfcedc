"""What `causeway dev` prints. No secret, token or signature comes here."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from causeway.delivery.targets import place_of
from causeway.plan.sources import system_of, taken_by
from causeway_cli.local.differences import BEHAVIOUR, LAYERS_LEFT_OUT, LEFT_OUT, PROPERTIES_LEFT_OUT
from causeway_cli.printing import plain

if TYPE_CHECKING:
    from causeway.plan.plan import Plan
    from causeway.plan.records import Source

_STYLES = {"ok": "green", "wait": "yellow", "bad": "red", "info": "default"}

SETTLE = 0.7
"""Seconds that a line waits for older ones: what the functions log comes later than what it leads to."""


class DevConsole:
    """The console of a running local cloud; any thread may print."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = 160  # nothing is cut where lines are only kept
        self._waiting: list[tuple[float, int, Text]] = []
        self._number = itertools.count()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(Text(text))

    def event(
        self, who: str, what: str, detail: str = "", *, style: str = "info", at: float | None = None
    ) -> None:
        """Print one line of what happens, in the order of time.

        Args:
            who: A system, an integration, or a part of the local cloud.
            what: What it does.
            detail: More of it.
            style: How it goes: ok, wait, bad or info.
            at: When, in epoch seconds; default: now.
        """
        at = at or time.time()
        line = Text()
        line.append(f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at * 1000) % 1000:03d}  ", "dim")
        line.append(f"{who:<22} ", "bold")
        line.append(f"{what:<10}  ", _STYLES[style])
        line.append(plain(detail))  # reasons and ids are others' texts
        with self._lock:
            heapq.heappush(self._waiting, (at, next(self._number), line))

    def flush(self, *, everything: bool = False) -> None:
        """Print the lines that have waited long enough."""
        with self._lock:
            until = time.time() - (0 if everything else SETTLE)
            while self._waiting and (everything or self._waiting[0][0] <= until):
                self._console.print(heapq.heappop(self._waiting)[-1])

    def show_map(self, plan: Plan) -> None:
        """Who sends what to whom."""
        table = Table(
            "integration",
            "takes",
            "from",
            "and delivers to",
            "owner",
            box=None,
            header_style="dim",
            padding=(0, 2),
        )
        for integration in plan.integrations.values():
            place = place_of(integration["target"])
            table.add_row(
                integration["name"],
                taken_by(integration["source"]),
                _from(integration["source"]),
                place.kind.described(place.words),
                integration["owner"]["team"],
            )
        self._console.print(table)

    def show_differences(self) -> None:
        """How this cloud differs from AWS."""
        table = Table("different here", "because", box=None, header_style="dim")
        for part in (LEFT_OUT, LAYERS_LEFT_OUT, PROPERTIES_LEFT_OUT, BEHAVIOUR):
            for name, reason in part.items():
                table.add_row(name, reason)
        self._console.print(table)


def _from(source: Source) -> str:
    """Where events come in."""
    return f"/webhooks/{source['system']}" if "events" in source else system_of(source)

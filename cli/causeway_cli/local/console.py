"""What `causeway dev` prints. No secret, token or signature comes here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from causeway_cli.local.differences import BEHAVIOUR, LAYERS_LEFT_OUT, LEFT_OUT, PROPERTIES_LEFT_OUT

if TYPE_CHECKING:
    from causeway.plan.plan import Plan

_STYLES = {"ok": "green", "wait": "yellow", "bad": "red", "info": "dim"}


class DevConsole:
    """The console of a running local cloud; any thread may print."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = 160  # nothing is cut where lines are only kept

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(Text(text))

    def event(self, what: str, about: str, detail: str = "", *, style: str = "info") -> None:
        """Print one line of what happens: time, what, about what, and details."""
        line = Text()
        line.append(time.strftime("%H:%M:%S "), "dim")
        line.append(f"{what:<10} ", _STYLES[style])
        line.append(f"{about:<28} ", "bold")
        line.append(detail)
        self._console.print(line)

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
            call = integration["target"].get("call")
            table.add_row(
                integration["name"],
                ", ".join(integration["source"]["events"]),
                f"/webhooks/{integration['source']['system']}",
                f"{call['system']}: {call['method']} {call['path']}" if call else "",
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

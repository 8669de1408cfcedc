"""``causeway tail``: what the functions log, as it comes in."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from causeway_cli.local.console import DevConsole
from causeway_cli.local.following import SOON, Follower, show
from causeway_cli.options import AsJson, Name, when
from causeway_cli.stacks import OnStack, on_stack

EVERY_ON_AWS = 2.0
"""Seconds: an account may ask CloudWatch Logs five times a second."""

LATE_ON_AWS = 15.0
"""Seconds: streams come in each at its own pace."""

Since = Annotated[
    str | None,
    typer.Option("--since", help="From then on: RFC 3339, or so long ago (90m, 6h, 3d); default: now."),
]


@on_stack
def tail(
    stack: OnStack,
    *,
    integration: Name = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Show what happens, line by line, until Ctrl-C.

    Example: causeway tail --integration orders-to-ledger
    """
    begin = when(since)
    with stack() as place:
        place.integrations(integration)
        console = DevConsole()
        groups, late = place.log_groups.values(), 0.0 if place.local else LATE_ON_AWS
        follower = Follower(place.clients("logs"), groups, console, since=begin, late=late)
        try:
            while True:
                for line in follower.new():
                    if integration not in (None, line.get("integration")):
                        continue
                    if as_json:
                        print(json.dumps(line), flush=True)
                    else:
                        show(line, console.event)
                console.flush()
                time.sleep(SOON if place.local else EVERY_ON_AWS)
        except KeyboardInterrupt:
            console.flush(everything=True)

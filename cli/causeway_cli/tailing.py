"""``causeway tail``: what the functions log, as it comes in."""

from __future__ import annotations

import json
import time

from causeway_cli.local.console import DevConsole
from causeway_cli.local.following import SOON, Follower, show
from causeway_cli.options import AsJson, Name
from causeway_cli.stacks import OnStack, on_stack

EVERY_ON_AWS = 2.0
"""Seconds: an account may ask CloudWatch Logs five times a second."""


@on_stack
def tail(
    stack: OnStack,
    *,
    integration: Name = None,
    as_json: AsJson = False,
) -> None:
    """Show what happens, line by line, until Ctrl-C.

    Example: causeway tail --integration orders-to-ledger
    """
    with stack() as place:
        place.integrations(integration)
        console = DevConsole()
        follower = Follower(place.clients("logs"), place.log_groups.values(), console)
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

"""``causeway pause`` and ``causeway resume``: let an integration's deliveries wait, and go on."""

from __future__ import annotations

from typing import Annotated

import typer

from causeway.delivery.pauses import RATE
from causeway.settings.clock import rfc3339
from causeway_cli.options import AsJson
from causeway_cli.printing import print_json
from causeway_cli.stacks import OnStack, on_stack

Which = Annotated[str, typer.Argument(help="The integration's name.")]


@on_stack
def pause(
    stack: OnStack,
    integration: Which,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who find it paused.")],
    as_json: AsJson = False,
) -> None:
    """Let an integration's deliveries wait: nothing is lost, and no delivery runs out of time.

    Example: causeway pause orders-to-ledger --reason "the ledger is being moved"
    """
    with stack() as place:
        (name,) = place.integrations(integration)
        changed = place.pauses.pause(name, by=place.by, reason=reason)
        found = place.pauses.now(name)
    since = rfc3339(found.since) if found.since is not None else None
    if as_json:
        print_json(
            {"integration": name, "paused": found.paused, "since": since, "by": found.by}
            | {"reason": found.reason, "changed": changed}
        )
    elif changed:
        print(f"{name} is paused; instances know of it within 5 s")
    else:
        print(f"{name} was paused before, since {since} by {found.by}: {found.reason}")


@on_stack
def resume(
    stack: OnStack,
    integration: Which,
    *,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Deliveries per second to release.")] = RATE,
    as_json: AsJson = False,
) -> None:
    """Let an integration's deliveries go on; the scheduler releases those that wait, from the next minute on.

    Example: causeway resume orders-to-ledger --rate 5
    """
    with stack() as place:
        (name,) = place.integrations(integration)
        changed = place.pauses.resume(name, by=place.by, rate=rate)
    if as_json:
        print_json({"integration": name, "paused": False, "rate": rate, "changed": changed})
    elif changed:
        print(f"{name} is resumed; what waits is released at {rate:g} a second, from the next minute on")
    else:
        print(f"{name} was not paused; what still waits for a pause is released")

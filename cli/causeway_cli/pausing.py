"""``causeway pause`` and ``causeway resume``: let an integration's deliveries wait, and go on."""

from __future__ import annotations

from typing import Annotated

import typer

from causeway.delivery.pauses import RATE
from causeway.settings.clock import rfc3339
from causeway_cli.stacks import MAP, AsJson, Map, Profile, Region, StackName, operating, print_json

Which = Annotated[str, typer.Argument(help="The integration's name.")]


def pause(
    integration: Which,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who find it paused.")],
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = MAP,
    as_json: AsJson = False,
) -> None:
    """Let an integration's deliveries wait: nothing is lost, and no delivery runs out of time.

    Example: causeway pause orders-to-ledger --reason "the ledger is being moved"
    """
    with operating(stack, region, profile, integrations) as place:
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


def resume(
    integration: Which,
    *,
    rate: Annotated[float, typer.Option("--rate", min=0.1, help="Deliveries per second to release.")] = RATE,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    integrations: Map = MAP,
    as_json: AsJson = False,
) -> None:
    """Let an integration's deliveries go on; the scheduler releases those that wait, from the next minute on.

    Example: causeway resume orders-to-ledger --rate 5
    """
    with operating(stack, region, profile, integrations) as place:
        (name,) = place.integrations(integration)
        changed = place.pauses.resume(name, by=place.by, rate=rate)
    if as_json:
        print_json({"integration": name, "paused": False, "rate": rate, "changed": changed})
    elif changed:
        print(f"{name} is resumed; what waits is released at {rate:g} a second, from the next minute on")
    else:
        print(f"{name} was not paused; what still waits for a pause is released")

"""Whether anybody hears the messages: a topic that nobody has confirmed takes them all, and tells nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.watching.finding import Finding
from causeway.watching.owners import confirmed, owners_of, subscriptions
from causeway.watching.spans import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.watching.world import World

EVERY = 900.0


def unheard(world: World, now: float) -> Iterator[Finding]:
    """There are owners who have confirmed no subscription, and nobody else who would be told instead.

    The message of this goes nowhere, of course: it stands for whoever looks at the console.
    """
    found = list(subscriptions(world.means.aws, world.means.settings.owners_topic))
    owners = owners_of(world.plan)
    missing = owners.keys() - set(confirmed(found))
    others = [each for each in found if each.confirmed and each.endpoint.lower() not in owners]
    if not missing or others:
        return
    concerned = sum(len(owners[address].integrations) for address in missing)
    yield Finding(
        check="unheard",
        subject="owners",
        level="critical",
        what=f"nobody hears what is told of {count(concerned, 'integration')}",
        cause=f"{count(len(missing), 'owner')} confirmed no subscription, nor did an operator",
        next_step="`causeway owners sync`, and deploy the stack with OperatorEmail; each confirms by a link",
        since=now,
        value=concerned,
        unit="integration",
    )

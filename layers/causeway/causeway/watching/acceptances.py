"""What was accepted of late, and may not be begun: a queue that stands still is no source that does.

The journal knows of an event from its first attempt on. Before that only the line knows of it that every
function writes which accepts (:mod:`causeway.acceptance.lines`), and that the books are kept from. It is
read only of what looks silent by the journal, slice by slice, so that a long log is read by several runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causeway.acceptance.lines import read
from causeway.aws.errors import AwsError
from causeway.operations.books import lines_between
from causeway.operations.ledger import SLICE
from causeway.telemetry.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causeway.watching.world import World

LOOKS_BACK = 6 * 3600.0
"""Seconds: nothing lies longer on the queue, unbegun, without the alarms of queues being heard."""

READS_FOR = 15.0
"""Seconds for which one run reads logs; the next one goes on."""

WRITTEN_LATE = 60.0
"""Seconds after which all lines of a time are there to be read."""


@dataclass
class Accepted:
    """What lines say."""

    until: float  # they were read up to this time
    last: dict[str, float] = field(default_factory=dict)  # when something was last accepted, by integration


def accepted_since(world: World, since: float, now: float) -> Accepted:
    """Read lines from a time on, as far as there is time and they can be read."""
    means = world.means
    until = min(world.until, means.clock.now() + READS_FOR)
    found = Accepted(until=max(since, now - LOOKS_BACK))
    while found.until < now and means.clock.now() < until:
        end = min(found.until + SLICE, now)
        try:
            for group in means.settings.log_groups:
                _note(found, lines_between(means.aws, group, found.until, end))
        except AwsError as error:
            logger().warning("what was accepted could not be read", reason=str(error))
            break
        found.until = end
    return found


def _note(found: Accepted, lines: Iterable[str]) -> None:
    for at, deliveries in read(lines):
        for name in deliveries:
            found.last[name] = max(at, found.last.get(name, at))

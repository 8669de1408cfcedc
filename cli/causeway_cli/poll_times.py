"""When polls run, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causeway.polling.schedules import next_slot
from causeway.settings.clock import SystemClock, rfc3339
from causeway_cli.maps import spell_duration

if TYPE_CHECKING:
    from causeway.plan.compiler import Compiled
    from causeway.plan.records import Poll


@dataclass
class PollTimes:
    """When one poll runs."""

    poll: str  # system/name
    runs: str
    next: str  # RFC 3339
    environments: list[str]


def runs(poll: Poll) -> str:
    """When a poll runs, as its manifest says it: ``every 10m``, ``at 0 6 * * mon-fri (UTC)``."""
    return f"every {spell_duration(poll['every'])}" if "every" in poll else f"at {poll['cron']} (UTC)"


def polls_of(result: Compiled) -> list[PollTimes]:
    """Each poll's times, once for all environments that have the same."""
    found: dict[tuple[str, str], PollTimes] = {}
    now = SystemClock().now()
    for environment, plan in sorted(result.plans.items()):
        for system in plan["systems"].values():
            for poll in system.get("polls", {}).values():
                name = f"{system['name']}/{poll['name']}"
                times = PollTimes(name, runs(poll), rfc3339(next_slot(poll, now)).replace(".000Z", "Z"), [])
                found.setdefault((name, times.runs), times).environments.append(environment)
    return [found[key] for key in sorted(found)]

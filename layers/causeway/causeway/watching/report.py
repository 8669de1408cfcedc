"""What the watchdog knows, as people and programs read it: all that is not well, the worst first.

It is what owners are told, in the same words; when the watchdog last looked, since what it found is as old as
that; and which of the stack's alarms ring, of which the operator is told.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from causeway.aws.errors import AwsError
from causeway.settings.clock import rfc3339
from causeway.watching.finding import LEVELS
from causeway.watching.spans import count, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causeway.plan.plan import Plan
    from causeway.plan.records import JSON
    from causeway.watching.alarms import Alarm, Alarms
    from causeway.watching.standing import Run, Standing, Standings

MOST = 1000
"""So many things are listed; a stack of which more is not well has one trouble."""

LATE = 180.0
"""Seconds without a run after which what the watchdog found is old: two runs in a row are missing."""

WATCHDOG = "watchdog"
ALARM = "alarm"

RUNBOOKS_HERE = "docs/runbooks"
"""Where the pages are, unless a stack says otherwise."""

PAGES = {
    WATCHDOG: "WatchdogSilent",
    "books": "Unaccounted",
    "canary": "CanaryLate",
    "circuit": "CircuitsOpen",
    "dead": "DeliveriesGivenUp",
    "poll": "PollLag",
    "silence": "SilentIntegrations",
    "strays": "NetsNotEmpty",
}
"""The runbook of a check, where the map names none of its own."""


def report(
    standings: Standings, alarms: Alarms, plan: Plan, now: float, *, runbooks: str = RUNBOOKS_HERE
) -> dict[str, JSON]:
    """All that is not well, and when the watchdog last looked.

    Args:
        standings: How things stand.
        alarms: The stack's.
        plan: Whose integrations.
        now: The time.
        runbooks: Where the pages of :data:`PAGES` are: an address, or a folder.

    Raises:
        AwsError: the state cannot be read.
    """
    run = standings.last_run()
    found = list(islice(standings.each(), MOST + 1))
    listed = sorted(found[:MOST], key=lambda each: (-LEVELS.index(each.level), each.since))
    late = run.at is None or now - run.at > LATE
    ringing, failed = _ringing(alarms)
    shown = [*map(_of_alarm, ringing), *(_shown(each, plan, runbooks) for each in listed)]
    return {
        "watched_at": _time(run.at),
        "late": late,
        "left_out": run.left_out,
        "failed": [*run.failed, *failed],
        "findings": [_of_the_watchdog(run, now, runbooks), *shown] if late else shown,
        "more": len(found) > MOST,
    }


def _shown(each: Standing, plan: Plan, runbooks: str) -> dict[str, JSON]:
    owners = [plan.integrations[name]["owner"] for name in each.integrations if name in plan.integrations]
    own_pages = [owner["runbook"] for owner in owners if "runbook" in owner]
    return {
        "check": each.check,
        "subject": each.subject,
        "level": each.level,
        "what": each.what,
        "how_many": _how_many(each),
        "since": rfc3339(each.since),
        "integrations": each.integrations,
        "owners": _distinct([{"team": owner["team"], "email": owner["email"]} for owner in owners]),
        "cause": each.cause,
        "next_step": each.next_step,
        "runbook": own_pages[0] if own_pages else _page(each.check, runbooks),
        "told_at": rfc3339(each.told_at),
        "well_since": _time(each.well_since),
    }


def _ringing(alarms: Alarms) -> tuple[list[Alarm], list[str]]:
    """The alarms that ring; and that nobody knows, where CloudWatch does not answer."""
    try:
        return alarms.ringing(), []
    except AwsError:
        return [], ["alarms"]


def _of_alarm(alarm: Alarm) -> dict[str, JSON]:
    return {
        "check": ALARM,
        "subject": alarm.name,
        "level": "critical",
        "what": alarm.what,
        "how_many": None,
        "since": rfc3339(alarm.since),
        "integrations": [],
        "owners": [],
        "cause": "",
        "next_step": "",
        "runbook": alarm.runbook or None,
        "told_at": rfc3339(alarm.since),
        "well_since": None,
    }


def _of_the_watchdog(run: Run, now: float, runbooks: str) -> dict[str, JSON]:
    """That nobody looks: it says so itself to nobody, so whoever asks is told."""
    level, what, cause = ("warning", "the watchdog has not run yet", "the stack is new; or ")
    if run.at is not None:
        level, what, cause = ("critical", f"the watchdog has not run for {span(now - run.at)}", "")
    return {
        "check": WATCHDOG,
        "subject": WATCHDOG,
        "level": level,
        "what": what,
        "how_many": None,
        "since": _time(run.at),
        "integrations": [],
        "owners": [],
        "cause": f"{cause}its function fails or is throttled, or its schedule is off; nobody is told",
        "next_step": "look in the watchdog function's log; what follows is as old as its last run",
        "runbook": _page(WATCHDOG, runbooks),
        "told_at": None,
        "well_since": None,
    }


def _how_many(each: Standing) -> str | None:
    """A count that nothing else says: how long it is, `since` says, and how many it concerns, their names."""
    if not each.value or each.unit in ("", "s", "integration"):
        return None
    counted = count(each.value, each.unit, at_least=each.at_least)
    return None if counted in each.what else counted


def _page(check: str, runbooks: str) -> str | None:
    return f"{runbooks.rstrip('/')}/{PAGES[check]}.md" if check in PAGES else None


def _distinct(owners: Sequence[dict[str, JSON]]) -> list[dict[str, JSON]]:
    return list({(owner["team"], owner["email"]): owner for owner in owners}.values())


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)

"""Checks of systems: are their circuits open, their polls late, their tokens about to end?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway.bus.announcements import CIRCUIT_OPENED
from causeway.polling.schedules import next_slot
from causeway.settings.clock import rfc3339
from causeway.watching.finding import Finding
from causeway.watching.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causeway.aws.table import Item
    from causeway.plan.records import Poll
    from causeway.watching.finding import Level
    from causeway.watching.world import World

DAY = 86400.0

EXPIRY_WARNED_BEFORE = 3 * DAY
"""Seconds before its end in which one is warned of a refresh token, or a quarter of what it lasts."""

CERTIFICATE_WARNED_BEFORE = 14 * DAY
"""Seconds before its end in which one is warned of a certificate."""

NEW_POLLS = "watch#polls"
"""The hash key of when the watchdog first saw a poll that has never run; the range key is its name."""

UNREAD = DAY
"""Seconds after which a certificate is told of that the scheduler, which looks each hour, could not read."""

IDLE = 2 * DAY
"""Seconds after which a refresh token that is used once a day has not been."""


def circuits(world: World, now: float) -> Iterator[Finding]:  # noqa: ARG001 - it is, or is not
    """A system failed so often that it is left alone."""
    for health in world.healths.values():
        if health.opened_at is None or health.system not in world.plan.systems:
            continue
        calling = world.calling(health.system)
        yield Finding(
            check="circuit",
            subject=health.system,
            level="critical",
            what=f"{health.system} fails: its circuit is open",
            cause="the system is down, or refuses most of what it is sent",
            next_step=(
                f"see {health.system}'s status page; deliveries wait, are tried one at a time, "
                "and go on by themselves when it answers again"
            ),
            since=health.opened_at,
            value=len(calling),
            unit="integration",
            integrations=calling,
            event=CIRCUIT_OPENED,
            detail={"system": health.system},
        )


def polls(world: World, now: float) -> Iterator[Finding]:
    """A poll's turn came longer ago than its deliveries may take, and it has not been read to its end."""
    expected = _expected(world, now)
    for poll in world.taken_polls():
        known = world.polls.get((poll["system"], poll["name"])) or expected[_name(poll)]
        read_until: float = known["read_until"]
        takers = world.takers(poll)
        within = min(world.plan.integrations[name]["frequency"]["deliver_within"] for name in takers)
        # A slot that is being read is not covered: its run may take as long.
        slot: float = known["slot"]
        due = slot if known.get("unfinished") else next_slot(poll, slot)
        if now - due <= within:
            continue
        yield Finding(
            check="poll",
            subject=_name(poll),
            level="critical" if now - due > 4 * within else "warning",
            what="the poll is late: it has not been read to its end",
            cause="the system does not answer the poll, its answers cannot be read, or there is much to read",
            next_step=(
                f"see why in the poller's log, then `causeway poll {poll['system']} {poll['name']}`; "
                "the next run that succeeds makes up for all of it"
            ),
            since=due,
            value=now - read_until,
            unit="s",
            integrations=takers,
        )


def _expected(world: World, now: float) -> dict[str, Item]:
    """Of polls that never ran, as if they had when the watchdog first saw them."""
    new = [_name(poll) for poll in world.taken_polls() if (poll["system"], poll["name"]) not in world.polls]
    if not new:
        return {}
    state = world.means.state
    seen = {item["part"]: item["since"] for item in state.parts(NEW_POLLS)}
    for name in new:
        if name not in seen:
            state.put({"id": NEW_POLLS, "part": name, "since": now})
            seen[name] = now
    return {name: {"slot": seen[name], "read_until": seen[name]} for name in new}


def _name(poll: Poll) -> str:
    return f"{poll['system']}/{poll['name']}"


def tokens(world: World, now: float) -> Iterator[Finding]:
    """A system's token is refused, has not been renewed, or is about to end."""
    for key, item in world.grants.items():
        found = _of_grant(key.system, item, now)
        if found is None:
            continue
        level, since, what, cause = found
        yield Finding(
            check="token",
            subject=key.system,
            level=level,
            what=what,
            cause=cause,
            next_step=f"`causeway authorize {key.system}`: consent once more; deliveries wait meanwhile",
            since=since,
            integrations=world.depending_on(key.system),
        )


def certificates(world: World, now: float) -> Iterator[Finding]:
    """The certificate that calls of a system show is about to end, or nobody knows when it does."""
    for system, item in world.certificates.items():
        found = _of_certificate(system, item, now)
        if found is None:
            continue
        level, since, what, cause = found
        yield Finding(
            check="certificate",
            subject=system,
            level=level,
            what=what,
            cause=cause,
            next_step=(
                f"have a new one issued, then `causeway secrets put` it and its key, as {system}'s "
                "`mtls` names them"
            ),
            since=since,
            integrations=world.depending_on(system),
        )


def _of_certificate(system: str, item: Item, now: float) -> tuple[Level, float, str, str] | None:
    """What is wrong with a certificate: level, since when, what, and why."""
    ends, noted = item["ends_at"], item["noted_at"]
    if ends - now <= CERTIFICATE_WARNED_BEFORE:
        level: Level = "critical" if ends - now <= DAY else "warning"
        what = f"the certificate that we show {system} ends at {rfc3339(ends)}"
        return level, ends - CERTIFICATE_WARNED_BEFORE, what, "nobody has put a new one"
    if now - noted > UNREAD:
        what = f"the certificate that we show {system} cannot be read"
        return (
            "warning",
            noted,
            what,
            "the secret is gone, or no certificate; the scheduler's log says",
        )
    return None


def _of_grant(system: str, item: Item, now: float) -> tuple[Level, float, str, str] | None:
    """What is wrong with a grant: level, since when, what, and why."""
    if item.get("refused_at"):
        what = f"{system} does not take our refresh token any more"
        return "critical", item["refused_at"], what, "consent was withdrawn, or the token has expired"
    if "good_until" not in item:
        return None
    ends, granted = item["good_until"], item["granted_at"]
    if granted < now - IDLE and ends < now:
        what = f"{system}'s token has not been renewed for {span(now - granted)}"
        return "warning", granted + IDLE, what, "the authorization server cannot be reached, or refuses"
    return _of_refresh_token(system, item, now)


def _of_refresh_token(system: str, item: Item, now: float) -> tuple[Level, float, str, str] | None:
    """That it ends soon; of one that its server prolongs whenever it is used, that nobody uses it."""
    ends = item.get("refresh_until")
    if ends is None:
        return None
    warned_at = ends - min(EXPIRY_WARNED_BEFORE, item["refresh_lasts"] / 4)
    if now < warned_at:
        return None
    level: Level = "critical" if ends <= now else "warning"
    what = f"our consent to call {system} ends at {rfc3339(ends)}"
    return level, warned_at, what, "its refresh token ends then, and using it has not prolonged it"

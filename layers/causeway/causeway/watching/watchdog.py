"""One run of the watchdog: every check of everything, as far as there is time; what has changed is told.

A check of all integrations that does not get to its end goes on in the next run with those that were left
out, before all others. Which those are is in one item of the state, and is said in the log and a metric.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from causeway.watching.facts import Facts
from causeway.watching.finding import Check
from causeway.watching.standing import RUN, Standings, step
from causeway.watching.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aws_lambda_powertools.logging import Logger

    from causeway.plan.records import JSON
    from causeway.watching.finding import AnyCheck, Finding
    from causeway.watching.standing import Change, Standing
    from causeway.watching.world import Means

STACK = "*"
"""In the place of an integration's name: a check of the whole stack."""

TELLING = 10.0
"""Seconds at the end of a run in which nothing more is looked at: they are for telling."""

_AT_ONCE = 16


class NotToldError(Exception):
    """Changes could not be told; they are in the next run."""


class Telling(Protocol):
    """Whoever tells people and programs of changes."""

    def tell(self, changes: Sequence[Change], *, until: float) -> Iterable[Change]:
        """Tell them, as far as there is time; yield each that has been told, as soon as it is."""


@dataclass
class Progress:
    """How far a check is: its last slot, and whom it has not looked at in it."""

    slot: float = -1
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """What a check found in one place; None: it could not tell."""

    check: AnyCheck
    place: str
    findings: list[Finding] | None


class Watchdog:
    """Runs checks. One object serves an instance of the function.

    Args:
        means: What the stack is read with.
        checks: Which.
        telling: Whoever tells of changes.
        remind: Seconds after which what still is not well is told again.
        logger: Hears of checks that failed.
    """

    def __init__(
        self, means: Means, checks: Sequence[AnyCheck], telling: Telling, *, remind: float, logger: Logger
    ) -> None:
        self._means = means
        self._checks = {check.name: check for check in checks}
        self._telling = telling
        self._remind = remind
        self._logger = logger
        self._standings = Standings(means.state)

    def run(self, *, until: float) -> dict[str, int]:
        """Check everything, as far as there is time.

        Args:
            until: Nothing is begun after this time.

        Returns:
            How much was looked at, was left out, has failed, was told, and was not.

        Raises:
            AwsError: how things stood could not be read, or how they stand not be written.
            NotToldError: not all that has changed could be told.
        """
        now = self._means.clock.now()
        before = self._means.state.get(*RUN) or {}
        progress = {name: self._due(check, before.get(name), now) for name, check in self._checks.items()}
        looks = self._look(progress, until - TELLING)
        seen = {(look.check.name, look.place) for look in looks}
        for name, each in progress.items():
            each.left = [place for place in each.left if (name, place) not in seen]
        told, untold = self._tell([look for look in looks if look.findings is not None], now, until)
        values = {name: {"slot": each.slot, "left": each.left} for name, each in progress.items()}
        failed = sorted({look.check.name for look in looks if look.findings is None})
        said = {"at": now, "failed": failed}
        self._means.state.put(dict(zip(("id", "part"), RUN, strict=True)) | values | said)
        counts = self._count(looks, sum(len(each.left) for each in progress.values()), told, untold)
        if untold:
            raise NotToldError(f"{untold} changes could not be told; the next run tells them")
        return counts

    def _count(self, looks: Sequence[Look], left: int, told: int, untold: int) -> dict[str, int]:
        failed = sum(look.findings is None for look in looks)
        counts = {"looked": len(looks) - failed, "left_out": left, "failed": failed}
        counts |= {"told": told, "untold": untold}
        self._means.metrics.add("WatchdogRuns")
        self._means.metrics.add("WatchdogLeftOut", left + failed)
        say = self._logger.warning if left or failed or untold else self._logger.info
        say("watched", counts=counts)
        return counts

    def _due(self, check: AnyCheck, before: JSON, now: float) -> Progress:
        """Whom a check is to look at, those first that were left out the last time."""
        slot = math.floor((now - check.offset) / check.every) if check.every else now
        known = Progress(**before) if before else Progress()
        places = list(self._means.plan.integrations) if isinstance(check, Check) else [STACK]
        left = [place for place in known.left if place in places]
        if slot != known.slot:
            first = set(left)
            left += [place for place in places if place not in first]
        return Progress(slot, left)

    def _look(self, progress: dict[str, Progress], until: float) -> list[Look]:
        """All that is due: the stack first, then the integrations, side by side."""
        world = World(self._means)
        due: dict[str, list[AnyCheck]] = {STACK: []}
        for name, each in progress.items():
            for place in each.left:
                due.setdefault(place, []).append(self._checks[name])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            looks = pool.map(lambda place: self._look_at(world, place, due[place], until), due)
            return [look for each in looks for look in each]

    def _look_at(self, world: World, place: str, checks: list[AnyCheck], until: float) -> list[Look]:
        scene: Any = world if place == STACK else Facts(world, world.plan.integrations[place])
        looks: list[Look] = []
        for check in checks:
            now = self._means.clock.now()
            if now >= until:
                break
            try:
                looks.append(Look(check, place, list(check.look(scene, now))))
            except Exception:  # one check that fails keeps no other from being made
                self._logger.exception("a check failed", check=check.name, place=place)
                looks.append(Look(check, place, None))
        return looks

    def _tell(self, looks: Sequence[Look], now: float, until: float) -> tuple[int, int]:
        """Tell what has changed; then write down how things stand. How much was told, and was not."""
        before = self._standings.all()
        changes: dict[str, Change] = {}
        after: dict[str, Standing | None] = {
            key: None for key, known in before.items() if self._is_gone(known)
        }
        for look in looks:
            found = {finding.key: finding for finding in look.findings or ()}
            for key in {*found, *_known_to(look, before)}:
                after[key], change = step(
                    before.get(key), found.get(key), now, settles=look.check.settles, remind=self._remind
                )
                if change:
                    changes[key] = change
        for key, standing in after.items():
            if key not in changes and standing != before.get(key):
                self._standings.write(key, standing)
        told = 0
        for change in self._telling.tell(list(changes.values()), until=until):
            self._standings.write(change.standing.key, after[change.standing.key])
            told += 1
        return told, len(changes) - told

    def _is_gone(self, known: Standing) -> bool:
        """Whether nobody looks at it any more: its check or its integration is not there."""
        check = self._checks.get(known.check)
        return check is None or (
            isinstance(check, Check) and known.subject not in self._means.plan.integrations
        )


def _known_to(look: Look, before: Mapping[str, Standing]) -> Iterator[str]:
    """What stands of this check in this place."""
    for key, known in before.items():
        if known.check == look.check.name and look.place in (STACK, known.subject):
            yield key

"""One run of the watchdog: every check of everything, as far as there is time; what has changed is told.

A check of all integrations that does not get to its end goes on in the next run with those that were left
out, before all others. Which those are is in one item of the state, and is said in the log and a metric.
No check can keep a run from telling what others have found: what is not done when it is time to tell is left.
"""

from __future__ import annotations

import math
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from causeway.aws.errors import AwsError
from causeway.aws.table import ConditionFailed
from causeway.watching.facts import Facts
from causeway.watching.finding import CannotTellError, Check
from causeway.watching.flapping import Flapping
from causeway.watching.mapped import is_mapped
from causeway.watching.standing import RUN, Change, Standings, step
from causeway.watching.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aws_lambda_powertools.logging import Logger

    from causeway.aws.table import Item
    from causeway.plan.records import JSON
    from causeway.watching.finding import AnyCheck, Finding
    from causeway.watching.standing import Standing
    from causeway.watching.world import Means

STACK = "*"
"""In the place of an integration's name: a check of the whole stack."""

TELLING = 10.0
"""Seconds at the end of a run in which nothing more is looked at: they are for telling."""

_AT_ONCE = 16
_SAID = 10  # so many places one line names of those that a check failed in


class NotToldError(Exception):
    """Changes could not be told; they are in the next run."""


class NotRememberedError(Exception):
    """What was told could not be written down, or how things stand."""


class Telling(Protocol):
    """Whoever tells people and programs of changes."""

    def tell(self, changes: Sequence[Change], *, until: float) -> Iterable[Change]:
        """Tell them, as far as there is time; yield each that has been told, as soon as it is."""

    def remembered(self, change: Change) -> None:
        """It is written down that this one has been told."""


@dataclass
class Progress:
    """How far a check is: its last slot, and whom it has not looked at in it."""

    slot: float = -1
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """What a check found in one place; None: it could not tell, and if it failed, why."""

    check: AnyCheck
    place: str
    findings: list[Finding] | None
    error: Exception | None = None


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
        self._flapping = Flapping(means.state)

    def run(self, *, until: float) -> dict[str, int]:
        """Check everything, as far as there is time.

        Args:
            until: Nothing is begun after this time.

        Returns:
            How much was looked at, was left out, has failed, was told, and was not; nothing when another run
            is at work.

        Raises:
            AwsError: how things stood could not be read, or how far the run came not be written.
            NotRememberedError: how things stand could not be written.
            NotToldError: not all that has changed could be told.
        """
        now = self._means.clock.now()
        before = self._begin(now, until)
        if before is None:
            self._logger.warning("another run is at work")
            return {}
        progress = {name: self._due(check, before.get(name), now) for name, check in self._checks.items()}
        looks = self._look(progress, until - TELLING)
        seen = {(look.check.name, look.place) for look in looks}
        for name, each in progress.items():
            each.left = [place for place in each.left if (name, place) not in seen]
        told, untold = self._tell([look for look in looks if look.findings is not None], now, until)
        values = {name: {"slot": each.slot, "left": each.left} for name, each in progress.items()}
        failed = sorted({look.check.name for look in looks if look.error is not None})
        said = {"at": now, "failed": failed}
        self._means.state.put(dict(zip(("id", "part"), RUN, strict=True)) | values | said)
        counts = self._count(looks, sum(len(each.left) for each in progress.values()), told, untold)
        if untold:
            raise NotToldError(f"{untold} changes could not be told; the next run tells them")
        return counts

    def _begin(self, now: float, until: float) -> Item | None:
        """How far the last run came; None when another is at work: schedules may come twice."""
        claim = uuid.uuid4().hex
        try:
            before = self._means.state.update(
                *RUN,
                values={"lease": until, "claim": claim},
                condition="attribute_not_exists(#lease) OR #lease <= :now",
                given={"now": now},
            )
        except ConditionFailed as failed:
            # Our own write, whose answer was lost?
            if (failed.item or {}).get("claim") != claim:
                return None
            before = failed.item
        except AwsError as error:  # better told twice than not at all
            self._logger.warning("what is told may be told twice", reason=str(error))
            before = self._means.state.get(*RUN)
        return before or {}

    def _count(self, looks: Sequence[Look], left: int, told: int, untold: int) -> dict[str, int]:
        failed = sum(look.error is not None for look in looks)
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
        """All that is due, side by side: each check of the stack, then the integrations."""
        world = World(self._means, until)
        alone: list[tuple[str, list[AnyCheck]]] = []
        due: dict[str, list[AnyCheck]] = {}
        for name, each in progress.items():
            for place in each.left:
                if place == STACK:
                    alone.append((place, [self._checks[name]]))
                else:
                    due.setdefault(place, []).append(self._checks[name])
        pool = ThreadPoolExecutor(_AT_ONCE)
        begun = [pool.submit(self._look_at, world, *each, until) for each in [*alone, *due.items()]]
        ended, _ = wait(begun, timeout=max(0.0, until - self._means.clock.now()))
        pool.shutdown(wait=False, cancel_futures=True)  # one that hangs comes to its end, or never does
        looks = [look for each in begun if each in ended for look in each.result()]
        self._say_failures(looks)
        return looks

    def _look_at(self, world: World, place: str, checks: list[AnyCheck], until: float) -> list[Look]:
        scene: Any = world if place == STACK else Facts(world, world.plan.integrations[place])
        looks: list[Look] = []
        for check in checks:
            now = self._means.clock.now()
            if now >= until:
                break
            try:
                looks.append(Look(check, place, list(check.look(scene, now))))
            except CannotTellError:
                looks.append(Look(check, place, None))
            except Exception as error:  # noqa: BLE001 - one check that fails keeps no other from being made
                looks.append(Look(check, place, None, error))
        return looks

    def _say_failures(self, looks: Sequence[Look]) -> None:
        """A line for each check and reason: a table that is throttled fails hundreds of looks."""
        alike: dict[tuple[str, str], list[Look]] = {}
        for look in looks:
            if look.error is not None:
                alike.setdefault((look.check.name, repr(look.error)), []).append(look)
        for (check, _), failed in alike.items():
            places = [look.place for look in failed[:_SAID]]
            self._logger.error(
                "a check failed", check=check, places=places, times=len(failed), exc_info=failed[0].error
            )

    def _tell(self, looks: Sequence[Look], now: float, until: float) -> tuple[int, int]:
        """Tell what has changed; then write down how things stand. How much was told, and was not."""
        before = self._standings.all()
        after, changes = self._steps(looks, before, now)
        told, failed = 0, 0
        for change in self._telling.tell(changes, until=until):
            told += 1
            key = change.standing.key
            if self._write(key, after.pop(key), change, now):
                self._telling.remembered(change)
            else:
                failed += 1
        untold = {change.standing.key for change in changes}
        for key, standing in after.items():
            if key not in untold and standing != before.get(key):
                failed += not self._write(key, standing)
        if failed:
            raise NotRememberedError(f"{failed} of what stands could not be written down")
        return told, len(changes) - told

    def _steps(
        self, looks: Sequence[Look], before: Mapping[str, Standing], now: float
    ) -> tuple[dict[str, Standing | None], list[Change]]:
        """What stands from now on, by key, and what of it is to be told."""
        gone = {key: known for key, known in before.items() if self._is_gone(known)}
        after: dict[str, Standing | None] = dict.fromkeys(gone)
        changes = [Change("ended", known, None) for known in gone.values()]
        settles = self._flapping.settles(now)
        for look in looks:
            found = {finding.key: finding for finding in look.findings or ()}
            for key in dict.fromkeys([*found, *_known_to(look, before)]):
                if key in gone:
                    continue
                after[key], change = step(
                    before.get(key),
                    found.get(key),
                    now,
                    settles=settles(key, look.check.settles),
                    remind=self._remind,
                )
                if change:
                    changes.append(change)
        return after, changes

    def _write(
        self, key: str, standing: Standing | None, change: Change | None = None, now: float = 0.0
    ) -> bool:
        """Write down what stands from now on; whether it could be."""
        try:
            if change and change.kind == "recovered":
                self._flapping.recovered(key, now)
            self._standings.write(key, standing)
        except AwsError as error:
            self._logger.error("not written down", about=key, reason=str(error))  # noqa: TRY400
            return False
        return True

    def _is_gone(self, known: Standing) -> bool:
        """Whether nobody looks at it any more: its check is not there, or what it is about not in the map."""
        check = self._checks.get(known.check)
        return check is None or not is_mapped(self._means.plan, check.of, known.subject)


def _known_to(look: Look, before: Mapping[str, Standing]) -> Iterator[str]:
    """What stands of this check in this place."""
    for key, known in before.items():
        if known.check == look.check.name and look.place in (STACK, known.subject):
            yield key

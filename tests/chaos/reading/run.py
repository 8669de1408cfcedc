"""One reading: rows are committed, four polls read them in so many runs, and it is judged what has arrived."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causeway.aws.errors import AwsError
from tests.chaos.reading.judging import Evidence, judge
from tests.chaos.reading.lists import PAGINATE
from tests.chaos.reading.shop import ARRIVING
from tests.chaos.reading.world import SHARES, SHOP
from tests.support.local_cloud import CAUSEWAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.chaos.reading.judging import Finding
    from tests.chaos.reading.shop import Shop
    from tests.chaos.reading.world import World
    from tests.support.local_cloud import LocalCloud

SLOT = 60.0
"""Seconds between two runs of a poll."""

_WAVES, _WAVE = 5, 3.0  # rows are committed in so many waves before a slot, one so long after the other
_CHANGED = 0.05  # of the rows of a run change while they are read
_UNDER_WAY = 0.2  # of them may still be under way when the next are committed
_LOOK_EVERY = 1.0
_BY_HAND = 120  # seconds for which a command waits for its run
_STUCK_AFTER = 150.0  # seconds in which nothing has arrived: longer than a killed process is missed


@dataclass
class Result:
    """What came of a reading."""

    evidence: Evidence
    findings: list[Finding]
    seconds: float
    finished: bool  # all had arrived before the time was up
    by_hand: Counter[str]  # what `causeway poll` said beside the schedule
    changed: int


class Reading:
    """A reading under way.

    Args:
        cloud: A local cloud with the map.
        shop: Its API and its target.
        world: The same cloud, as a dangerous place.
        until: When the time is up: epoch seconds.
        tell: Hears how it goes.
    """

    def __init__(
        self, cloud: LocalCloud, shop: Shop, world: World, *, until: float, tell: Callable[[str], None]
    ) -> None:
        self._cloud, self._shop, self._world = cloud, shop, world
        self._until, self._tell = until, tell
        self._commands: list[subprocess.Popen[str]] = []

    def carry_out(self, records: int, runs: int) -> Result:
        """Let so many records be read in so many runs, and judge."""
        began = time.time()
        with self._world:
            rows = {name: int(records * share / runs) for name, share in SHARES.items()}
            finished = all(self._run(run, rows) for run in range(runs))
            self._shop.most_changes.clear()
            finished = finished and self._wait(self._is_quiet, "the end")
        # Of what is still under way a last reading would tell nothing.
        evidence = self._evidence(list(PAGINATE) if finished else [])
        return Result(
            evidence,
            judge(evidence),
            time.time() - began,
            finished,
            Counter(_progress(each)["state"] for each in self._commands),
            sum(self._shop.changed.values()),
        )

    def _run(self, run: int, rows: Mapping[str, int]) -> bool:
        """The rows of one run: committed until its slot, read from then on, twice at once; whether in time."""
        slot = _next_slot(time.time() + _WAVES * _WAVE)
        _sleep_until(slot - _WAVES * _WAVE)
        for wave in range(_WAVES):
            for name, count in rows.items():
                parts = (run * count + count * part // _WAVES for part in (wave, wave + 1))
                self._shop.commit(name, *parts)
            _sleep_until(slot - (_WAVES - 1 - wave) * _WAVE)
        self._shop.most_changes.update({name: int(count * _CHANGED) for name, count in rows.items()})
        for name in list(PAGINATE)[run % 2 :: 2]:
            self._commands.append(self._poll(name))
        under_way = int(_UNDER_WAY * sum(rows.values()))
        return self._wait(lambda: self._world.is_covered(slot), f"run {run + 1}") and self._wait(
            lambda: self._shop.waiting() <= under_way, f"run {run + 1} has been read"
        )

    def _poll(self, name: str) -> subprocess.Popen[str]:
        """The command, beside the schedule."""
        return subprocess.Popen(
            [CAUSEWAY, "poll", SHOP, name, "--json", "--wait", str(_BY_HAND)],
            env=self._cloud.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _is_quiet(self) -> bool:
        """Whether all is there; what was given up, as its processes were killed once too often, is replayed."""
        if not self._shop.is_whole() or self._world.on_queue():
            return False
        if self._shop.waiting():
            self._world.replay_the_dead(sorted(PAGINATE))
        return not self._shop.waiting()

    def _wait(self, is_over: Callable[[], bool], what: str) -> bool:
        """Whether it came to that before the time was up, or nothing arrived any more."""
        seen, moved_at = 0, time.time()
        while time.time() < self._until:
            with suppress(AwsError):  # the emulator is busy
                if is_over():
                    return True
            count = len(self._shop.exchanges)
            if count != seen:
                seen, moved_at = count, time.time()
            if time.time() > moved_at + _STUCK_AFTER:
                return False
            self._tell(f"{what}: {self._shop.waiting()} under way, {count} calls")
            time.sleep(_LOOK_EVERY)
        return False

    def _evidence(self, read_again: Sequence[str]) -> Evidence:
        shop = self._shop
        again = {name: _progress(self._poll(name)) for name in read_again}
        left = self._world.on_queue()
        versions = {
            (name, *version): known
            for name, each in shop.lists.items()
            for version, known in each.versions.items()
        }
        exchanges = [each for each in shop.exchanges if each.place in ARRIVING]
        self._tell("the journal is read")
        return Evidence(versions, exchanges, self._world.items(), shop.asked, self._world.killed, left, again)


def _progress(command: subprocess.Popen[str]) -> dict[str, Any]:
    """What a command said when it was done; what went wrong with it counts as a state of its own."""
    out, errors = command.communicate(timeout=_BY_HAND + 60)
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        found = {"state": f"exit {command.returncode}: {errors[-200:]}", "queued": None}
    return found


def _next_slot(after: float) -> float:
    return (after // SLOT + 1) * SLOT


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))

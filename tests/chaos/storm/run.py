"""One storm: events are sent, everything fails, and when it is quiet again it is judged what came of it."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import standardwebhooks
import urllib3

from causeway.events.identity import delivery_id
from tests.chaos.storm.judging import PLACES, SYSTEM, judge
from tests.chaos.storm.world import SECRET, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.chaos.storm.judging import Evidence, Finding
    from tests.chaos.storm.target import Storm
    from tests.support.local_cloud import LocalCloud

CUSTOMERS = 8
"""So many order keys, each of which sends one event after the other."""

_REPEATED = 0.05  # of the events are sent twice, as providers do
_LOOK_EVERY = 1.0
_QUIET_FOR = 3  # looks


@dataclass
class Result:
    """What came of a storm."""

    evidence: Evidence
    findings: list[Finding]
    kills: Counter[str]
    seconds: float
    finished: bool  # it was quiet before the time was up
    lost: int = 0
    repeats: int = 0
    posts: int = 0
    notes: list[str] = field(default_factory=list)


def names(count: int, prefix: str = "evt") -> list[str]:
    """The ids of so many events."""
    return [f"{prefix}_{number:05d}" for number in range(count)]


def go_through(
    cloud: LocalCloud,
    storm: Storm,
    events: Sequence[str],
    *,
    seed: int,
    seconds: float,
    lose: int = 0,
    kill: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Send the events, wait until it is quiet, and judge.

    Args:
        cloud: A local cloud with the storm's map.
        storm: Its targets.
        events: Their ids.
        seed: Decides what goes wrong where.
        seconds: At most so many.
        lose: Take so many messages off the queue, as a build does that forgets deliveries.
        kill: Kill processes of functions meanwhile.
        tell: Hears how it goes.
    """
    began = time.time()
    world = World(cloud, storm, seed, kill=kill)
    sender = _Sender(cloud, seed)
    world.deliver(enabled=not lose)
    with world:
        accepted = sender.send(events)
        lost = world.lose(lose) if lose else 0
        world.deliver(enabled=True)
        finished = _until_quiet(world, accepted, until=began + seconds, tell=tell)
    evidence = world.evidence(accepted, list(storm.exchanges), began)
    return Result(
        evidence,
        judge(evidence),
        world.kills,
        time.time() - began,
        finished,
        lost,
        sender.repeats,
        sender.posts,
    )


class _Sender:
    """The provider: it sends an event until it is answered 200, and those of a customer one after the other."""

    def __init__(self, cloud: LocalCloud, seed: int) -> None:
        self._cloud = cloud
        self._seed = seed
        self.posts = 0
        self.repeats = 0

    def send(self, events: Sequence[str]) -> dict[str, str]:
        """The customer of each event, those of one in the order in which they were accepted."""
        customers = [events[start::CUSTOMERS] for start in range(CUSTOMERS)]
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            list(pool.map(self._send_all, range(CUSTOMERS), customers))
        return {event: f"c{number}" for number, own in enumerate(customers) for event in own}

    def _send_all(self, customer: int, events: Sequence[str]) -> None:
        for event in events:
            self._send(event, f"c{customer}")
            if random.Random(f"{self._seed}/repeat/{event}").random() < _REPEATED:
                self.repeats += 1
                self._send(event, f"c{customer}")

    def _send(self, event: str, customer: str) -> None:
        while True:
            self.posts += 1
            now = datetime.now(UTC)
            body = json.dumps({"type": "storm.event", "customer": customer, "event": event})
            headers = {
                "Content-Type": "application/json",
                "webhook-id": event,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": standardwebhooks.Webhook(SECRET).sign(event, now, body),
            }
            try:
                if self._cloud.post(SYSTEM, body.encode(), headers).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass  # no answer, like any other than 200: it is sent again
            time.sleep(0.3)


def _until_quiet(
    world: World, events: Mapping[str, str], *, until: float, tell: Callable[[str], None]
) -> bool:
    """Whether everything was settled in time, or nothing moved any more; what was given up is replayed."""
    wanted = {delivery_id(SYSTEM, event, integration) for event in events for integration in PLACES}
    quiet = 0
    while time.time() < until:
        time.sleep(_LOOK_EVERY)
        items = world.items()
        statuses = Counter(items[id_]["status"] if id_ in items else "unknown" for id_ in wanted)
        on_queue = world.on_queue()
        tell(f"{dict(statuses)}, {on_queue} on the queues")
        if set(statuses) == {"delivered"} and not on_queue:
            return True
        silent = set(statuses) <= {"delivered", "dead", "unknown"} and not on_queue
        if statuses["dead"] and (silent or set(statuses) == {"delivered", "dead"}):
            world.replay_the_dead(sorted(PLACES))
        quiet = quiet + 1 if silent and not statuses["dead"] else 0
        if quiet == _QUIET_FOR:
            return True  # nothing will bring what is unknown
    return False

"""How long a healthy target's deliveries take beside a dead, a slow, a throttled one, and beside all three.

    .venv/bin/python benchmarks/isolation.py [--rate N] [--seconds N] [--instances N]

Processor and scheduler are the real code, in simulated time (``tests/support/simulation.py``): code takes
none, so what is seen is waiting. Each integration has its own target and the same number of events per
second. The healthy target answers in 50 ms; the dead one refuses connections; the slow one answers after
its timeout of 10 s; the throttled one takes 2 calls a second and answers 429 with ``Retry-After: 5`` to all
others. Instances take batches of up to 10 from a queue that is fair as SQS's is: of groups with few messages
in flight first. The last row is without what isolates: the queue first come, first served, no circuit
breakers, and instances that wait while they wait.
"""

import argparse
import io
import itertools
import random
import statistics
import time
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from causeway.delivery import meanwhile, processor
from causeway.events.envelope import make_event
from causeway.events.identity import delivery_id
from causeway.plan.plan import Plan
from causeway.queueing.queue import Queue
from causeway.settings.clock import rfc3339
from tests.support.deliveries import QUEUE, Context, Stage, call_of, plan_of
from tests.support.simulation import SimulatedClock

RULE = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}
BAD = ("dead", "slow", "throttled")
ONSET = 12.0
"""Seconds: until circuits are open and systems held."""

AFTER = 5.0
"""Seconds for which instances work on when no more events come."""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=20, help="events per second of each integration")
    parser.add_argument("--seconds", type=int, default=20, help="for which they arrive")
    parser.add_argument("--instances", type=int, default=20, help="of the processor")
    arguments = parser.parse_args()
    rows: list[tuple[str, tuple[str, ...], bool]] = [
        ("healthy alone", (), True),
        *((f"beside a {name} one", (name,), True) for name in BAD),
        ("beside all three", BAD, True),
        ("beside all three, not isolated", BAD, False),
    ]
    print(f"{arguments.rate} events/s of each, {arguments.seconds} s, {arguments.instances} instances")
    print(f"{'accepted to called, ms':32}{f'first {ONSET:g} s':>27}{'afterwards':>27}{'other calls':>13}")
    print(" " * 32 + f"{'median':>9}{'p95':>9}{'p99':>9}" * 2)
    begun = time.monotonic()
    for name, others, isolated in rows:
        world = World(("healthy", *others), isolated=isolated)
        with redirect_stdout(io.StringIO()):
            took, calls = world.run(arguments.rate, arguments.seconds, arguments.instances)
        figures = "".join(
            quantiles([each for at, each in took if (at >= ONSET) == late]) for late in (False, True)
        )
        print(f"{name:32}{figures}{calls:>13}", flush=True)
    print(f"measured in {time.monotonic() - begun:.0f} s")


def quantiles(took: list[float]) -> str:
    """Median, p95 and p99 in milliseconds."""
    cuts = statistics.quantiles(took, n=100)
    return "".join(f"{cuts[place] * 1000:9.0f}" for place in (49, 94, 98))


class World:
    """A queue, a processor and targets, in simulated time."""

    def __init__(self, names: tuple[str, ...], *, isolated: bool) -> None:
        self.names = names
        self.isolated = isolated
        self.stage = Stage(plan_of())
        self.clock = SimulatedClock(self.stage.clock.now())
        self.stage.clock = self.stage.memory.clock = self.stage.target.clock = self.clock
        self.stage.target.seconds = 0.05
        self.plan = self._plan()
        self.accepted: dict[str, float] = {}
        self.clock.stand_in(processor, meanwhile)
        self.stage.deploy(self.plan)
        for name in names:
            self.stage.target.on(f"/{name}", getattr(self, f"_{name}"))
        self._taken: list[float] = []
        if isolated:
            self._make_fair()

    def run(self, rate: int, seconds: int, instances: int) -> tuple[list[tuple[float, float]], int]:
        """Of the healthy one's events when they came and how long they took, and the calls of all others."""
        began = self.clock.now()
        ends = began + seconds
        feeders = [self._feeder(name, rate, ends) for name in self.names]
        workers = [self._instance(number, ends + AFTER) for number in range(instances)]
        self.clock.run(*feeders, *workers, self._scheduler(ends))
        healthy = self.stage.target.at("/healthy")
        first = {each.headers["causeway-event-id"]: each.at for each in reversed(healthy)}
        # One that was never called waited at least until the end.
        took = [
            (at - began, first.get(event, ends + AFTER) - at)
            for event, at in self.accepted.items()
            if event.startswith("healthy")
        ]
        return took, len(self.stage.target.asked) - len(healthy)

    def _plan(self) -> Plan:
        base = plan_of()
        integration, api = base.integrations["orders-to-ledger"], base.systems["ledger"]["api"]
        limits: dict[str, Any] = {"circuit_breaker": RULE} if self.isolated else {}
        systems: dict[str, Any] = {"shop": base.systems["shop"]}
        for name in self.names:
            systems[name] = {"name": name, "description": "", "redact": [], "api": {**api, **limits}}
        integrations = {
            name: {**integration, "name": name, "target": {"call": call_of(f"/{name}", system=name)}}
            for name in self.names
        }
        return Plan(
            {"format": 1, "environment": "dev", "systems": systems, "integrations": integrations}  # type: ignore[typeddict-item]
        )

    def _feeder(self, name: str, rate: int, ends: float) -> Any:
        queue = Queue(self.stage.memory, url=QUEUE, bucket="payloads", clock=self.clock)

        def feed() -> None:
            for number in itertools.count():
                now = self.clock.now()
                if now >= ends:
                    return
                event_id = f"{name}-{number}"
                self.accepted[event_id] = now
                message: Any = {
                    "format": 1,
                    "delivery": delivery_id("shop", event_id, name),
                    "integration": name,
                    "system": "shop",
                    "ticket": "0000.000001",
                    "acceptance": event_id,
                    "accepted_at": now,
                    "event": make_event(
                        id=event_id, type="orders/paid", source="shop", time=rfc3339(now), data={"total": 5}
                    ),
                }
                with self.stage.memory._lock:  # noqa: SLF001
                    queue.send([message])
                self.clock.sleep(1 / rate)

        return feed

    def _instance(self, seed: int, ends: float) -> Any:
        stage = Stage.__new__(Stage)
        stage.__dict__ |= self.stage.__dict__
        stage.deploy(self.plan)
        jitter = random.Random(seed).random
        limits = stage.tools.limits._replace(jitter=jitter)
        stage.tools = replace(stage.tools, jitter=jitter, limits=limits)
        module = meanwhile if self.isolated else processor

        def work() -> None:
            self.clock.sleep(jitter() * 0.05)
            for number in itertools.count():
                if self.clock.now() >= ends:
                    return
                with stage.memory._lock:  # noqa: SLF001
                    records = stage.memory.receive(QUEUE)
                if not records:
                    self.clock.sleep(0.05)
                    continue
                context = Context(self.clock, f"{id(stage)}-{number}")
                response = module.process({"Records": records}, context, stage.tools)
                failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
                with stage.memory._lock:  # noqa: SLF001
                    stage.memory.delete(QUEUE, {record["messageId"] for record in records} - failed)

        return work

    def _make_fair(self) -> None:
        """Let the queue hand out first what is of groups with few messages in flight, as SQS does."""
        memory, receive = self.stage.memory, self.stage.memory.receive

        def fair(url: str, limit: int = 10) -> list[Any]:
            now = self.clock.now()
            messages = memory.queues[url]
            in_flight = Counter(each.group for each in messages if each.receipt and each.visible_at > now)
            messages.sort(key=lambda each: in_flight[each.group])
            return list(receive(url, limit))

        memory.receive = fair

    def _scheduler(self, ends: float) -> Any:
        def work() -> None:
            while self.clock.now() < ends:
                self.stage.freeing.run(until=self.clock.now() + 45)
                self.clock.sleep(60)

        return work

    # ---- the targets: functions of a request, each in a thread of its own ----

    def _healthy(self, _: object) -> int:
        return 200

    def _dead(self, _: object) -> str:
        return "connection"

    def _slow(self, _: object) -> str:
        self.clock.sleep(10)
        return "timeout"

    def _throttled(self, _: object) -> Any:
        now = self.clock.now()
        self._taken = [at for at in self._taken if at > now - 1]
        if len(self._taken) >= 2:
            return 429, {}, {"retry-after": "5"}
        self._taken.append(now)
        return 200


if __name__ == "__main__":
    main()

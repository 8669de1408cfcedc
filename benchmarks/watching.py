"""What watching a stack takes: calls, DynamoDB's units and seconds of a run, by the number of integrations.

    .venv/bin/python benchmarks/watching.py

An hour is watched, in simulated time, on an AWS in memory that counts. Every integration expects something
every six hours. Prices are list prices (US East, on-demand). ``docs/watching.md`` has what this prints.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from causeway.watching import world
from causeway.watching.checks import CHECKS
from causeway.watching.world import READ_AT_ONCE
from tests.support.deliveries import Stage, plan_of
from tests.support.watching import Watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INTEGRATIONS = (1, 10, 100, 500)
MINUTES = 60
RUNS = 30 * 24 * 60
"""A month has so many."""

READ, WRITE = 0.125e-6, 0.625e-6
"""US dollars for a request unit: https://aws.amazon.com/dynamodb/pricing/on-demand/"""

OPEN = 10
"""So many deliveries wait where many do, of which fewer are read at once: it is the calls that matter."""

PROJECTED = ("open_shard", "open_at", "id", "part", "integration", "accepted_at", "status", "error", "reason")
COLUMNS = ("integrations", "open deliveries", "calls a run", "read units", "write units", "US$ a month")


class Row(NamedTuple):
    """What a run takes, on the average of an hour."""

    integrations: int
    open: int
    calls: float
    reads: float
    writes: float
    seconds: float  # of a CPU

    @property
    def dollars(self) -> float:
        """Of DynamoDB, a month."""
        return RUNS * (self.reads * READ + self.writes * WRITE)


class Counting:
    """An AWS that counts what DynamoDB bills (https://aws.amazon.com/dynamodb/pricing/on-demand/)."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self.calls = 0
        self.reads = 0.0
        self.writes = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.memory, name)

    def query(self, *call: Any) -> str:
        """A call of SNS."""
        self.calls += 1
        answer: str = self.memory.query(*call)
        return answer

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Any other."""
        self.calls += 1
        answer: dict[str, Any] = self.memory.call(service, operation, parameters)
        if service == "dynamodb":
            self._bill(operation, parameters, answer)
        return answer

    def _bill(self, operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        if operation == "BatchGetItem":
            for table, asked in parameters["RequestItems"].items():
                found = answer["Responses"].get(table, [])
                sizes = [_size(item) for item in found] + [0] * (len(asked["Keys"]) - len(found))
                self.reads += sum(_units(size, consistent=asked["ConsistentRead"]) for size in sizes)
        elif operation in ("Query", "Scan", "GetItem"):
            items = answer["Items"] if "Items" in answer else [answer.get("Item", {})]
            projected = "IndexName" in parameters
            size = sum(_size(item, projected=projected) for item in items)
            self.reads += _units(size, consistent=parameters.get("ConsistentRead", False))
        else:
            item = parameters.get("Item") or parameters.get("ExpressionAttributeValues") or {}
            self.writes += max(1, math.ceil(_size(item) / 1024))


def _units(size: int, *, consistent: bool) -> float:
    return max(1, math.ceil(size / 4096)) * (1.0 if consistent else 0.5)


def _size(item: Mapping[str, Any], *, projected: bool = False) -> int:
    return sum(
        len(name) + len(str(value)) for name, value in item.items() if not projected or name in PROJECTED
    )


def watch(integrations: int, *, open_: int = 0, minutes: int = MINUTES) -> Row:
    """An hour of a stack with so many integrations."""
    plan = plan_of(frequency={"expect_every": 6 * 3600.0, "during": "always", "deliver_within": 900.0})
    one = plan.integrations["orders-to-ledger"]
    named = {f"flow-{number:03d}": one | {"name": f"flow-{number:03d}"} for number in range(integrations)}
    plan.record["integrations"] = plan.integrations = named
    stage = Stage(plan)
    aws = Counting(stage.memory)
    world.READ_AT_ONCE = READ_AT_ONCE if not open_ else open_ - 1
    watched = Watched(stage, checks=CHECKS, aws=aws)
    for number in range(open_):
        _wait(watched, number, f"flow-{number % integrations:03d}")
    watched.look()  # the first run finds everything new
    aws.calls, aws.reads, aws.writes = 0, 0.0, 0.0
    began = time.process_time()
    watched.minutes(minutes)
    seconds = time.process_time() - began
    per_run = (aws.calls / minutes, aws.reads / minutes, aws.writes / minutes, seconds / minutes)
    return Row(integrations, open_, *per_run)


def _wait(watched: Watched, number: int, integration: str) -> None:
    """A delivery that waits."""
    now = watched.clock.now()
    watched.means.journal.put(
        {
            "id": f"{number:032x}",
            "part": "delivery",
            "integration": integration,
            "status": "waiting",
            "accepted_at": now,
            "open_shard": f"{integration}#{number % 16:x}",
            "open_at": f"waiting#{number:024d}",
            "error": "http",
            "reason": "ledger answered 503 to POST /entries",
        }
    )


def table(rows: list[Row]) -> Iterator[str]:
    """Lines of Markdown."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{' ---: |' * len(COLUMNS)}"
    for row in rows:
        amount = "many" if row.open else "few"
        figures = (f"{each:.1f}" for each in (row.calls, row.reads, row.writes))
        yield f"| {row.integrations} | {amount} | {' | '.join(figures)} | {row.dollars:.2f} |"


def main() -> None:
    """Print the table, and how long runs take."""
    logging.disable()
    sys.stdout, printed = sys.stderr, sys.stdout  # metrics go to the standard output
    rows = [watch(number) for number in INTEGRATIONS]
    rows += [watch(number, open_=OPEN, minutes=2) for number in (100, 500)]
    sys.stdout = printed
    print(*table(rows), sep="\n")
    for row in rows:
        print(
            f"{row.integrations} integrations, {row.open or 'none'} open: {row.seconds:.3f} s of a CPU a run"
        )


if __name__ == "__main__":
    main()

"""Fifty thousand records, read in six runs by four polls of an API in trouble, while functions are killed.

    python -m tests.chaos.reading --records 50000 --runs 6 --seed 7 [--size 250] [--requests 300] [--seconds 1500]

On a local cloud of its own four polls read lists that page in four ways. Many rows have the same time, some show late,
some change while they are read; the API answers 429 and 503 with `Retry-After`, 500, half a page, too late or
not at all; processes of pollers, processors and the scheduler are killed at random; at each slot `causeway poll`
wants some of the polls beside the schedule. When all is quiet, every version of every record must have arrived,
once, under one key: all but those that were replaced before anybody could have read them.

Then clients send requests, under faults of the same kind: each is answered in its time, or hears 202 and finds its
reply later, and is carried out once. What does not hold is told, and the exit code is 1.

What goes wrong where depends on the seed; which process is where when it is killed does not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.reading.asking import OFFICE, Asking
from tests.chaos.reading.run import Reading
from tests.chaos.reading.shop import Shop
from tests.chaos.reading.world import CALM, WHILE_ASKED, WHILE_READ, World, write_map
from tests.support.faults import OK
from tests.support.local_cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.reading.asking import Answers
    from tests.chaos.reading.judging import Finding
    from tests.chaos.reading.run import Result

SHOWN = 20


def main() -> None:
    """Read, ask, and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=50_000, help="0: none")
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--size", type=int, default=250, help="records of a page")
    parser.add_argument("--requests", type=int, default=300, help="0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", action="store_true", help="kill nothing")
    parser.add_argument("--seconds", type=float, default=1500, help="at most so long")
    arguments = parser.parse_args()
    until, seed = time.time() + arguments.seconds, arguments.seed
    well = True
    with (
        tempfile.TemporaryDirectory() as folder,
        Shop(seed, arguments.size, OFFICE) as shop,
        cloud_for(Path(folder), shop, arguments.size) as cloud,
    ):
        reading, asking = (
            World(cloud, seed, CALM if arguments.calm else danger) for danger in (WHILE_READ, WHILE_ASKED)
        )
        if arguments.records:
            result = Reading(cloud, shop, reading, until=until, tell=tell).carry_out(
                arguments.records, arguments.runs
            )
            sys.stdout.write(f"seed {seed}: {summary(result, shop)}\n")
            well &= result.finished and not result.findings
        if arguments.requests:
            answers = Asking(cloud, shop, asking, until=until, tell=tell).carry_out(arguments.requests)
            sys.stdout.write(f"seed {seed}: {summary_of_requests(answers)}\n")
            well &= answers.finished and not answers.findings
    if not well:
        sys.exit(1)


def tell(text: str) -> None:
    """Say how it goes, where it is no part of the result."""
    text = f"{time.strftime('%H:%M:%S')} {text}"
    sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")


def cloud_for(folder: Path, shop: Shop, size: int) -> LocalCloud:
    """A local cloud with the reading's map."""
    write_map(folder / "integrations", shop.target.port, size)
    return LocalCloud(folder, "--integrations", str(folder / "integrations"), ready_within=90)


def summary(result: Result, shop: Shop) -> str:
    """What came of the reading, for people."""
    evidence = result.evidence
    missable = sum(each.missable for each in evidence.versions.values())
    rows = len({name[:2] for name in evidence.versions})
    done = [sum(call.fault == OK for call in calls) for calls in evidence.deliveries.values()]
    replayed = sum(not item["ticket"].startswith("0000") for item in evidence.items.values())
    met = Counter(each.fault.name for each in evidence.asked)
    return "\n".join(
        [
            f"{len(evidence.versions)} versions of {rows} records in {result.seconds:.0f} s",
            (
                f"  arrived     {len(evidence.arrived)} in {len(evidence.deliveries)} deliveries; {missable} were replaced "
                f"before anybody could have read them; {replayed} deliveries given up and replayed"
            ),
            f"  changed     {result.changed} while they were read",
            f"  pages       {len(evidence.asked)} requests: {_counts(met)}",
            (
                f"  target      {_counts(Counter(each.fault.name for each in evidence.exchanges))}; "
                f"{sum(done) - sum(map(bool, done))} again after a 200, by who could not know"
            ),
            f"  killed      {_counts(Counter(name for _, name in evidence.killed))}",
            f"  by hand     {_counts(result.by_hand)}",
            *([] if result.finished else ["  NOT FINISHED in time"]),
            *_findings(result.findings),
        ]
    )


def summary_of_requests(answers: Answers) -> str:
    """What came of the requests, for people."""
    took = sorted(each.took for each in answers.told) or [0.0]
    return "\n".join(
        [
            f"{len(answers.clients)} requests in {answers.seconds:.0f} s",
            (
                f"  answers     {_counts(Counter(str(each.status or 'none') for each in answers.told))}; "
                f"half within {took[len(took) // 2]:.2f} s, all within {took[-1]:.2f} s of {answers.within:.1f} s"
            ),
            f"  found later {sum(each.later for each in answers.clients)}",
            f"  target      {_counts(Counter(each.fault.name for each in answers.exchanges))}",
            f"  killed      {_counts(Counter(name for _, name in answers.killed))}",
            *([] if answers.finished else ["  NOT FINISHED in time"]),
            *_findings(answers.findings),
        ]
    )


def _findings(findings: Iterable[Finding]) -> list[str]:
    found = list(findings)
    if not found:
        return ["everything holds"]
    rules = Counter(each.rule for each in found)
    return [
        f"{len(found)} things do not hold: {_counts(rules)}",
        *(f"- {each.rule}: {each.about}: expected {each.expected}" for each in found[:SHOWN]),
    ]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "none"


if __name__ == "__main__":
    main()

"""Two thousand deliveries through a storm: targets that fail in every way, and functions that are killed.

    python -m tests.chaos.storm --deliveries 2000 --seed 7 [--seconds 900] [--lose 3]

It runs on a local cloud of its own, over five integrations. Targets answer 200, 400, 410, 429, 500 and 503, with
`Retry-After` and without, do not answer in time, reset the connection, or do what they were asked and lose the
answer; processes of functions are killed at random; events are repeated by their provider. When it is quiet again,
everything must be delivered, once, under one key, in order where order is asked for, and never before its time;
and the books must close. What does not hold is told with its journal, and the exit code is 1.

What each target does depends on the seed alone. `--lose` takes messages off the queue, as a build does that
forgets deliveries: then the run must fail.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from causeway.operations.integrations import COUNTS
from tests.chaos.storm.judging import PLACES, integration_of
from tests.chaos.storm.run import go_through, names
from tests.chaos.storm.target import Storm
from tests.chaos.storm.world import SECRET, SECRET_NAME, write_map
from tests.support.faults import OK
from tests.support.local_cloud import LocalCloud

if TYPE_CHECKING:
    from tests.chaos.storm.run import Result

SHOWN = 10  # findings with their journal


def main() -> None:
    """Go through a storm, and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900, help="at most so long")
    parser.add_argument("--lose", type=int, default=0, help="lose so many messages, up to 10")
    arguments = parser.parse_args()
    events = names(max(1, arguments.deliveries // len(PLACES)))
    with (
        tempfile.TemporaryDirectory() as folder,
        Storm(arguments.seed, events) as storm,
        cloud_for(Path(folder), storm) as cloud,
    ):
        result = go_through(
            cloud,
            storm,
            events,
            seed=arguments.seed,
            seconds=arguments.seconds,
            lose=arguments.lose,
            tell=tell,
        )
    sys.stdout.write(summary(result, arguments.seed) + "\n")
    if result.findings or not result.finished:
        sys.exit(1)


def tell(text: str) -> None:
    """Say how it goes, where it is no part of the result."""
    sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")


def cloud_for(folder: Path, storm: Storm) -> LocalCloud:
    """A local cloud with the storm's map."""
    write_map(folder / "integrations", storm.target.port)
    secrets = folder / "secrets.yaml"
    secrets.write_text(f"{SECRET_NAME}: {SECRET}\n")
    arguments = ("--integrations", str(folder / "integrations"), "--secrets", str(secrets))
    return LocalCloud(folder, *arguments, ready_within=90)


def summary(result: Result, seed: int) -> str:
    """What came of it, for people."""
    evidence = result.evidence
    deliveries = len(evidence.events) * len(PLACES)
    faults = Counter(each.fault.name for each in evidence.exchanges)
    calls = Counter(integration_of(each.place) for each in evidence.exchanges)
    statuses = Counter(item["status"] for item in evidence.items.values())
    replayed = sum(not item["ticket"].startswith("0000") for item in evidence.items.values())
    pauses = sum(map(len, evidence.pauses.values()))
    lines = [
        f"seed {seed}: {deliveries} deliveries of {len(evidence.events)} events in {result.seconds:.0f} s",
        f"  sent        {result.posts} requests, {result.repeats} events repeated, {result.lost} messages lost",
        f"  killed      {_counts(result.kills)}",
        f"  calls       {_counts(calls)}",
        f"  answers     {_counts(faults)}",
        f"  journal     {_counts(statuses)}; {replayed} given up and replayed; {pauses} pauses",
        f"  books       {_books(result)}",
        f"  twice done  {_repeated(result)} calls after a 200 (a process was killed before it was noted)",
    ]
    if not result.finished:
        lines.append("  NOT FINISHED in time")
    lines += _findings(result)
    return "\n".join(lines)


def _findings(result: Result) -> list[str]:
    if not result.findings:
        return ["everything holds"]
    lines = [
        f"{len(result.findings)} things do not hold: {_counts(Counter(f.rule for f in result.findings))}"
    ]
    for finding in result.findings[:SHOWN]:
        item = result.evidence.items.get(finding.delivery)
        seen = [
            f"{each.at:.2f} {each.place} {each.fault.name}"
            for each in result.evidence.of(finding.integration, finding.event)
        ]
        lines += [
            f"- {finding.rule}: {finding.integration} {finding.event} {finding.delivery}",
            f"  expected: {finding.expected}",
            f"  target:   {'; '.join(seen) or 'was never asked'}",
            f"  journal:  {json.dumps(item)}",
        ]
    return lines


def _books(result: Result) -> str:
    return ", ".join(
        f"{sum(getattr(book, name) for book in result.evidence.books)} {name}" for name in COUNTS
    )


def _repeated(result: Result) -> int:
    done = Counter((each.place, each.event) for each in result.evidence.exchanges if each.fault == OK)
    return sum(count - 1 for count in done.values())


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "none"


if __name__ == "__main__":
    main()

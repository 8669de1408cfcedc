"""How fast an API is read, and in how much memory, beside dlt, singer-sdk and airbyte-cdk in the same run.

    make bench-poll    (or python benchmarks/poll.py [--peers PYTHON] [--rounds N] [--records N ...])

An API on loopback shows a list in pages by a cursor. Each contestant reads it in a process of its own, in
turns, and takes the records one after the other. Shown are the median rates of the rounds by the processor's
time, since others on the machine do not count there, and the peak of memory at each length of the list.

    causeway pages     pages to records, as the peers' clients give them
    causeway events    and what becomes of them: ids, versions, the cursor's value, what was seen, CloudEvents
    causeway poller    and the whole engine: runs in a state (in memory here), messages in batches to a queue
                       that drops them; what is not in it is AWS
    dlt client         its REST client alone
    dlt source         its REST source, incremental by a field
    singer             a stream's records, neither validated nor written
    airbyte            a declarative source's messages

It tells when `causeway pages` is less than twice as fast as the fastest of the others, or when memory grows
from the shortest list to the longest by more than a quarter.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from support.polled_api import running

CONTESTANTS = Path(__file__).parent / "peers" / "polling"
OURS = ("causeway_pages", "causeway_events", "causeway_poller")
PEERS = ("dlt_client", "dlt_source", "singer", "airbyte")
SLOW = {"airbyte"}  # takes a minute for a million records, in which nothing new happens
SIZES = (100, 1000)
WANTED = 2.0
FLAT = 1.25


def main() -> None:
    """Run all of them, and print what was measured."""
    arguments = _arguments()
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    peaks: dict[tuple[str, int], float] = {}
    lengths = sorted(arguments.records)
    for records in lengths:
        with running(records) as url:
            for size in SIZES:
                for _ in range(arguments.rounds if records == lengths[0] else 1):
                    for name in _contestants(arguments, records, size):
                        said = _run(arguments, name, url, records, size)
                        peaks[name, records] = max(said["peak"], peaks.get((name, records), 0.0))
                        if records == lengths[0]:
                            rates[name, size].append(records / said["busy"])
    medians = {key: statistics.median(found) for key, found in rates.items()}
    _print(medians, peaks, lengths)
    missed = list(_missed(medians, peaks, lengths))
    print(*missed, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="the Python that has them (`make bench-poll` makes it)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, nargs="+", default=[20_000, 100_000, 1_000_000])
    return parser.parse_args()


def _contestants(arguments: argparse.Namespace, records: int, size: int) -> list[str]:
    """All of them for the rates; for memory the long lists, in long pages."""
    names = [*OURS, *(PEERS if arguments.peers else ())]
    if records == min(arguments.records):
        return names
    return [name for name in names if size == max(SIZES) and (records <= 100_000 or name not in SLOW)]


def _run(arguments: argparse.Namespace, name: str, url: str, records: int, size: int) -> dict[str, float]:
    python = arguments.peers if name in PEERS else sys.executable
    command = [python, str(CONTESTANTS / f"{name}.py"), url, str(records), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def _print(
    medians: dict[tuple[str, int], float], peaks: dict[tuple[str, int], float], lengths: list[int]
) -> None:
    names = [name for name in (*OURS, *PEERS) if (name, SIZES[0]) in medians]
    heads = "".join(f"{f'{size} a page':>16}" for size in SIZES)
    print(f"{'records per CPU second':24}{heads}      peak memory, MiB, of records: {lengths}")
    for name in names:
        shown = "".join(f"{medians[name, size]:16,.0f}" for size in SIZES)
        memory = "".join(
            f"{peaks[name, length]:10.0f}" if (name, length) in peaks else f"{'-':>10}" for length in lengths
        )
        print(f"{name.replace('_', ' '):24}{shown}      {memory}")


def _missed(
    medians: dict[tuple[str, int], float], peaks: dict[tuple[str, int], float], lengths: list[int]
) -> list[str]:
    missed = []
    for size in SIZES:
        peers = [medians[name, size] for name in PEERS if (name, size) in medians]
        ratio = medians["causeway_pages", size] / max(peers) if peers else WANTED
        print(f"pages of {size}: {ratio:.1f} times the fastest of the others" if peers else "")
        if ratio < WANTED:
            missed.append(f"missed: {WANTED:g} times the fastest of the others at {size} a page")
    for name in OURS:
        known = [peaks[name, length] for length in lengths if (name, length) in peaks]
        if known[-1] > known[0] * FLAT:
            missed.append(
                f"missed: {name} takes {known[-1]:.0f} MiB for the longest list, {known[0]:.0f} for the least"
            )
    return missed


if __name__ == "__main__":
    main()

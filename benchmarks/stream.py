"""Events through the stream function, beside the floor of a bare call; what a shard waits for a slow target.

    .venv/bin/python benchmarks/stream.py [--rounds N] [--count N]

All rows send the same 1 KiB of JSON to the same target with ten threads. ``http.client`` is the floor: a
connection per thread, and nothing else. ``calls`` is a call of the map alone, as in ``deliver.py``; ``queue``
is the processor with batches of ten, as it gets them from the queue; ``stream`` is the stream function with
batches of a hundred, as it gets them from a shard. Both do their two writes to the journal for each event.
The rows take turns, figures are medians of the rounds. A function's process works on one batch; a shard has
ten of them at once, so the last line is what so many of these processes would take together.

Then a target takes two seconds to answer. The first batch waits for its first calls; the next ones must not.
"""

import argparse
import base64
import io
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

from deliver import a_record, by_calls, floor, tools_for
from support import target

from causeway.delivery import processor
from causeway.delivery.streaming import Streaming
from causeway.delivery.work import Tools

OF_QUEUE, OF_STREAM = 10, 100
AT_ONCE = 10  # batches of one shard, as the template has it
CONTEXT = SimpleNamespace(aws_request_id="benchmark", get_remaining_time_in_millis=lambda: 30_000)

Send = Callable[[int], None]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=500, help="Events of a round.")
    arguments = parser.parse_args()
    for seconds in (0.0, 0.05):
        with target.running(seconds) as url, tools_for(url) as tools:
            report(seconds, rows(url, tools), arguments.count, arguments.rounds)
    slow()


def rows(url: str, tools: Tools) -> dict[str, Send]:
    """What is compared."""
    workers = processor.CONCURRENCY
    return {
        "http.client": floor(url, workers),
        "calls": by_calls(tools, workers),
        "queue": by_queue(tools),
        "stream": by_stream(Streaming(tools)),
    }


def report(seconds: float, sending: dict[str, Send], count: int, rounds: int) -> None:
    """Let all send so many in turns; print how many a second that is."""
    for send in sending.values():
        send(OF_STREAM)  # connections, caches
    took: dict[str, list[float]] = {name: [] for name in sending}
    for _ in range(rounds):
        for name, send in sending.items():
            begun = time.perf_counter()
            send(count)
            took[name].append(time.perf_counter() - begun)
    print(f"\n{count} events, target {seconds * 1000:.0f} ms, median of {rounds} rounds")
    print(f"{'':12}{'events/s':>10}{'of floor':>10}")
    rates = {name: count / statistics.median(each) for name, each in took.items()}
    for name, rate in rates.items():
        print(f"{name:12}{rate:10.0f}{rate / rates['http.client']:10.2f}")
    print(
        f"{'a shard':12}{AT_ONCE * rates['stream']:10.0f}  if its {AT_ONCE} processes have a processor each"
    )


def by_queue(tools: Tools) -> Send:
    """Messages as SQS hands them to the processor."""

    def send(count: int) -> None:
        for batch in batches(count, OF_QUEUE):
            with redirect_stdout(io.StringIO()):
                answer = processor.process({"Records": batch}, CONTEXT, tools)
            assert answer == {"batchItemFailures": []}

    return send


def by_stream(streaming: Streaming) -> Send:
    """The same as Kinesis hands them to the stream function."""

    def send(count: int) -> None:
        for batch in batches(count, OF_STREAM):
            with redirect_stdout(io.StringIO()):
                answer = streaming.carry_out({"Records": [of_the_stream(each) for each in batch]}, CONTEXT)
            assert answer == {"batchItemFailures": []}

    return send


def batches(count: int, size: int) -> Iterable[list[dict[str, Any]]]:
    """So many records, in batches of this size."""
    for first in range(0, count, size):
        yield [a_record(f"evt_{number}") for number in range(first, min(first + size, count))]


def of_the_stream(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinesis": {
            "sequenceNumber": record["messageId"],
            "data": base64.b64encode(record["body"].encode()).decode(),
            "approximateArrivalTimestamp": time.time(),
        }
    }


def slow() -> None:
    """What a shard waits for a target that takes two seconds."""
    with target.running(2.0) as url, tools_for(url) as tools:
        send = by_stream(Streaming(tools))
        waited = []
        for _ in range(6):
            begun = time.perf_counter()
            send(OF_STREAM)
            waited.append(time.perf_counter() - begun)
    print(f"\nbatches of {OF_STREAM} to a target that takes 2 s: the shard waits")
    print("  " + ", ".join(f"{seconds:.2f} s" for seconds in waited))
    met = waited[0] < 4 and max(waited[1:]) < 0.5
    print("  goal: the first for one call, no other 0.5 s: " + ("met" if met else "MISSED"))


if __name__ == "__main__":
    main()

"""A batch of deliveries to a slow and to a fast target, beside what it costs at the least.

    .venv/bin/python benchmarks/deliver.py [--rounds N] [--workers N]

Each row sends the same 1 KiB of JSON to the same target with the same number of threads: the floor is
``http.client``, one connection per thread, and nothing else; ``urllib3`` a shared pool; ``calls`` a call of
the map (request filled in, secret, address check, time bounds, answer judged); ``processor`` the whole
function but for Lambda, with its two writes to the journal, on an AWS that answers at once. The rows take
turns, so that a busy moment of the machine hits all alike; figures are medians of the rounds.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import urllib3
from support import small_map, target

from causeway.delivery import processor
from causeway.delivery.tooling import make_tools
from causeway.delivery.work import Tools
from causeway.events.envelope import make_event, scope_of
from causeway.events.identity import delivery_id
from causeway.plan.compiler import compile_map
from causeway.plan.compiler import write as write_plan
from causeway.queueing.messages import encode, new_acceptance
from causeway.settings.clock import SystemClock, rfc3339

DATA = {"id": "evt_1", "total": 12.5, "pad": "x" * 980}
BODY = json.dumps(DATA, separators=(",", ":")).encode()
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer s", "Idempotency-Key": "k"}

Batch = Callable[[int], None]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=processor.CONCURRENCY)
    arguments = parser.parse_args()
    print(f"{arguments.workers} threads, 1 KiB, median of {arguments.rounds} rounds")
    for seconds in (0.05, 0.0):
        with target.running(seconds) as url, everything(url, arguments.workers) as batches:
            for count in (10, 100):
                report(seconds, count, batches, arguments.rounds, arguments.workers)


def report(seconds: float, count: int, batches: dict[str, Batch], rounds: int, workers: int) -> None:
    """Let all send so many in turns; print what it took."""
    for batch in batches.values():
        batch(count)  # connections, caches
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in batches}
    for _ in range(rounds):
        for name, batch in batches.items():
            wall, cpu = time.perf_counter(), time.process_time()
            batch(count)
            took[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    print(f"\n{count} messages, target {seconds * 1000:.0f} ms")
    print(f"{'':12}{'msg/s':>8}{'of floor':>10}{'CPU ms/msg':>12}{'of floor':>10}{'of ideal':>10}")
    walls = {name: statistics.median(wall for wall, _ in each) for name, each in took.items()}
    cpus = {name: statistics.median(cpu for _, cpu in each) for name, each in took.items()}
    ideal = -(-count // workers) * seconds  # rounds of all threads
    for name in batches:
        row = f"{name:12}{count / walls[name]:8.0f}{walls['http.client'] / walls[name]:10.2f}"
        row += f"{cpus[name] / count * 1000:12.3f}{cpus[name] / cpus['http.client']:10.2f}"
        print(row + (f"{ideal / walls[name]:10.2f}" if seconds else ""))


@contextmanager
def everything(url: str, workers: int) -> Iterator[dict[str, Batch]]:
    """What is compared, each sending to this target."""
    with tools_for(url) as tools:
        processor.CONCURRENCY = workers
        yield {
            "http.client": floor(url, workers),
            "urllib3": by_urllib3(url, workers),
            "calls": by_calls(tools, workers),
            "processor": by_processor(tools),
        }


@contextmanager
def tools_for(url: str) -> Iterator[Tools]:
    """What deliveries to this target work with, on an AWS that answers at once."""
    with tempfile.TemporaryDirectory() as folder, aws() as endpoint:
        write_plan(compile_map(small_map.write(Path(folder) / "map", url)), Path(folder) / "layer")
        names = {"POWERTOOLS_SERVICE_NAME": "benchmark-processor", "POWERTOOLS_METRICS_NAMESPACE": "Causeway"}
        os.environ |= names
        tools = make_tools(environ(folder, endpoint), SystemClock())
        yield tools
        tools.caller.close()


def environ(folder: str, endpoint: str) -> dict[str, str]:
    """What a function has in its environment, with the plan in this folder and this AWS."""
    return {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_ENDPOINT_URL": endpoint,
        "CAUSEWAY_ENVIRONMENT": "dev",
        "CAUSEWAY_PLAN": f"{folder}/layer/plan",
        "CAUSEWAY_SECRETS_PREFIX": "/benchmark/causeway",
        "CAUSEWAY_DELIVERIES_URL": f"{endpoint}/deliveries",
        "CAUSEWAY_DELIVERIES_FIFO_URL": f"{endpoint}/deliveries.fifo",
        "CAUSEWAY_DEAD_LETTERS_URL": f"{endpoint}/dead",
        "CAUSEWAY_JOURNAL": "journal",
        "CAUSEWAY_STATE_TABLE": "state",
        "CAUSEWAY_SEALING_KEY": "sealing",
        "CAUSEWAY_PAYLOADS": "payloads",
        "CAUSEWAY_BUS": "bus",
    }


@contextmanager
def aws() -> Iterator[str]:
    """The address of an AWS that answers at once."""
    program = [sys.executable, str(Path(__file__).parent / "support/aws_stand_in.py"), "s"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def floor(url: str, workers: int) -> Batch:
    """The least that can be done with the standard library."""
    pool, own = ThreadPoolExecutor(workers), threading.local()
    netloc = urlsplit(url).netloc

    def send(_: int) -> None:
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection(netloc)
        own.connection.request("POST", "/events", BODY, HEADERS)
        response = own.connection.getresponse()
        response.read()
        assert response.status == 200

    return lambda count: [*pool.map(send, range(count))]


def by_urllib3(url: str, workers: int) -> Batch:
    """A pool of urllib3's that all threads share."""
    pool, manager = ThreadPoolExecutor(workers), urllib3.PoolManager(maxsize=workers, retries=False)

    def send(_: int) -> None:
        assert manager.request("POST", f"{url}/events", body=BODY, headers=HEADERS).status == 200

    return lambda count: [*pool.map(send, range(count))]


def by_calls(tools: Tools, workers: int) -> Batch:
    """A call of the map."""
    pool = ThreadPoolExecutor(workers)
    integration = tools.plan.integrations["benchmark"]
    call = integration["target"]["call"]
    scope = scope_of(an_event("evt"), integration["constants"], {})

    def send(_: int) -> None:
        answer = tools.caller.call(
            call, scope, headers={"Idempotency-Key": "k"}, deadline=tools.clock.now() + 30
        )
        assert answer.status == 200

    return lambda count: [*pool.map(send, range(count))]


def by_processor(tools: Tools) -> Batch:
    """Messages as SQS hands them to the function."""
    context = SimpleNamespace(aws_request_id="benchmark", get_remaining_time_in_millis=lambda: 60_000)

    def process(count: int) -> None:
        records = [a_record(f"evt_{number}") for number in range(count)]
        with redirect_stdout(io.StringIO()):
            answer = processor.process({"Records": records}, context, tools)
        assert answer == {"batchItemFailures": []}

    return process


def an_event(id_: str) -> dict[str, object]:
    return make_event(id=id_, type="benchmark", source="sender", time=rfc3339(time.time()), data=DATA)


def a_record(id_: str) -> dict[str, object]:
    body = encode(
        {
            "format": 1,
            "delivery": delivery_id("sender", id_, "benchmark"),
            "integration": "benchmark",
            "system": "sender",
            "ticket": "0000.000001",
            "acceptance": new_acceptance(),
            "accepted_at": time.time(),
            "event": an_event(id_),
        }
    )
    attributes = {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1"}
    return {"messageId": id_, "receiptHandle": id_, "body": body, "attributes": attributes}


if __name__ == "__main__":
    main()

"""The whole stack under a burst: signed events in, calls out, on a local cloud of its own.

    .venv/bin/python benchmarks/throughput.py [--events N] [--clients N] [--target-ms N] [--limit SECONDS]

Starts `causeway dev` with a map of one integration and a target that answers 200, lets the clients post
signed events over kept connections, waits until all of them have reached the target, and reports rates and
latencies. It fails when one was not accepted, did not arrive, or arrived twice.
"""

import argparse
import base64
import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook
from support import small_map, target

ROOT = Path(__file__).parents[1]
PATH = "/webhooks/sender"


@dataclass
class Posted:
    """One event, as its client saw it."""

    id: str
    status: int
    began: float  # epoch seconds
    took: float  # seconds


def main() -> None:
    """Measure, print, judge."""
    arguments = parse()
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    with (
        tempfile.TemporaryDirectory() as folder,
        target.running(arguments.target_ms / 1000) as url,
        cloud(Path(folder), url, secret) as port,
    ):
        post(port, secret, 20, arguments.clients, "warm")  # instances start, connections open
        wait_for(url, 20, arguments.limit)
        began = time.time()
        posted = post(port, secret, arguments.events, arguments.clients, "evt")
        accepted_within = time.time() - began
        arrived = wait_for(url, 20 + arguments.events, arguments.limit)
        time.sleep(1)  # for what should not come
        found = [each for each in target.received(url) if str(each["event"]).startswith("evt")]
    print(f"{arguments.events} events, {arguments.clients} clients, target {arguments.target_ms} ms")
    failures = report(posted, found, began, accepted_within)
    if not arrived or failures:
        sys.exit(f"FAILED: {failures or 'not all arrived in time'}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--target-ms", type=int, default=0, help="how long the target takes to answer")
    parser.add_argument("--limit", type=float, default=300, help="seconds to wait for the last one")
    return parser.parse_args()


@contextmanager
def cloud(folder: Path, url: str, secret: str) -> Iterator[int]:
    """A local cloud with the small map; its port."""
    small_map.write(folder / "map", url)
    held = folder / "secrets.yaml"
    held.write_text(json.dumps({"sender/webhook": secret, "receiver/token": "token"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "causeway"), "dev", "--integrations", str(folder / "map")]
    command += ["--secrets", str(held), "--port", str(port)]
    log = folder / "cloud.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"}
        )
    try:
        began = time.monotonic()
        while f"ready http://127.0.0.1:{port}" not in log.read_text():
            if process.poll() is not None or time.monotonic() - began > 120:
                sys.exit(f"the local cloud did not start:\n{log.read_text()}")
            time.sleep(0.1)
        print(f"the local cloud was ready after {time.monotonic() - began:.1f} s")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def post(port: int, secret: str, count: int, clients: int, prefix: str) -> list[Posted]:
    """Let the clients post so many events, each over one connection."""
    ids = iter([f"{prefix}_{number}" for number in range(count)])

    def client(_: int) -> list[Posted]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        signer = Webhook(secret)
        done = [post_one(connection, signer, id_) for id_ in ids]  # taking one is atomic: clients share them
        connection.close()
        return done

    with ThreadPoolExecutor(clients) as pool:
        return [each for done in pool.map(client, range(clients)) for each in done]


def post_one(connection: http.client.HTTPConnection, signer: Webhook, id_: str) -> Posted:
    """Sign and post one event of 1 KiB."""
    now = datetime.now(UTC)
    body = json.dumps({"type": "benchmark.sent", "data": {"id": id_, "pad": "x" * 950}})
    headers = {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signer.sign(id_, now, body),
    }
    began, clock = time.time(), time.perf_counter()
    connection.request("POST", PATH, body, headers)
    response = connection.getresponse()
    response.read()
    return Posted(id_, response.status, began, time.perf_counter() - clock)


def wait_for(url: str, count: int, limit: float) -> bool:
    """Whether so many different events reached the target in time."""
    until = time.monotonic() + limit
    while len({each["event"] for each in target.received(url)}) < count:
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def report(
    posted: list[Posted], found: list[dict[str, object]], began: float, accepted_within: float
) -> list[str]:
    """Print what was measured; what was not as it should be."""
    statuses = Counter(each.status for each in posted)
    deliveries = Counter(each["event"] for each in found)
    keys = Counter(each["key"] for each in found)
    first_at = {}
    for each in found:
        first_at.setdefault(each["event"], each["at"])
    sent_at = {each.id: each.began for each in posted}
    print(f"accepted    {len(posted) / accepted_within:8.0f} events/s    {dict(statuses)}")
    spread("answered after", [each.took for each in posted])
    if found:
        last = max(first_at.values())
        print(
            f"delivered   {len(first_at) / (last - began):8.0f} events/s    all within {last - began:.1f} s"
        )
        spread("delivered after", [at - sent_at[event] for event, at in first_at.items()])
    twice = sum(number - 1 for number in keys.values())
    print(f"duplicates  {twice:8}")
    wrong = {
        f"not accepted: {dict(statuses)}": set(statuses) != {200},
        f"not delivered: {len(set(sent_at) - set(deliveries))}": not set(sent_at) <= set(deliveries),
        f"delivered twice: {twice}": twice > 0,
        "one key for several events": len(keys) != len(deliveries),
    }
    return [what for what, is_so in wrong.items() if is_so]


def spread(what: str, seconds: list[float]) -> None:
    """Print the median and the 95th percentile."""
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    print(f"  {what:16} p50 {statistics.median(ordered) * 1000:7.0f} ms   p95 {p95 * 1000:7.0f} ms")


if __name__ == "__main__":
    main()

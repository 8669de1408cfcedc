"""A client's request through the request function, beside a bare call of the same target.

    .venv/bin/python benchmarks/request.py [--rounds N] [--requests N]

The floor is ``http.client`` on one connection and nothing else: what a client would wait for without
Causeway. ``call`` is a call of the map; ``reply`` a request that calls nobody; ``request`` the whole function
but for Lambda, its journal on an AWS that answers at once; ``with a key`` the same with a look for the key.
The rows take turns, one request after the other, so that a busy moment of the machine hits all alike; figures
are medians over all rounds, ratios those of the medians.
"""

import argparse
import http.client
import io
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from deliver import BODY, DATA, HEADERS, an_event, aws, environ
from support import small_map, target

from causeway.delivery.tooling import make_tools
from causeway.delivery.work import Tools
from causeway.events.envelope import scope_of
from causeway.plan.compiler import compile_map
from causeway.plan.compiler import write as write_plan
from causeway.requests.answering import Requests
from causeway.settings.clock import SystemClock

ASKED = """\
integration: {name}
owner: {{team: benchmarks, email: benchmarks@example.com}}
source: {{request: {{}}}}
flow: {{}}
target: {target}
frequency: {{expect_every: never}}
errors: {{}}
"""
TARGETS = {"asked": "{system: receiver, post: /events}", "replied": "{reply: {}}"}

Ask = Callable[[], None]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=25, help="of each in a round")
    arguments = parser.parse_args()
    os.environ |= {"POWERTOOLS_SERVICE_NAME": "benchmark-request", "POWERTOOLS_METRICS_NAMESPACE": "Causeway"}
    for seconds in (0.0, 0.05):
        with target.running(seconds) as url, everything(url) as asks:
            report(seconds, asks, arguments.rounds, arguments.requests if not seconds else 4)


def report(seconds: float, asks: dict[str, Ask], rounds: int, requests: int) -> None:
    """Let all ask so many in turns; print what it took."""
    took: dict[str, list[float]] = {name: [] for name in asks}
    cpu: dict[str, list[float]] = {name: [] for name in asks}
    for number in range(rounds + 1):
        for name, ask in asks.items():
            for _ in range(requests):
                wall, busy = time.perf_counter(), time.process_time()
                ask()
                if number:  # the first round makes connections
                    took[name].append((time.perf_counter() - wall) * 1000)
                    cpu[name].append((time.process_time() - busy) * 1000)
    print(f"\ntarget {seconds * 1000:.0f} ms, 1 KiB, {rounds * requests} requests of each")
    print(f"{'':12}{'p50 ms':>8}{'p99 ms':>8}{'over floor':>12}{'of floor':>10}{'CPU ms':>8}")
    floor = statistics.median(took["http.client"])
    for name, times in took.items():
        median, last = statistics.median(times), statistics.quantiles(times, n=100)[98]
        row = f"{name:12}{median:8.2f}{last:8.2f}{median - floor:12.2f}{median / floor:10.2f}"
        print(row + f"{statistics.median(cpu[name]):8.2f}")


@contextmanager
def everything(url: str) -> Iterator[dict[str, Ask]]:
    """What is compared, each asking this target."""
    with tempfile.TemporaryDirectory() as folder, aws() as endpoint:
        directory = small_map.write(Path(folder) / "map", url)
        for name, words in TARGETS.items():
            (directory / f"{name}.yaml").write_text(ASKED.format(name=name, target=words))
        write_plan(compile_map(directory), Path(folder) / "layer")
        tools = make_tools(environ(folder, endpoint), SystemClock())
        requests = Requests(tools)
        yield {
            "http.client": floor(url),
            "call": by_call(tools),
            "reply": by_request(requests, "replied"),
            "request": by_request(requests, "asked"),
            "with a key": by_request(requests, "asked", keyed=True),
        }
        tools.caller.close()


def floor(url: str) -> Ask:
    """The least that can be done with the standard library."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def ask() -> None:
        connection.request("POST", "/events", BODY, HEADERS)
        response = connection.getresponse()
        response.read()
        assert response.status == 200

    return ask


def by_call(tools: Tools) -> Ask:
    """A call of the map."""
    integration = tools.plan.integrations["asked"]
    scope = scope_of(an_event("evt"), integration["constants"], {})

    def ask() -> None:
        call, deadline = integration["target"]["call"], tools.clock.now() + 30
        assert (
            tools.caller.call(call, scope, headers={"Idempotency-Key": "k"}, deadline=deadline).status == 200
        )

    return ask


def by_request(requests: Requests, integration: str, *, keyed: bool = False) -> Ask:
    """Requests as API Gateway hands them to the function, after the authorizer."""
    context = SimpleNamespace(
        aws_request_id="benchmark", function_name="request", get_remaining_time_in_millis=lambda: 29_000
    )
    numbers = itertools.count()

    def ask() -> None:
        key = {"idempotency-key": f"key-{next(numbers)}"} if keyed else {}
        path = f"/requests/{integration}"
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json", **key},
            "requestContext": {
                "http": {"method": "POST", "path": path},
                "authorizer": {"lambda": {"client": "key:benchmark", "scopes": "requests:call"}},
            },
            "pathParameters": {"integration": integration},
            "body": json.dumps(DATA),
            "isBase64Encoded": False,
        }
        with redirect_stdout(io.StringIO()):
            answer = requests.answer(event, context)
        assert answer["statusCode"] == 200, answer

    return ask


if __name__ == "__main__":
    main()

"""Cold start and warm time of each function, beside what others would have written.

    .venv/bin/python benchmarks/lambda.py [--python PATH] [--cold N] [--warm N] [--only NAME ...]
                                          [--profile NAME]

Everything runs under AWS's runtime interface emulator with AWS's runtime client, built as `sam build` builds
it, in turns, so that a busy moment of the machine hits all alike. The functions get the example map; the
provider is Stripe. AWS is a stand-in that answers at once: an emulator's own time, milliseconds a call, would
be most of what is measured. "CPU" is the least that a cold start, or an invocation in a round, took of a
processor: what the code costs, whatever else the machine does.
"""

import argparse
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from support.building import ROOT, Built
from support.emulator import Instance

SYSTEM = "payments"  # of the example map; Stripe's scheme
SECRET = "whsec_benchmark"
ROUNDS = 10

BODY = json.dumps(
    {
        "id": "evt_1OaBcDeFgHiJkLmN",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_700_000_000,
        "data": {
            "object": {"id": "pi_3Oa", "amount": 2000, "currency": "eur", "metadata": {"pad": "x" * 750}}
        },
    }
)


def webhook_event() -> dict[str, Any]:
    """A signed event of Stripe, as API Gateway hands it on."""
    now = int(time.time())
    signature = hmac.new(SECRET.encode(), f"{now}.{BODY}".encode(), hashlib.sha256).hexdigest()
    path = f"/webhooks/{SYSTEM}"
    return {
        "version": "2.0",
        "routeKey": "POST /webhooks/{system}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "host": "hooks.example.com",
            "stripe-signature": f"t={now},v1={signature}",
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "x-amzn-trace-id": "Root=1-65f0c0de-0123456789abcdef01234567",
        },
        "pathParameters": {"system": SYSTEM},
        "requestContext": {
            "domainName": "hooks.example.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "r",
            "stage": "$default",
        },
        "body": BODY,
        "isBase64Encoded": False,
    }


def corpus(name: str) -> dict[str, Any]:
    """An event of the corpus."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_bytes())
    return event


@dataclass
class Candidate:
    """What is measured, and what it measured."""

    name: str
    event: Callable[[], object]
    calls: str | None  # the operation of AWS that each invocation makes once
    init: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # of the cold start and the first invocation
    warm: list[float] = field(default_factory=list)
    warm_cpu: list[float] = field(default_factory=list)  # of each round, per invocation


CANDIDATES = [
    Candidate("bare", webhook_event, None),
    Candidate("minimal_boto3", webhook_event, "SendMessage"),
    Candidate("quick_start", webhook_event, "PutEvents"),
    Candidate("webhook", webhook_event, "SendMessageBatch"),
    Candidate("processor", lambda: {"Records": []}, None),
    Candidate("scheduler", lambda: {"version": "0", "time": "2026-01-01T00:00:00Z", "detail": {}}, None),
    Candidate("authorizer", lambda: corpus("authorizer/unknown-key"), None),
    Candidate("request", lambda: corpus("request/ask"), None),
]

EMULATOR = "lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
"""Where the SAM command line has AWS's emulator of the runtime's interface."""

GOALS = [
    ("INIT of webhook to the quick start's", "init", "quick_start", 0.3),
    ("INIT of webhook to a bare handler's", "init", "bare", 2.5),
    ("warm time of webhook to the quick start's", "warm", "quick_start", 0.7),
]


def main() -> None:
    """Build, measure, print."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder, aws() as url:
        candidates = [each for each in CANDIDATES if each.name in arguments.only]
        built = Built(Path(folder), arguments.python)
        built.everything([each.name for each in candidates])
        measuring = Measuring(built, arguments.sam, url)
        if arguments.profile:
            print(measuring.imports_of(arguments.profile))
            return
        for _ in range(arguments.cold):
            for candidate in candidates:
                measuring.start_cold(candidate)
        measuring.run_warm([each for each in candidates if each.event is webhook_event], arguments.warm)
    report({each.name: each for each in candidates})


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable).resolve(), help="Lambda's interpreter"
    )
    parser.add_argument("--sam", type=Path, default=ROOT / ".tools/sam", help="where the SAM command line is")
    parser.add_argument("--cold", type=int, default=11, help="cold starts of each")
    parser.add_argument("--warm", type=int, default=500, help="warm invocations of each")
    parser.add_argument("--only", nargs="+", default=[each.name for each in CANDIDATES], metavar="NAME")
    parser.add_argument(
        "--profile", metavar="NAME", help="instead, show what a function's cold start imports"
    )
    arguments = parser.parse_args()
    if not list(arguments.sam.glob(EMULATOR)):
        parser.error(
            f"--sam: no SAM command line in {arguments.sam}: `make tools` installs it, or say where it is"
        )
    return arguments


@contextmanager
def aws() -> Iterator[str]:
    """The address of the stand-in."""
    program = [sys.executable, str(Path(__file__).parent / "support/aws_stand_in.py"), SECRET]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


class Measuring:
    """Starts instances and takes their times."""

    def __init__(self, built: Built, sam: Path, url: str) -> None:
        self._built = built
        self._url = url
        (self._rie,) = sam.glob(EMULATOR)

    def start_cold(self, candidate: Candidate) -> None:
        """One cold start."""
        with self._instance(candidate.name) as instance:
            first, _ = instance.invoke(candidate.event())
            candidate.first.append(first)
            candidate.init.append(instance.init)
            candidate.cpu.append(instance.cpu)

    def run_warm(self, candidates: list[Candidate], count: int) -> None:
        """Invoke all in turns, and see that each did what it should."""
        with ExitStack() as stack:
            instances = [stack.enter_context(self._instance(each.name)) for each in candidates]
            before = self._calls()
            for _ in range(ROUNDS):
                for candidate, instance in zip(candidates, instances, strict=True):
                    cpu = instance.cpu
                    for number in range(count // ROUNDS + 1):
                        took, result = instance.invoke(candidate.event())
                        assert result["statusCode"] in (200, 202), (result, instance.log())
                        if number:  # the first one after a pause finds cold caches
                            candidate.warm.append(took)
                    candidate.warm_cpu.append((instance.cpu - cpu) / (count // ROUNDS + 1))
            made = {name: now - before.get(name, 0) for name, now in self._calls().items()}
        for candidate in candidates:
            expected = ROUNDS * (count // ROUNDS + 1)
            assert candidate.calls is None or made.get(candidate.calls, expected) == expected, (
                candidate,
                made,
            )

    def imports_of(self, name: str) -> str:
        """What one cold start imports, slowest last: microseconds alone, and with what it imports itself."""
        candidate = next(each for each in CANDIDATES if each.name == name)
        with self._instance(name, {"PYTHONPROFILEIMPORTTIME": "1"}) as instance:
            instance.invoke(candidate.event())
            lines = [line for line in instance.log().splitlines() if line.startswith("import time:")]
        return "\n".join(sorted(lines[1:], key=lambda line: int(line.split("|")[1])))

    def _instance(self, name: str, more: dict[str, str] | None = None) -> Instance:
        environ = {
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_SESSION_TOKEN": "benchmark",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": self._url,
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "CAUSEWAY_ENVIRONMENT": "production",
            "CAUSEWAY_PLAN": str(self._built.folder / "opt/plan"),
            "CAUSEWAY_SECRETS_PREFIX": "/benchmark/causeway",
            "CAUSEWAY_DELIVERIES_URL": f"{self._url}/123456789012/deliveries",
            "CAUSEWAY_DELIVERIES_FIFO_URL": f"{self._url}/123456789012/deliveries.fifo",
            "CAUSEWAY_POLLS_URL": f"{self._url}/123456789012/polls.fifo",
            "CAUSEWAY_DEAD_LETTERS_URL": f"{self._url}/123456789012/dead-letters",
            "CAUSEWAY_JOURNAL": "journal",
            "CAUSEWAY_STATE_TABLE": "state",
            "CAUSEWAY_SEALING_KEY": "sealing",
            "CAUSEWAY_PAYLOADS": "payloads",
            "CAUSEWAY_BUS": "bus",
            "POWERTOOLS_SERVICE_NAME": f"benchmark-{name}",
            "POWERTOOLS_METRICS_NAMESPACE": "Causeway",
        }
        return Instance(
            rie=self._rie,
            python=self._built.python,
            folder=self._built.folder / name,
            path=[self._built.folder / "opt/python", self._built.folder / "runtime"],
            environ=environ | (more or {}),
        )

    def _calls(self) -> dict[str, int]:
        with urlopen(f"{self._url}/calls") as answer:
            return json.load(answer)


def report(candidates: dict[str, Candidate]) -> None:
    """Print the table and what became of the goals."""
    print(
        f"{'':14}{'INIT ms':>9}{'least':>7}{'first ms':>10}{'CPU':>7}{'warm p50 ms':>13}{'p99':>7}{'CPU':>7}"
    )
    for each in candidates.values():
        line = f"{each.name:14}{statistics.median(each.init):9.1f}{min(each.init):7.1f}"
        line += f"{statistics.median(each.first):10.1f}{min(each.cpu):7.1f}"
        if each.warm:
            line += f"{statistics.median(each.warm):13.2f}{statistics.quantiles(each.warm, n=100)[98]:7.2f}"
            line += f"{min(each.warm_cpu):7.2f}"
        print(line)
    for goal, of, peer, bound in GOALS:
        if {"webhook", peer} <= candidates.keys():
            ours, theirs = (statistics.median(getattr(candidates[name], of)) for name in ("webhook", peer))
            verdict = "reached" if ours <= bound * theirs else "MISSED"
            print(f"{goal}: {ours / theirs:.2f}, goal {bound}: {verdict}")


if __name__ == "__main__":
    main()

"""The local cloud that a storm goes over: its map, its processes, its minutes, and what is read of it afterwards."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from causeway.aws.client import AwsError
from causeway.aws.dynamodb import from_item
from causeway.aws.table import Table
from causeway.delivery.pauses import Pauses
from causeway.events.identity import delivery_id
from causeway.operations import books
from causeway.operations.replays import Replays
from causeway.operations.selecting import Selection
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway_cli.account import local_aws
from causeway_cli.local.stack import Stack
from tests.chaos.storm.judging import PLACES, SYSTEM, Evidence
from tests.chaos.storm.target import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.aws.table import Item
    from tests.chaos.storm.target import Exchange
    from tests.support.local_cloud import LocalCloud

SECRET = "whsec_" + "c3Rvcm0gaW4gYSBnbGFzcyBvZiB3YXRlciwgMzIgYnk="
SECRET_NAME = f"{SYSTEM}/webhook"

INVOCATION = 10
"""Seconds that a batch may take; whoever is killed is missed for so long."""

_MINUTE = 14  # seconds that one of the scheduler's may take: it works for 4 of them
_KILLED = ("ProcessorFunction",) * 4 + ("WebhookFunction", "SchedulerFunction")
_KILLS_EVERY = (1.5, 4.0)
_HAS_WORKED = 1.2  # times the processor's time that it takes to start: who is killed before was never any use
_KNOWN_AFTER = 5.5  # seconds after which every instance knows that an integration is resumed
_REPLAYED_WITHIN = 15.0
_DEPTHS = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]

_SENDER = f"""\
system: {SYSTEM}
description: Sends events.
webhooks: {{scheme: standard-webhooks, secrets: [{SECRET_NAME}]}}
"""

_CALLED = """\
system: {name}
description: Takes events, in bad weather.
api:
  base_url: http://127.0.0.1:{port}
  allow_private: [127.0.0.0/8]
  timeout: {timeout}s
  circuit_breaker: {{failures: 60%, of_at_least: 10, within: 10s, open_for: 2s}}
"""

_INTEGRATION = """\
integration: {name}
owner: {{team: storm, email: storm@example.com}}
source: {{system: {source}, events: ["*"]}}
flow: {flow}
target: {{system: {name}, post: /{name}}}
frequency: {{expect_every: never}}
errors: {{retry: {{first: 1s, factor: 1.5, max: 3s}}, give_up_after: 1d}}
"""

_FLOWS = {
    "stepped": "{steps: [{name: reserve, system: stepped, post: /stepped/reserve, body: '${data}'}]}",
    "ordered": "{order_by: data.customer}",
}


def write_map(directory: Path, port: int) -> None:
    """The five integrations, each with a system of its own."""
    (directory / "systems").mkdir(parents=True)
    (directory / "environments").mkdir()
    (directory / "environments" / "dev.yaml").write_text("{}\n")
    (directory / "systems" / f"{SYSTEM}.yaml").write_text(_SENDER)
    for name in PLACES:
        system = _CALLED.format(name=name, port=port, timeout=int(TIMEOUT))
        (directory / "systems" / f"{name}.yaml").write_text(system)
        text = _INTEGRATION.format(name=name, source=SYSTEM, flow=_FLOWS.get(name, "{}"))
        (directory / f"{name}.yaml").write_text(text)


class World:
    """A running local cloud with that map; a context manager under which it is a dangerous place.

    Args:
        cloud: The local cloud.
        seed: Decides when which process is killed.
        kill: Whether any is.
    """

    def __init__(self, cloud: LocalCloud, seed: int, *, kill: bool) -> None:
        self.cloud = cloud
        self.clock = SystemClock()
        self.kills: Counter[str] = Counter()
        self.pauses: dict[str, list[tuple[float, float]]] = {}
        self._dice = random.Random(f"{seed}/world")
        self._functions = Stack(cloud.clients, cloud.running["stack"]).functions()
        self._outputs = cloud.outputs
        self._queues = [url for name, url in self._outputs.items() if name.startswith("Deliveries")]
        self._aws = local_aws(cloud.running["endpoint"])
        self.journal = Table(self._aws, self._outputs["Journal"])
        state = Table(self._aws, self._outputs["State"])
        self._pauses = Pauses(state, self.clock)
        queue = Queue(
            self._aws,
            url=self._outputs["DeliveriesUrl"],
            fifo_url=self._outputs["DeliveriesFifoUrl"],
            bucket=self._outputs["Payloads"],
        )
        self._replays = Replays(journal=self.journal, state=state, queue=queue, clock=self.clock)
        self._quiet_until = 0.0
        self._replayed_at = 0.0
        self._over = threading.Event()
        works = [self._minutes, self._resume, *([self._kill] if kill else [])]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        started = [used for name in set(_KILLED) for _, used in self._processes(name)]
        self._to_start = _HAS_WORKED * max(started, default=1.0)
        self._shorten_waits()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def replay_the_dead(self) -> None:
        """What was given up starts afresh, unless it is about to."""
        if time.time() > self._replayed_at + _REPLAYED_WITHIN:
            self._replayed_at = time.time()
            self._replays.start(Selection(sorted(PLACES)), by="the storm", rate=200.0)

    def lose(self, most: int) -> int:
        """Take messages off the queue, as a build does that forgets deliveries; how many there were."""
        url = self._outputs["DeliveriesUrl"]
        sqs = self.cloud.clients("sqs")
        taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most).get("Messages", [])
        for each in taken:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return len(taken)

    def deliver(self, *, enabled: bool) -> None:
        """Let the queues be read, or not."""
        functions = self.cloud.clients("lambda")
        for each in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=each["UUID"], Enabled=enabled)

    def items(self) -> dict[str, Item]:
        """The journal's deliveries, by id."""
        pages = (
            self.cloud.clients("dynamodb").get_paginator("scan").paginate(TableName=self._outputs["Journal"])
        )
        found = (from_item(item) for page in pages for item in page["Items"])
        return {item["id"]: item for item in found if item["part"] == "delivery"}

    def on_queue(self) -> int:
        """Messages on the queues, under way among them."""
        total = 0
        for url in self._queues:
            parameters = {"QueueUrl": url, "AttributeNames": _DEPTHS}
            answer = self._aws.call("sqs", "GetQueueAttributes", parameters)
            total += sum(int(count) for count in answer["Attributes"].values())
        return total

    def evidence(self, events: Mapping[str, str], exchanges: list[Exchange], since: float) -> Evidence:
        """What there is to judge by."""
        log = self.cloud.clients("lambda").get_function_configuration(
            FunctionName=self._functions["WebhookFunction"]
        )["LoggingConfig"]["LogGroup"]
        hours = range(int(since // books.HOUR), int(time.time() // books.HOUR) + 1)
        kept = [
            book
            for hour in hours
            for book in books.close(
                self.journal,
                hour * books.HOUR,
                books.accepted_in(self._aws, log, hour * books.HOUR),
                sorted(PLACES),
            )
        ]
        ours = {delivery_id(SYSTEM, event, integration) for event in events for integration in PLACES}
        items = {id_: item for id_, item in self.items().items() if id_ in ours}
        return Evidence(events, exchanges, items, kept, self.pauses, self.on_queue())

    def _shorten_waits(self) -> None:
        """Short invocations, so that whoever is killed in one is missed soon."""
        functions, sqs = self.cloud.clients("lambda"), self.cloud.clients("sqs")
        for name, seconds in (("ProcessorFunction", INVOCATION), ("SchedulerFunction", _MINUTE)):
            functions.update_function_configuration(FunctionName=self._functions[name], Timeout=seconds)
        for url in self._queues:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(INVOCATION + 1)})

    def _kill(self) -> None:
        """Kill processes of functions at random moments."""
        while not self._over.wait(self._dice.uniform(*_KILLS_EVERY)):
            name = self._dice.choice(_KILLED)
            at_work = [process for process, used in self._processes(name) if used > self._to_start]
            if at_work:
                with suppress(ProcessLookupError):
                    os.kill(self._dice.choice(at_work), signal.SIGKILL)
                    self.kills[name] += 1

    def _processes(self, name: str) -> list[tuple[int, float]]:
        return _processes(self._functions[name], self.cloud.process.pid)

    def _minutes(self) -> None:
        """Have the scheduler's minutes come faster."""
        while not self._over.wait(0.5):
            if time.time() >= self._quiet_until:
                with suppress(ClientError, BotoCoreError):  # it was killed
                    self.cloud.clients("lambda").invoke(FunctionName=self._functions["SchedulerFunction"])

    def _resume(self) -> None:
        """Resume what its target has paused."""
        while not self._over.wait(1.0):
            for integration in PLACES:
                with suppress(AwsError):
                    self._resume_if_paused(integration)

    def _resume_if_paused(self, integration: str) -> None:
        pause = self._pauses.now(integration)
        if pause.since is None or time.time() < pause.since + 2:
            return
        # Who still believes in the pause parks what is released: the next minute comes once all know better.
        self._quiet_until = time.time() + _KNOWN_AFTER
        self.pauses.setdefault(integration, []).append((pause.since, time.time()))
        self._pauses.resume(integration, by="the storm", rate=200.0)


def _processes(function: str, cloud: int) -> list[tuple[int, float]]:
    """A function's processes, and the seconds of a processor that each has used.

    They are in the group of the emulator, which this very cloud's process has started.
    """
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError):
                process = int(place.name)
                named = wanted in (place / "environ").read_bytes().split(b"\0")
                if named and int(_stat(os.getpgid(process))[1]) == cloud:
                    ticks = sum(map(int, _stat(process)[11:13]))
                    found.append((process, ticks / os.sysconf("SC_CLK_TCK")))
    return sorted(found)


def _stat(process: int) -> list[str]:
    """Source: proc_pid_stat(5): after the command in parentheses come the state, the parent ..."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()

"""A local cloud that is a dangerous place: processes of its functions are killed, and its minutes come faster."""

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

from causeway.aws.dynamodb import from_item
from causeway.aws.table import Table
from causeway.operations.replays import Replays
from causeway.operations.selecting import Selection
from causeway.queueing.queue import Queue
from causeway.settings.clock import SystemClock
from causeway_cli.account import local_aws
from causeway_cli.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from causeway.aws.table import Item
    from tests.support.local_cloud import LocalCloud

MINUTE = 14
"""Seconds that one of the scheduler's minutes may take: it works for 4 of them."""

_REPLAYED_WITHIN = 15.0
_DEPTHS = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]


class RoughCloud:
    """A running local cloud; a context manager under which it is rough.

    Args:
        cloud: The local cloud. What its functions have used by now is what it takes to start them.
        seed: Decides when which process is killed.
        killed: Whose processes, by the functions' logical names; those that are named twice, twice as often.
        every: So many seconds are between two kills: from, to.
        worked: A process is killed when it has had so many times the processor's time that it takes to start. Who is
            killed before was never any use; and the higher it is, the less of a busy machine goes into starting.
        minutes: So many seconds are between two of the scheduler's minutes.
        invocations: Seconds that an invocation may take, by logical names: who is killed in one is missed for so
            long.
        queues: The outputs that name the queues from which those functions read, with the seconds for which a
            message is theirs.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        seed: str,
        *,
        killed: Sequence[str],
        every: tuple[float, float],
        worked: float = 1.2,
        minutes: float = 0.5,
        invocations: Mapping[str, int],
        queues: Mapping[str, int],
    ) -> None:
        self.cloud = cloud
        self.clock = SystemClock()
        self.outputs = cloud.outputs
        self.functions = Stack(cloud.clients, cloud.running["stack"]).functions()
        self.aws = local_aws(cloud.running["endpoint"])
        self.journal = Table(self.aws, self.outputs["Journal"])
        self.state = Table(self.aws, self.outputs["State"])
        queue = Queue(
            self.aws,
            url=self.outputs["DeliveriesUrl"],
            fifo_url=self.outputs["DeliveriesFifoUrl"],
            bucket=self.outputs["Payloads"],
        )
        self._replays = Replays(journal=self.journal, state=self.state, queue=queue, clock=self.clock)
        self._replayed_at = 0.0
        self.killed: list[tuple[float, str]] = []
        self._names, self._every, self._minutes_every = killed, every, minutes
        self._dice = random.Random(seed)
        self._queues = [self.outputs[name] for name in queues]
        self._over = threading.Event()
        works = [self._minutes, *self.works(), *([self._kill] if killed else [])]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        started = self._used(killed) or self._used(self.functions)
        self._to_start = worked * max(started, default=1.0)
        self._shorten_waits(invocations, queues)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def kills(self) -> Counter[str]:
        """How often a function's process was killed."""
        return Counter(name for _, name in self.killed)

    def works(self) -> Sequence[Callable[[], None]]:
        """What else goes on meanwhile, each in a thread of its own, until ``_over``."""
        return ()

    def is_minute(self) -> bool:
        """Whether the scheduler may have its next minute."""
        return True

    def replay_the_dead(self, integrations: Sequence[str]) -> None:
        """What was given up starts afresh, unless it is about to."""
        if time.time() > self._replayed_at + _REPLAYED_WITHIN:
            self._replayed_at = time.time()
            self._replays.start(Selection(integrations), by="the test", rate=200.0)

    def kill(self, name: str, *, used: float = 0.0) -> bool:
        """Kill one of a function's processes that has had more of a processor's seconds; whether there was one."""
        at_work = [process for process, had in self._processes(name) if had > used]
        if not at_work:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._dice.choice(at_work), signal.SIGKILL)
            self.killed.append((time.time(), name))
            return True
        return False

    def items(self) -> dict[str, Item]:
        """The journal's deliveries, by id."""
        scan = self.cloud.clients("dynamodb").get_paginator("scan")
        pages = scan.paginate(TableName=self.outputs["Journal"])
        found = (from_item(item) for page in pages for item in page["Items"])
        return {item["id"]: item for item in found if item["part"] == "delivery"}

    def on_queue(self) -> int:
        """Messages on the queues, under way among them."""
        total = 0
        for url in self._queues:
            parameters = {"QueueUrl": url, "AttributeNames": _DEPTHS}
            answer = self.aws.call("sqs", "GetQueueAttributes", parameters)
            total += sum(int(count) for count in answer["Attributes"].values())
        return total

    def _shorten_waits(self, invocations: Mapping[str, int], queues: Mapping[str, int]) -> None:
        functions, sqs = self.cloud.clients("lambda"), self.cloud.clients("sqs")
        for name, seconds in {**invocations, "SchedulerFunction": MINUTE}.items():
            functions.update_function_configuration(FunctionName=self.functions[name], Timeout=seconds)
        for name, seconds in queues.items():
            attributes = {"VisibilityTimeout": str(seconds)}
            sqs.set_queue_attributes(QueueUrl=self.outputs[name], Attributes=attributes)

    def _kill(self) -> None:
        """Kill processes of functions at random moments."""
        while not self._over.wait(self._dice.uniform(*self._every)):
            self.kill(self._dice.choice(self._names), used=self._to_start)

    def _used(self, names: Iterable[str]) -> list[float]:
        return [used for name in set(names) for _, used in self._processes(name)]

    def _processes(self, name: str) -> list[tuple[int, float]]:
        return _processes(self.functions[name], self.cloud.process.pid)

    def _minutes(self) -> None:
        """Have the scheduler's minutes come faster."""
        while not self._over.wait(self._minutes_every):
            if self.is_minute():
                with suppress(ClientError, BotoCoreError):  # it was killed
                    self.cloud.clients("lambda").invoke(FunctionName=self.functions["SchedulerFunction"])


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

"""The local cloud as a user starts it: `causeway dev` in a process of its own, with a state of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import urllib3

from causeway_cli.account import local_clients
from causeway_cli.local.server import free_port

if TYPE_CHECKING:
    from types import TracebackType

CAUSEWAY = str(Path(sys.executable).with_name("causeway"))


class LocalCloud:
    """A running `causeway dev`; a context manager.

    Args:
        home: A directory of its own, for its state and its output.
        arguments: Of `causeway dev`, beside its port.
        ready_within: Seconds.
    """

    def __init__(self, home: Path, *arguments: str, ready_within: float = 60) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = os.environ | {"CAUSEWAY_STATE": str(home / "state")}
        self._arguments = arguments
        self._ready_within = ready_within
        self._log = home / "dev.log"
        self._http = urllib3.PoolManager(timeout=35.0, retries=False, maxsize=16)

    def __enter__(self) -> Self:
        started = time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [CAUSEWAY, "dev", "--port", str(self.port), *self._arguments],
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while f"ready {self.url}" not in self.output:
            if self.process.poll() is not None or time.monotonic() > started + self._ready_within:
                self._end()
                raise AssertionError(self.output)
            time.sleep(0.05)
        self.ready_after = time.monotonic() - started
        self.running = json.loads((self.home / "state" / "local.json").read_bytes())
        self.clients = local_clients(self.running["endpoint"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.clear()
        self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)  # a machine may have other work to do

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        stack = self.clients("cloudformation").describe_stacks(StackName=self.running["stack"])["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def physical(self, logical: str) -> str:
        """The physical id of one of the stack's resources."""
        found: str = self.clients("cloudformation").describe_stack_resource(
            StackName=self.running["stack"], LogicalResourceId=logical
        )["StackResourceDetail"]["PhysicalResourceId"]
        return found

    def post(self, system: str, body: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """What the provider does."""
        return self._http.request("POST", f"{self.url}/webhooks/{system}", body=body, headers=headers)

    @property
    def key(self) -> str:
        """The key that it has printed for its API."""
        found: str = self.output.partition("answers to this key: ")[2].split()[0]
        return found

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """What a client does."""
        return self._http.request(method, self.url + path, json=body, headers=headers)

    def causeway(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Another command, while it runs."""
        return subprocess.run(
            [CAUSEWAY, *arguments], env=self.environ, input=stdin, capture_output=True, text=True, check=False
        )

    def wait_for_output(self, text: str, *, seconds: float = 10) -> str:
        """Return its output once a text stands in it."""
        give_up = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < give_up, self.output
            time.sleep(0.1)
        return self.output


def message(sqs: Any, url: str, text: str, *, seconds: float = 15) -> dict[str, Any]:
    """Take the message in which a text stands from a queue, and those before it; an AssertionError if none comes."""
    give_up = time.monotonic() + seconds
    while True:
        assert time.monotonic() < give_up, f"no message with {text!r} within {seconds} s"
        taken = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get(
            "Messages", []
        )
        for each in taken:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        for each in taken:
            if text in each["Body"]:
                found: dict[str, Any] = json.loads(each["Body"])
                return found

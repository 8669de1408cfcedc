"""Starting and stopping the emulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.request import urlopen

from causeway_cli.account import LOCAL_KEY, LOCAL_REGION
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

START_WITHIN = 15.0  # seconds
STOP_WITHIN = 5.0  # seconds


def free_port() -> int:
    """A port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(port: int, scratch: Path) -> dict[str, str]:
    """The emulator's environment, which functions inherit: nothing of the caller's own AWS is in it."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAUSEWAY_"))
    }
    return inherited | {
        "AUTH": "true",  # IAM is enforced, each function under its own role
        "AWS_ACCESS_KEY_ID": LOCAL_KEY,
        "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": "127.0.0.1",
        "DOCKER_HOST": "unix:///nonexistent",  # it would look for containers of its own
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_REGION": LOCAL_REGION,
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(scratch),  # unpacked functions and layers
    }


def is_emulator(endpoint: str) -> bool:
    """Whether ministack answers there."""
    try:
        with urlopen(f"{endpoint}/_ministack/health", timeout=1) as answer:  # noqa: S310 - what the user named
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


class Emulator:
    """A running emulator.

    Args:
        directory: Of this run; holds the emulator's log and what it unpacks.

    Raises:
        CommandError: It did not start.
    """

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._log = directory / "emulator.log"
        scratch = directory / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "causeway_cli.local.emulator"],
                env=_environment(self.port, scratch),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process, the leader of the group that holds the functions' processes too."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        give_up = time.monotonic() + START_WITHIN
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                break
            if is_emulator(self.endpoint):
                return
            time.sleep(0.05)
        self.stop()
        raise CommandError(f"the emulator of AWS did not start: see {self._log}")

    def stop(self) -> None:
        """End it and all functions' processes."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_WITHIN)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # whoever is left of its group
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

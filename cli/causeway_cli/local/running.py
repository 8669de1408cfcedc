"""The local cloud last started from this checkout: how other commands find it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from causeway_cli.errors import CommandError
from causeway_cli.local.paths import state

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Running:
    """What ``.causeway/local.json`` holds."""

    port: int  # of the HTTP API
    endpoint: str  # of its AWS
    stack: str
    environment: str
    integrations: str  # the map's directory
    plan: str  # the compiled plan's directory
    pid: int

    @property
    def url(self) -> str:
        """The HTTP API."""
        return f"http://127.0.0.1:{self.port}"


def _file() -> Path:
    return state() / "local.json"


def publish(running: Running) -> None:
    """Let other commands find it."""
    new = _file().with_suffix(".new")
    new.write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")
    new.replace(_file())


def withdraw(pid: int) -> None:
    """Let other commands no longer find it, unless another one was started since."""
    with suppress(OSError, ValueError):
        if json.loads(_file().read_bytes())["pid"] == pid:
            _file().unlink()


def find() -> Running:
    """The local cloud that runs.

    Raises:
        CommandError: None does.
    """
    try:
        running = Running(**json.loads(_file().read_bytes()))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        raise CommandError("no local cloud is running: start one with `causeway dev`") from None
    return running

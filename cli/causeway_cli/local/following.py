"""The functions' logs, as they come in, one readable line each."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from causeway.settings.clock import from_rfc3339

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from causeway_cli.local.console import DevConsole

SOON, LATER = 0.3, 1.0
"""Seconds until the next look, while lines come and while none do: a look asks for each function's."""

_STYLES = {"ERROR": "bad", "CRITICAL": "bad", "WARNING": "wait"}
_LEFT_OUT = {
    "accepted_at",
    "accepted_in",
    "deliveries",
    "function_request_id",
    "integration",
    "level",
    "location",
    "message",
    "sampling_rate",
    "service",
    "system",
    "timestamp",
    "xray_trace_id",
}
"""Keys that are shown elsewhere in the line, or lead to what is not here."""


class Follower:
    """Reads log groups of CloudWatch Logs and prints what functions write there.

    Args:
        logs: CloudWatch Logs' client.
        groups: The functions' log groups.
        console: Where to print.
        since: Lines from then on, in epoch seconds; None: from now on.
        late: A line may come in so many seconds after later ones of other streams, as on AWS.
    """

    def __init__(
        self,
        logs: Any,
        groups: Iterable[str],
        console: DevConsole,
        *,
        since: float | None = None,
        late: float = 0,
    ) -> None:
        self._logs = logs
        self._console = console
        self._late = int(late * 1000)
        self._since = dict.fromkeys(groups, int((time.time() if since is None else since) * 1000))
        self._seen: dict[str, set[tuple[str, ...]]] = {group: set() for group in self._since}

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop."""
        pause = SOON
        while not stop.wait(pause):
            pause = LATER
            try:
                for line in self.new():
                    show(line, self._console.event)
                    pause = SOON
            except (ClientError, BotoCoreError) as error:
                self._console.event("logs", "unread", str(error), style="bad")
            self._console.flush()

    def new(self) -> Iterator[dict[str, Any]]:
        """The lines that were written since it was asked last."""
        for group, since in self._since.items():
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            events = [event for page in pages for event in page["events"]]
            fresh = [event for event in events if _identity(event) not in self._seen[group]]
            if fresh:
                latest = max(event["timestamp"] for event in fresh)
                self._since[group] = again = max(since, latest - self._late)
                self._seen[group] = {_identity(event) for event in events if event["timestamp"] >= again}
            for event in fresh:
                yield from _parsed(event["message"])


def _identity(event: dict[str, Any]) -> tuple[str, ...]:
    """The emulator gives log events no id; a line stands once in its stream, which is one invocation's."""
    return event["logStreamName"], event["message"]


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    """A line of JSON; Lambda's own lines are left out."""
    try:
        line = json.loads(text)
    except ValueError:
        return
    if isinstance(line, dict):
        yield line


def show(line: dict[str, Any], event: Callable[..., None]) -> None:
    """Print a function's log line, or the metrics of what it delivered."""
    if "_aws" in line:
        latencies = line.get("DeliveryLatency", []) if "integration" in line else []
        for latency in latencies if isinstance(latencies, list) else [latencies]:
            detail = f"{latency / 1000:.2f} s after it came"
            event(line["integration"], "delivered", detail, style="ok", at=line["_aws"]["Timestamp"] / 1000)
    elif line.get("message") != "batch":
        event(
            str(line.get("integration") or line.get("system") or _function(line)),
            str(line.get("message", "")),
            "  ".join(_details(line)),
            style=_STYLES.get(str(line.get("level")), "info"),
            at=_time_of(line),
        )


def _function(line: dict[str, Any]) -> str:
    """Which one wrote a line; its ``service`` is ``STACK-FUNCTION``."""
    return str(line.get("service", "")).rpartition("-")[2]


def _details(line: dict[str, Any]) -> Iterator[str]:
    for name, value in line.items():
        if name in _LEFT_OUT or value in (None, {}, [], 0, ""):
            continue
        yield f"{name}={','.join(value) if isinstance(value, dict) else value}"


def _time_of(line: dict[str, Any]) -> float | None:
    try:
        return from_rfc3339(str(line["timestamp"]))
    except (KeyError, ValueError):
        return None

"""The process in which ministack runs: `python -m causeway_cli.local.emulator`.

It is ministack as it comes, but for the few differences from AWS that would otherwise reach the template or
the code, each a small function here; and it never outlives the process that started it, which holds the other
end of its standard input.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import lambda_svc

_OF_A_GROUP = 6
"""So many colons has the ARN of a log group: arn:aws:logs:REGION:ACCOUNT:log-group:NAME."""

_HEARD_WITHIN = 1.0
"""Seconds in which what a function said is read, on a machine that is busy."""


def _die_with_parent() -> None:
    """End this process and the functions' processes, its group, when standard input closes."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True, name="die-with-parent").start()


def _authorize_batches_as_aws_does() -> None:
    """Ask for sqs:SendMessage where a batch is sent, and so on: IAM has no actions for SQS batches."""
    extract = iam_actions.extract_iam_action

    def extract_iam_action(*arguments: Any) -> str | None:
        action: str | None = extract(*arguments)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_iam_action


def _authorize_each_parameter() -> None:
    """Ask for ssm:GetParameters on every parameter that is named, as AWS does, not on ``*``."""
    extract, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_resource_arn(service: str, *arguments: Any) -> str:
        _, _, headers, body, _, region, account = arguments
        if service != "ssm" or not headers.get("x-amz-target", "").endswith(".GetParameters"):
            return str(extract(service, *arguments))
        names = [name.lstrip("/").partition(":")[0] for name in json.loads(body)["Names"]]
        return "\n".join(f"arn:aws:ssm:{region}:{account}:parameter/{name}" for name in names)

    def enforce_each(*arguments: Any, resource_arn: str = "*", **others: Any) -> Any:
        for arn in resource_arn.split("\n"):
            if denied := enforce(*arguments, resource_arn=arn, **others):
                return denied
        return None

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_each


def _authorize_log_groups_as_aws_does() -> None:
    """Ask for logs:FilterLogEvents on the streams of a group, as AWS does; its ARN ends in ``:*``."""
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, *arguments: Any) -> str:
        arn = str(extract(service, *arguments))
        return f"{arn}:log-stream:" if service == "logs" and arn.count(":") == _OF_A_GROUP else arn

    iam_actions.extract_resource_arn = extract_resource_arn


def _count_loopback_as_encrypted() -> None:
    """Let policies that insist on TLS hold: what never leaves this machine cannot be read on its way."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


def _let_invocations_end() -> None:
    """Replace a function's processes, after a change, when their invocations have ended, as Lambda does."""
    kill = lambda_runtime.kill_workers

    def kill_when_done(worker: Any) -> None:
        with worker._lock:  # noqa: SLF001 - held for the time of an invocation
            kill([worker])

    def kill_workers(workers: Any) -> None:
        present = [worker for worker in workers if worker is not None]
        kill([worker for worker in present if not worker.in_use])
        for worker in present:
            if worker.in_use:
                threading.Thread(target=kill_when_done, args=(worker,), daemon=True).start()

    lambda_runtime.kill_workers = kill_workers


def _tell_why_invocations_fail() -> None:
    """Have an invocation that fails say why in its log, as Lambda does: a bad import leaves nothing else."""
    execute = lambda_svc._execute_function_warm  # noqa: SLF001

    def execute_function(func: Any, event: Any, request_id: str) -> Any:
        result = execute(func, event, request_id)
        if result.get("error"):
            name = func["config"]["FunctionName"]
            line = failure(name, request_id, result["body"], now=datetime.now(UTC))
            result["log"] = "\n".join(filter(None, [result.get("log", "").rstrip(), line]))
        return result

    lambda_svc._execute_function_warm = execute_function  # noqa: SLF001


def failure(function: str, request_id: str, body: Any, *, now: datetime) -> str:
    """The line of a failed invocation, by what it is answered with."""
    said = body if isinstance(body, dict) else {}
    line = {
        "timestamp": now.isoformat(timespec="milliseconds"),
        "level": "ERROR",
        "service": function,
        "message": "the invocation failed",
        "errorType": said.get("errorType", "Unhandled"),
        "errorMessage": said.get("errorMessage", ""),
        "requestId": request_id,
    }
    return json.dumps(line)


def _hear_functions_out() -> None:
    """Keep all that a function said before it answered: ministack waits for its next line for 5 ms only.

    What comes later would be in the log with the next invocation of that process, or never.
    """
    drain = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001 - there is no other way

    def drain_wholly(worker: Any, **_: float) -> str:
        process, until = worker._proc, time.monotonic() + _HEARD_WITHIN  # noqa: SLF001 - likewise
        pipe = process.stderr if process is not None and process.poll() is None else None
        while pipe is not None and select.select([pipe], [], [], 0)[0] and time.monotonic() < until:
            time.sleep(0.001)
        return str(drain(worker, first_line_wait=0.1, idle_confirm=0.02))

    lambda_runtime.Worker._drain_stderr_bounded = drain_wholly  # noqa: SLF001 - likewise


def main() -> None:
    """Run ministack until the parent ends it or ends."""
    if os.getpgrp() != os.getpid():
        raise SystemExit("the emulator is started by `causeway dev`, as the leader of a process group")
    _die_with_parent()
    os.environ.pop(
        "LOG_LEVEL", None
    )  # meant for ministack, which has read it; functions would take it for theirs
    _authorize_batches_as_aws_does()
    _authorize_each_parameter()
    _authorize_log_groups_as_aws_does()
    _count_loopback_as_encrypted()
    _let_invocations_end()
    _tell_why_invocations_fail()
    _hear_functions_out()
    try:
        app.main()
    finally:
        lambda_runtime.reset()  # the functions' processes, and their unpacked code


if __name__ == "__main__":
    main()

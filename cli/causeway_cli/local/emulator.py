"""The process in which ministack runs: `python -m causeway_cli.local.emulator`.

It is ministack as it comes, but for the few differences from AWS that would otherwise reach the template or the
code (each in :data:`causeway_cli.local.differences.BEHAVIOUR`), and it never outlives the process that started it:
that one holds the other end of its standard input.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from ministack import app
from ministack.core import iam_actions, lambda_runtime


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


def _count_loopback_as_encrypted() -> None:
    """Let policies that insist on TLS hold: what never leaves this machine cannot be read on its way."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


def main() -> None:
    """Run ministack until the parent ends it or ends."""
    if os.getpgrp() != os.getpid():
        raise SystemExit("the emulator is started by `causeway dev`, as the leader of a process group")
    _die_with_parent()
    _authorize_batches_as_aws_does()
    _count_loopback_as_encrypted()
    try:
        app.main()
    finally:
        lambda_runtime.reset()  # the functions' processes, and their unpacked code


if __name__ == "__main__":
    main()

"""One minute of the scheduler: its tasks, side by side, since some of them wait for their pace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from aws_lambda_powertools.logging import Logger

    class Task(Protocol):
        """What is done each minute."""

        def __call__(self, *, until: float) -> int:
            """Work until then (epoch seconds), or until all is done; return the count of it."""


MARGIN = 10.0
"""Seconds at the end of an invocation in which nothing is begun any more."""


class MinuteFailed(Exception):  # noqa: N818 - it is told once all is done
    """Some of the tasks failed; the others are done."""


def run_tasks(tasks: Mapping[str, Task], *, until: float, logger: Logger) -> dict[str, int]:
    """Run each task; one that fails keeps no other from running.

    Args:
        tasks: By the name of what each counts.
        until: When they have to end. What is left over then is the next minute's.
        logger: Hears of failures.

    Returns:
        What each has counted.

    Raises:
        MinuteFailed: some failed, so that the function counts as failed, too.
    """
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = {name: pool.submit(task, until=until) for name, task in tasks.items()}
    done, failed = {}, []
    for name, future in futures.items():
        if error := future.exception():
            failed.append(name)
            logger.error("a task of the minute failed", task=name, reason=f"{type(error).__name__}: {error}")
        else:
            done[name] = future.result()
    logger.info("minute", counts=done)
    if failed:
        raise MinuteFailed(f"failed: {', '.join(failed)}")
    return done

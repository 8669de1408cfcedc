"""The scheduler's minute."""

import threading

import pytest

from causeway.scheduling.minute import MinuteFailed, run_tasks
from causeway.telemetry.logs import logger


def test_each_task_is_told_when_to_end_and_counts_for_itself():
    tasks = {"eight": lambda until: int(until) + 1, "nine": lambda until: int(until) + 2}
    assert run_tasks(tasks, until=7.0, logger=logger()) == {"eight": 8, "nine": 9}


def test_a_task_that_fails_keeps_no_other_from_running_and_fails_the_minute(capsys):
    ran = []

    def fails(until):
        raise RuntimeError("no table")

    def runs(until):
        ran.append(until)
        return 1

    with pytest.raises(MinuteFailed, match="bad"):
        run_tasks({"bad": fails, "good": runs}, until=1.0, logger=logger())
    assert ran == [1.0]
    assert "no table" in capsys.readouterr().out


def test_a_task_that_waits_for_its_pace_keeps_no_other_waiting():
    both = threading.Barrier(2, timeout=10)

    def waits(until):
        both.wait()
        return 0

    assert run_tasks({"one": waits, "two": waits}, until=1.0, logger=logger()) == {"one": 0, "two": 0}

"""The fuzz run goes, finds nothing in a moment, and finds what there is to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from tests.fuzz.webhooks import Run, vector_of

ROOT = Path(__file__).parents[2]


def test_nothing_is_found_in_a_short_run():
    run = Run(seed=7)
    found = run.go_on(seconds=60, most=4000)
    assert found is None, vector_of(found)
    assert len(run.corpus) > len(run.kinds)
    assert run.accepted > len(run.kinds)


def test_a_run_can_be_repeated():
    def said(seed: str) -> str:
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.webhooks",
            "--only",
            "stripe",
            "--requests",
            "300",
            "--seed",
            seed,
        ]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert said("1") == said("1")
    assert said("1").split(":")[1] != said("2").split(":")[1]


def test_an_exception_is_found():
    def careless(one: bytes, two: bytes) -> bool:
        if len(one) != len(two):
            raise KeyError
        return one == two

    with patch("causeway.webhooks.algorithms.compare_digest", careless):
        found = Run(seed=1, only="github").go_on(seconds=60, most=5000)
    assert found
    assert "raised KeyError" in found.problem
    assert "github" in vector_of(found)


def test_a_body_that_nobody_signed_is_found():
    with patch("causeway.webhooks.algorithms.compare_digest", lambda _one, _two: True):
        found = Run(seed=1, only="github").go_on(seconds=60, most=5000)
    assert found
    assert found.problem == "another body was accepted"

"""Tests of what `sam build` made, for one architecture: CAUSEWAY_BUILT names its `.aws-sam`. Run by .ci/run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BUILT = os.environ.get("CAUSEWAY_BUILT")
collect_ignore_glob = [] if BUILT else ["*"]


@pytest.fixture(scope="session")
def built() -> Path:
    """The directory `build` of a `.aws-sam`, which is named for its architecture."""
    return Path(BUILT or "") / "build"

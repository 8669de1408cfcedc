"""What the watchdog's tests share."""

from __future__ import annotations

import pytest

from tests.support.deliveries import Stage
from tests.support.watching import Watched


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def watched(stage):
    return Watched(stage)

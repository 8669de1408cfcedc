"""Fixtures of what clients are answered."""

import pytest

from tests.support.requests import CREATED, Asking, plan_for


@pytest.fixture
def stage():
    stage = Asking(plan_for())
    stage.target.on("/entries", CREATED)
    return stage

"""What tests of calls share: a server on loopback, and what asks it."""

from __future__ import annotations

import pytest

from causeway.calls.transport import Transport
from tests.support.target import Target


@pytest.fixture
def target():
    with Target() as running:
        yield running


@pytest.fixture
def transport():
    made = Transport(max_answer=1000)
    yield made
    made.close()

"""An authorization server, and instances that share what it grants."""

from __future__ import annotations

import pytest

from causeway.settings.clock import SettableClock
from tests.support.memory_aws import MemoryAws
from tests.support.token_server import TokenServer
from tests.support.tokens import DatedSecrets, Instance, close_all, oauth, seal_with

DAY = 86_400


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def server(clock):
    with TokenServer(clock.now) as running:
        yield running


@pytest.fixture
def memory(clock):
    memory = MemoryAws(clock)
    seal_with(memory)
    return memory


@pytest.fixture
def secrets(clock):
    return DatedSecrets(clock, secret="s3cret", refresh="refresh-0")


@pytest.fixture
def instance(memory, secrets, clock, server):
    """Makes instances with the same state."""

    def make(**changes):
        return Instance(memory, secrets, clock, oauth(server.url, **changes))

    return make

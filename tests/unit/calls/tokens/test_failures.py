"""A token that could not be had: how long whoever wants it is told so, and no server asked."""

import pytest

from causeway.calls.asking import NotAuthorized
from causeway.calls.failures import Failures
from causeway.calls.grants import GrantKey
from causeway.calls.outcome import Refused
from causeway.settings.clock import SettableClock
from causeway.settings.secrets import SecretMissing, SecretsUnavailable

KEY = GrantKey("ledger", "1")


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def failures(clock):
    return Failures(clock)


def later(retry_after=None):
    return Refused("the server is down", kind="http", retry=True, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(later(), 1, id="later"),
        pytest.param(later(7.0), 7, id="as long as the server asks for"),
        pytest.param(later(3600.0), 60, id="but a minute at most"),
        pytest.param(NotAuthorized("put another secret"), 30, id="for good, until an operator has mended it"),
    ],
)
def test_it_stands_for_a_while(failures, clock, error, seconds):
    failures.note(KEY, error)
    clock.advance(seconds - 0.1)
    told = failures.of(KEY)
    assert (type(told), vars(told), str(told)) == (type(error), vars(error), str(error))
    clock.advance(0.2)
    assert failures.of(KEY) is None


def test_it_concerns_that_grant_alone(failures):
    failures.note(KEY, later())
    assert failures.of(GrantKey("ledger", "2")) is None


@pytest.mark.parametrize("error", [SecretMissing("secret"), SecretsUnavailable("no time"), OSError("disk")])
def test_a_fault_of_ours_says_nothing_of_the_server(failures, error):
    failures.note(KEY, error)
    assert failures.of(KEY) is None


def test_it_is_over_when_there_is_a_token(failures):
    failures.note(KEY, later(60.0))
    failures.forget(KEY)
    assert failures.of(KEY) is None


def test_each_thread_raises_an_exception_of_its_own(failures):
    failures.note(KEY, later())
    assert failures.of(KEY) is not failures.of(KEY)

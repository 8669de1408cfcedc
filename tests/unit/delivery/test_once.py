"""Powertools' idempotency over the journal: it says when, the delivery says what, and its wrappers stay inside."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from causeway.delivery.journal import NotClaimed
from causeway.delivery.once import once

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)


class Delivery:
    """One that writes down what it is asked."""

    def __init__(self, id_="a" * 32, **raising):
        self.id = id_
        self.raising = raising
        self.told = []

    def _tell(self, name):
        self.told.append(name)
        if name in self.raising:
            raise self.raising[name]

    def claim(self):
        self._tell("claim")

    def run(self, *, delivery_id):
        assert delivery_id == self.id
        self._tell("run")

    def succeeded(self):
        self._tell("succeeded")

    def failed(self, error):
        assert error is self.raising["run"]
        self._tell("failed")


def test_it_is_claimed_run_and_settled_in_this_order():
    delivery = Delivery()
    once(delivery, CONTEXT)
    assert delivery.told == ["claim", "run", "succeeded"]


def test_a_failure_is_written_down_and_then_raised_as_it_was():
    error = ValueError("no")
    delivery = Delivery(run=error)
    with pytest.raises(ValueError, match="no") as raised:
        once(delivery, CONTEXT)
    assert raised.value is error
    assert delivery.told == ["claim", "run", "failed"]


@pytest.mark.parametrize("status", ["running", "waiting", "delivered", "dead"])
def test_what_may_not_run_does_not_and_says_what_it_met(status):
    refused = NotClaimed({"status": status, "ticket": "0000.000001"})
    delivery = Delivery(claim=refused)
    with pytest.raises(NotClaimed) as raised:
        once(delivery, CONTEXT)
    assert raised.value is refused
    assert delivery.told == ["claim"]


@pytest.mark.parametrize("where", ["claim", "succeeded"])
def test_what_kept_the_journal_from_being_written_is_raised_unwrapped(where):
    error = OSError("the table is away")
    with pytest.raises(OSError, match="the table is away") as raised:
        once(Delivery(**{where: error}), CONTEXT)
    assert raised.value is error


def test_what_kept_a_failure_from_being_written_is_raised_instead_of_it():
    error = OSError("the table is away")
    with pytest.raises(OSError, match="the table is away"):
        once(Delivery(run=ValueError("no"), failed=error), CONTEXT)


def test_nothing_is_remembered_between_deliveries_or_shared_between_threads():
    barrier = threading.Barrier(8, timeout=5)

    class Slow(Delivery):
        def run(self, *, delivery_id):
            barrier.wait()
            super().run(delivery_id=delivery_id)

    deliveries = [Slow(f"{number:032x}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda delivery: once(delivery, CONTEXT), deliveries))
    assert all(delivery.told == ["claim", "run", "succeeded"] for delivery in deliveries)
    once(deliveries[0].__class__.__base__("0" * 32), CONTEXT)

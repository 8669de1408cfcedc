"""Never more calls than a limit allows in any time as long as its period, whatever instances do, and when."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.table import Table
from causeway.limiting.leases import Concurrency
from causeway.limiting.rates import Rate, shards, share, slack, slots
from causeway.limiting.reservations import AHEAD, Reservations
from causeway.settings.clock import SettableClock
from tests.support.instances import most_in_a_window
from tests.support.memory_aws import MemoryAws

rates = st.builds(
    Rate,
    requests=st.integers(1, 60),
    per=st.sampled_from([1.0, 2.0, 10.0, 60.0, 3600.0]),
    burst=st.integers(1, 10),
)
doings = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 12), st.floats(0, 3), st.lists(st.floats(0, 1), max_size=12)),
    max_size=40,
)
"""Who reserves, how many, after how long, and how late each call is, of what a slot allows."""


def within(times, rate):
    """Whether calls obey a limit; a tenth of a millisecond aside, since epoch seconds are rounded."""
    return most_in_a_window(times, rate.per - 1e-4) <= rate.requests + rate.burst - 1


class Racing(Table):
    """A table in which somebody else is faster, now and then."""

    rival = None

    def update(self, *arguments, **named):
        if self.rival is not None:
            rival, self.rival = self.rival, None
            rival()
        return super().update(*arguments, **named)


@given(st.lists(rates, min_size=1, max_size=3), doings)
def test_in_any_window_there_are_never_more_calls_than_every_limit_allows(limits, doings):
    clock = SettableClock()
    aws = MemoryAws(clock)
    tables = [Racing(aws, "state") for _ in range(4)]
    instances = [Reservations(table, clock) for table in tables]
    calls = []

    def reserve(who, count, lateness):
        found = instances[who].reserve("ledger", limits, count)
        late = [*lateness, *[0.0] * len(found)]
        calls.extend(slot + part * slack(limits) for slot, part in zip(found, late, strict=False))

    for number, (who, count, pause, lateness) in enumerate(doings):
        clock.advance(pause)
        if number % 3 == 0:  # another one gets in between the reading and the writing of this one
            tables[who].rival = lambda who=who: reserve((who + 1) % 4, 2, [])
        reserve(who, count, lateness)
        tables[who].rival = None
    assert all(within(calls, rate) for rate in limits)
    assert all(call <= clock.now() + AHEAD + 1 for call in calls)


@given(st.lists(rates, min_size=1, max_size=3), st.integers(1, 50))
def test_slots_are_handed_out_in_order_and_none_twice_by_a_limit_without_burst(limits, count):
    even = [rate._replace(burst=1) for rate in limits]
    found, _ = slots(even, [0.0] * len(even), count, start=1000.0, horizon=1e9)
    assert len(found) == count
    assert found[0] == 1000.0
    spacing = max(rate.spacing for rate in even)
    assert all(b - a >= spacing - 1e-6 for a, b in itertools.pairwise(found))


@given(st.integers(1, 5000), st.sampled_from([1.0, 10.0]), st.integers(1, 20))
def test_the_parts_of_a_limit_are_together_never_more_than_it(requests, per, burst):
    rate = Rate(requests, per, burst)
    parts = shards([rate])
    assert parts * share(rate, parts).requests <= requests
    assert share(rate, parts).requests >= 1


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(1, 4), st.booleans(), st.floats(0, 40)), max_size=40
    ),
)
def test_no_more_calls_at_once_are_leased_than_the_limit(limit, doings):
    clock = SettableClock()
    aws = MemoryAws(clock)
    instances = {name: Concurrency(Table(aws, "state"), clock) for name in "abcd"}
    alive = {}
    for number, (name, wanted, gives_back, pause) in enumerate(doings):
        clock.advance(pause)
        alive = {holder: lease for holder, lease in alive.items() if lease[1] > clock.now()}
        if gives_back and alive:
            holder = next(iter(alive))
            instances[name].give_back("ledger", holder=holder)
            del alive[holder]
        until = clock.now() + 60
        got = instances[name].lease("ledger", limit, wanted, holder=f"{name}{number}", until=until)
        assert got == min(wanted, limit - sum(count for count, _ in alive.values()))
        if got:
            alive[f"{name}{number}"] = (got, until)

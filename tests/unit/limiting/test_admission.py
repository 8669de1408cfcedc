"""One invocation's calls at a system."""

import pytest

from causeway.aws.errors import AwsError
from causeway.aws.table import ConditionFailed, Table
from causeway.calls.outcome import Answer, Refused
from causeway.limiting.admission import Admissions
from causeway.limiting.health import Healths
from causeway.limiting.leases import Concurrency
from causeway.limiting.reservations import Reservations
from causeway.limiting.turns import Held, Limits, Turn, Wanted, rates_of
from causeway.settings.clock import SettableClock
from tests.support.memory_aws import MemoryAws

RULE = {"failures": 0.7, "of_at_least": 10, "within": 300.0, "open_for": 30.0}
OK = Answer(200, {}, None, 0.1)
NO_ANSWER = Refused("no answer", kind="timeout", retry=True)
TOO_MANY = Refused("too many", kind="http", retry=True, answer=Answer(429, {}, None, 0.1))


@pytest.fixture
def aws():
    return MemoryAws(SettableClock())


def limits_of(aws, **api):
    state, clock = Table(aws, "state"), aws.clock
    return Limits.of(
        {"ledger": {"name": "ledger", "description": "", "redact": [], "api": api}},
        state,
        clock,
        jitter=lambda: 0.0,
    )


def admissions(limits, name="one", deliveries=1):
    wanted = {"ledger": Wanted(deliveries, deliveries)}
    return Admissions(limits, holder=name, until=limits.clock.now() + 60, wanted=wanted)


def opened(aws):
    """Limits under which the ledger's circuit is open and due."""
    limits = limits_of(aws, circuit_breaker=RULE)
    limits.healths.count("ledger", RULE, [(aws.clock.now(), True)] * 10)
    aws.clock.advance(31)
    return limits


class TestRequests:
    def test_each_of_a_call_has_a_slot_of_its_own(self, aws):
        limits = limits_of(aws, rate_limits=[{"requests": 1, "per": 1.0, "burst": 1}])
        began = []
        with admissions(limits).calling("ledger", Turn()) as call:
            for _ in range(2):
                with call.request():
                    began.append(aws.clock.now())
        assert began[1] - began[0] >= 1

    def test_the_slot_that_a_delivery_brings_is_good_for_one(self, aws):
        limits = limits_of(aws, rate_limits=[{"requests": 1, "per": 60.0, "burst": 1}])
        (slot,) = limits.reservations.reserve("ledger", rates(limits), 1)
        with (
            admissions(limits).calling("ledger", Turn(slot, let_go=True)) as call,
            call.request(),
        ):
            pass
        with (
            late(aws, admissions(limits).calling("ledger", Turn(slot, let_go=True))) as call,
            pytest.raises(Held) as held,
            call.request(),
        ):
            pass
        assert held.value.at > slot + 60


def late(aws, context):
    """Two seconds later."""
    aws.clock.advance(2)
    return context


def rates(limits):
    return rates_of(limits.systems["ledger"]["api"])


class TestPlaces:
    def test_an_invocation_takes_more_when_others_give_theirs_back(self, aws):
        limits = limits_of(aws, concurrency=2)
        first, second = admissions(limits, "one", 2), admissions(limits, "two", 2)
        with first.calling("ledger", Turn()) as call, call.request():
            pass
        with second.calling("ledger", Turn()) as call, pytest.raises(Held) as held, call.request():
            pass
        assert (held.value.at, held.value.full) == (None, True), "it waits in the journal"
        first.end()
        aws.clock.advance(1)
        with (
            second.calling("ledger", Turn()) as one,
            one.request(),
            second.calling("ledger", Turn()) as other,
            other.request(),
        ):
            pass

    def test_one_that_grows_never_takes_what_others_have(self, aws):
        concurrency = limits_of(aws, concurrency=5).concurrency
        until = aws.clock.now() + 60
        assert concurrency.lease("ledger", 5, 3, holder="one", until=until) == 3
        assert concurrency.lease("ledger", 5, 9, holder="two", until=until) == 2
        assert concurrency.lease("ledger", 5, 9, holder="one", until=until) == 3
        concurrency.give_back("ledger", holder="one")
        assert concurrency.lease("ledger", 5, 9, holder="two", until=until) == 5

    def test_when_others_wait_in_the_journal_whoever_was_not_let_go_takes_none(self, aws):
        limits = limits_of(aws, concurrency=2)
        limits.healths.wait("ledger", full=True)
        mine = admissions(limits)
        with mine.calling("ledger", Turn()) as call, pytest.raises(Held), call.request():
            pass
        with mine.calling("ledger", Turn(1.0, let_go=True)) as call, call.request():
            pass


class TestCircuit:
    def test_what_began_before_it_closed_does_not_count_after_it(self, aws):
        """Calls that time out late, of another time, must not open it again."""
        limits = opened(aws)
        late = admissions(limits)
        calls = [(aws.clock.now() - 20, True)] * 10
        with admissions(limits).calling("ledger", Turn()) as probe, probe.request():
            probe.answered(OK)
        assert not limits.healths.of("ledger").is_open
        limits.healths.count("ledger", RULE, calls)
        late.end()
        assert not limits.healths.of("ledger").is_open
        limits.healths.count("ledger", RULE, [(aws.clock.now(), True)] * 10)
        assert limits.healths.of("ledger").is_open

    @pytest.mark.parametrize("told", [None, TOO_MANY])
    def test_a_probe_that_says_nothing_of_its_health_lets_the_next_one_probe_at_once(self, aws, told):
        limits = opened(aws)
        with admissions(limits).calling("ledger", Turn()) as probe, probe.request():
            if told:
                probe.refused(told)
        with admissions(limits, "two").calling("ledger", Turn()) as probe, probe.request():
            probe.answered(OK)
        assert not limits.healths.of("ledger").is_open

    def test_there_is_no_second_one_while_it_is_made(self, aws):
        limits = opened(aws)
        with (
            admissions(limits).calling("ledger", Turn()) as probe,
            probe.request(),
            admissions(limits_of(aws, circuit_breaker=RULE), "two").calling("ledger", Turn()) as second,
            pytest.raises(Held) as held,
            second.request(),
        ):
            pass
        assert held.value.kind == "circuit"

    def test_the_second_request_of_a_probe_is_the_same_probe(self, aws):
        limits = opened(aws)
        with admissions(limits).calling("ledger", Turn()) as probe:
            with probe.request():
                pass
            with probe.request():
                pass
            probe.refused(NO_ANSWER)
        assert limits.healths.of("ledger").open_until == aws.clock.now() + 30

    def test_with_a_circuit_breaker_a_429_counts_neither_way(self, aws):
        limits = limits_of(aws, circuit_breaker=RULE)
        mine = admissions(limits)
        for refused in [NO_ANSWER] * 9 + [TOO_MANY] * 9:
            with mine.calling("ledger", Turn()) as call, call.request():
                call.refused(refused)
        mine.end()
        assert limits.healths.of("ledger").counts[0][1:] == [9, 9]


class Contended(Table):
    """A table in which somebody else is always faster."""

    def update(self, *_, **__):
        raise ConditionFailed({"version": 1, "reached": [1.0], "leases": {}})


def test_what_is_written_by_too_many_is_our_fault_and_not_a_system_that_has_had_enough(aws):
    state = Contended(aws, "state")
    with pytest.raises(AwsError, match="too many"):
        Reservations(state, aws.clock).reserve("ledger", rates(limits_of(aws, rate_limits=RATES)), 1)
    with pytest.raises(AwsError, match="too many"):
        Concurrency(state, aws.clock).lease("ledger", 5, 1, holder="one", until=aws.clock.now() + 60)
    with pytest.raises(AwsError, match="too many"):
        Healths(state, aws.clock).hold("ledger", aws.clock.now() + 60)


RATES = [{"requests": 20, "per": 1.0, "burst": 1}]

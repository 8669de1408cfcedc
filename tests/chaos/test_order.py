"""Order is kept, and nothing lost, wherever a function is cut off while keys are parked and worked off."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.aws.client import AwsError
from causeway.delivery.going_on import KEY, wake
from causeway.queueing.sending import NotQueued
from tests.support.crashes import Crash, Effects, until_quiet
from tests.support.deliveries import FIFO
from tests.support.order import OrderedStage

LATER = {"errors": {"retry": {"first": 600.0, "factor": 3.0, "max": 21600.0}}}
SLOW = (503, {}, {"retry-after": "600"})


def first_time(*refused, answer=503):
    """The target refuses these events' first attempts."""
    return lambda _, number, attempt: answer if number in refused and attempt == 1 else 200


SCENARIOS = {
    "all is well": ({}, lambda *_: 200),
    "a short wait": ({}, first_time(0)),
    "a parked key": (LATER, first_time(0)),
    "a parked key that is parked again on its way": (LATER, first_time(0, 2)),
    "a parked key whose second waits for a moment": ({}, first_time(0, 1, answer=SLOW)),
    "a head that dies": (LATER, lambda _, number, __: 404 if number == 0 else 200),
    "a parked key whose second dies": (
        LATER,
        lambda _, number, attempt: (
            (503 if attempt == 1 else 200) if number == 0 else 404 if number == 1 else 200
        ),
    ),
}


def carry_out(scenario, effects):
    plan, answers = SCENARIOS[scenario]
    stage = OrderedStage(wrap=effects.wrap, **plan)
    stage.answers = answers
    for _ in range(3):
        stage.accept_next("ann")
    effects.restart()
    with suppress(Crash):
        stage.invoke()
    stage.accept_next("ann")  # the key may be parked by now
    until_quiet(stage, effects, most=2000)
    return stage


def effects_of(scenario):
    effects = Effects()
    carry_out(scenario, effects)
    return len(effects.seen)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_wherever_it_is_cut_off_order_is_kept_and_all_is_delivered(scenario, after):
    undisturbed = carry_out(scenario, Effects())
    undisturbed.check_settled()
    # Cut off after an effect is mostly as cut off before the next one.
    for number in range(0, effects_of(scenario), 3 if after else 1):
        effects = Effects([number], after=after)
        stage = carry_out(scenario, effects)
        stage.check_settled(cut_off=1)
        more = len(stage.target.asked) - len(undisturbed.target.asked)
        assert more <= 1, f"cut off at {number}, {effects.seen[number]}: {more} requests more"


@pytest.mark.parametrize("scenario", ["a parked key", "a parked key that is parked again on its way"])
def test_two_crashes_are_no_more_than_two_attempts(scenario):
    undisturbed = len(carry_out(scenario, Effects()).target.asked)
    count = effects_of(scenario)
    for first in range(0, count, 11):
        for second in range(first + 1, count, 13):
            stage = carry_out(scenario, Effects([first, second]))
            stage.check_settled(cut_off=2)
            assert len(stage.target.asked) <= undisturbed + 2


def test_a_delivery_that_crashes_its_process_is_given_up_and_the_next_goes_on():
    effects = Effects()
    stage = OrderedStage(wrap=effects.wrap, **LATER)
    stage.answers = first_time(0)
    effects.poison = lambda name, arguments: (
        name == "exchange" and b'"n":1' in arguments[0][0].body.replace(b" ", b"")
    )
    deliveries = [stage.accept_next("ann") for _ in range(4)]
    until_quiet(stage, effects, most=2000)
    assert [stage.item(each)["status"] for each in deliveries] == [
        "delivered",
        "dead",
        "delivered",
        "delivered",
    ]
    assert stage.item(deliveries[1])["error"] == "crashed"
    assert stage.came("ann") == [0, 0, 2, 3]
    stage.check_settled()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_key_that_was_cut_off_as_its_integration_was_paused_is_found_by_the_resume(after):
    """Not only a day later, when the scheduler looks at what waits for a pause."""
    number = 0
    while True:
        effects = Effects()
        stage = OrderedStage(wrap=effects.wrap)
        stage.tools.pauses.pause(NAME, by="ann", reason="test")
        for _ in range(2):
            stage.accept_next("ann")
        effects.crash_at, effects.after = {len(effects.seen) + number}, after
        with suppress(Crash):
            stage.invoke()
        if not effects.crashes:
            break
        effects.restart()
        stage.clock.advance(400)
        stage.invoke()
        stage.tools.pauses.resume(NAME, by="ann", rate=100)
        stage.clock.advance(10)
        stage.resuming.run(until=stage.clock.now() + 60)
        while stage.invoke() is not None:
            pass
        assert stage.came("ann") == [0, 1], f"cut off at {number}"
        stage.check_settled(cut_off=1)
        number += 1
    assert number > 5


actions = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.sampled_from(["ann", "ann", "bob", "cleo"])),
        st.tuples(st.just("invoke"), st.none() | st.integers(0, 25), st.booleans(), st.integers(1, 10)),
        st.tuples(st.just("fault"), st.integers(0, 15)),
        st.tuples(st.just("schedule"), st.none() | st.integers(0, 6)),
        st.tuples(st.just("wait"), st.sampled_from([1, 6, 70, 400, 4000])),
        st.tuples(st.just("pause")),
        st.tuples(st.just("resume")),
        st.tuples(st.just("repeat"), st.sampled_from(["ann", "bob"])),
        st.tuples(st.just("spurious"), st.integers(0, 3)),
    ),
    min_size=5,
    max_size=40,
)
answers = st.sampled_from([200, 200, 200, 404, 503, 500, "timeout", SLOW, (429, {}, {"retry-after": "30"})])
NAME = "orders-to-ledger"


class History:
    """A stage on which anything may happen."""

    def __init__(self, script):
        self.effects = Effects()
        self.fault_at = None
        breaker = {"failures": 0.9, "of_at_least": 4, "within": 300.0, "open_for": 30.0}
        self.stage = OrderedStage(wrap=self._wrap, ledger={"circuit_breaker": breaker})
        self.stage.answers = lambda *_: script.pop(0) if script else 200
        self.repeats = 0

    def _wrap(self, thing):
        counted = self.effects.wrap(thing)
        if hasattr(thing, "exchange"):
            return counted
        call = counted.call

        def failing(service, operation, parameters):
            if self.fault_at is not None and len(self.effects.seen) >= self.fault_at:
                self.fault_at = None
                raise AwsError("InternalServerError", "", 403)
            return call(service, operation, parameters)

        counted.call = failing
        return counted

    def _cut_off(self, function, crash_in, *, after=False):
        self.effects.crash_at = set() if crash_in is None else {len(self.effects.seen) + crash_in}
        self.effects.after = after
        self.effects.restart()
        with suppress(Crash, AwsError, NotQueued):
            function()
        self.effects.crash_at = set()
        self.effects.restart()

    def accept(self, customer):
        self.stage.accept_next(customer)

    def repeat(self, customer):
        """The provider sends an event again."""
        if self.stage.accepted[customer]:
            self.repeats += 1
            data = {"customer": customer, "n": 0}
            self.stage.accept(f"{customer}-0", acceptance=f"repeat-{self.repeats}", data=data)

    def spurious(self, number):
        """A message to a key that nobody needs, as the scheduler sends one too many after a crash."""
        waiting = [item for item in self.stage.items() if "order" in item]
        if waiting:
            self.stage.tools.queue.send([wake(waiting[number % len(waiting)])])

    def invoke(self, crash_in, after, limit):
        self._cut_off(lambda: self.stage.invoke(limit), crash_in, after=after)

    def fault(self, ahead):
        self.fault_at = len(self.effects.seen) + ahead

    def schedule(self, crash_in):
        def minute():
            self.stage.schedule()
            self.stage.freeing.run(until=self.stage.clock.now() + 1)
            self.stage.resuming.run(until=self.stage.clock.now() + 1)

        self._cut_off(minute, crash_in)

    def wait(self, seconds):
        self.stage.clock.advance(seconds)

    def pause(self):
        with suppress(AwsError):
            self.stage.tools.pauses.pause(NAME, by="ann", reason="history")

    def resume(self):
        with suppress(AwsError):
            self.stage.tools.pauses.resume(NAME, by="ann", rate=100)

    def heal(self):
        self.fault_at = None
        self.effects.restart()
        self.resume()
        self.stage.resuming.run(until=self.stage.clock.now() + 60)
        self.stage.until_quiet(most=3000)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions, st.lists(answers, max_size=40))
def test_whatever_happens_nothing_overtakes_and_nothing_is_lost(history, script):
    world = History(list(script))
    for name, *arguments in history:
        with suppress(AwsError, NotQueued):
            getattr(world, name)(*arguments)
    world.heal()
    faults = sum(name == "fault" for name, *_ in history)
    world.stage.check_settled(cut_off=world.effects.crashes + faults)


def test_random_failures_of_many_keys_never_change_the_order_of_one():
    dice = random.Random(2)
    stage = OrderedStage(jitter=0.5)
    stage.answers = lambda *_: dice.choice([200, 200, 200, 500, 503, 404])
    for number in range(240):
        stage.accept_next(f"customer-{number % 12}")
    stage.until_quiet(most=20_000)
    stage.check_settled()


def test_twenty_thousand_of_one_key_hold_nobody_else():
    """The head of one key is refused for an hour while 20,000 wait behind it; others are delivered meanwhile."""
    count, others, looked_at = 20_000, 40, 200
    stage = OrderedStage(errors={"retry": {"first": 3600.0, "factor": 1.0, "max": 3600.0}})
    stage.target.seconds = 0.05
    stage.answers = lambda customer, number, attempt: (
        503 if (customer, number, attempt) == ("ann", 0, 1) else 200
    )
    for _ in range(others):
        stage.accept_all([*["ann"] * (count // others), "bob"])
    invocations = 0
    while stage.invoke() is not None:
        invocations += 1
        assert invocations > 10 or stage.came("ann") == [0]
        assert invocations != 10 or stage.came("bob") == list(range(others)), (
            "they wait for a key that is not theirs"
        )
    assert not len(stage.memory.queues[FIFO]), "what waits is not in flight"
    assert stage.came("ann") == [0]

    stage.clock.advance(3700)
    stage.schedule()
    stage.accept_next("ann")
    while len(stage.came("ann")) <= looked_at:
        before = stage.clock.now()
        stage.invoke()
        assert stage.clock.now() - before < 6, "one key keeps an invocation from others"
    came = stage.came("ann")
    assert came == [0, *range(len(came) - 1)]
    assert not stage.violations
    (group,) = {item["order"] for item in stage.items() if item["id"].startswith(KEY)}
    left = [int(place.message["event"]["data"]["n"]) for place in stage.tools.order_keys.waiting(group, 100)]
    assert left[0] in (len(came) - 1, len(came))
    assert left == list(range(left[0], left[-1] + 1)), "the rest waits in order"
    assert left[-1] in (count - 1, count)

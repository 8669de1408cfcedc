"""Whatever happens to deliveries in whatever order, none is lost and none is done by two chains.

Hypothesis invents a history: repeats by the provider, redeliveries by SQS, crashes, failing AWS calls, a target that
refuses, pauses and resumes, long silences. Then the disturbances end, and what has to hold does.
"""

from __future__ import annotations

import random
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.operations import books
from causeway.queueing.sending import NotQueued
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import QUEUE, Stage, call_of, plan_of

STEPS = [{"name": "make", "call": call_of("/make")}, {"name": "look", "call": call_of("/look", method="GET")}]
NAME = "orders-to-ledger"
EVENTS = ["evt_1", "evt_2", "evt_3"]

GONE = 410
answers = st.sampled_from(
    [200, 200, 201, 400, 409, GONE, 500, 503, "connection", "timeout", (429, {}, {"retry-after": "2000"})]
)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), st.sampled_from(EVENTS), st.sampled_from(["one", "two"])),
        st.tuples(st.just("redeliver"), st.integers(0, 5)),
        st.tuples(st.just("invoke"), st.none() | st.integers(0, 12), st.booleans()),
        st.tuples(st.just("fault"), st.integers(0, 12)),
        st.tuples(st.just("schedule")),
        st.tuples(st.just("wait"), st.sampled_from([1, 6, 70, 400, 4000])),
        st.tuples(st.just("replay")),
        st.tuples(st.just("pause")),
        st.tuples(st.just("resume"), st.sampled_from([0.5, 5, 100])),
    ),
    max_size=25,
)


class History:
    """A stage on which anything may happen."""

    def __init__(self, steps):
        self.effects = Effects()
        self.faults = set()
        self.stage = Stage(plan_of(steps=steps), wrap=self._wrap)
        self.accepted = set()
        self.acceptances = {}  # when each was

    def _wrap(self, thing):
        counted = self.effects.wrap(thing)
        if hasattr(thing, "exchange"):
            return counted
        call = counted.call

        def failing(service, operation, parameters):
            if len(self.effects.seen) in self.faults:
                self.faults.clear()
                raise AwsError("InternalServerError", "", 403)
            return call(service, operation, parameters)

        counted.call = failing
        return counted

    def accept(self, event, acceptance):
        """The provider sends an event; what is accepted already is a message that SQS delivers again."""
        name = f"{event}-{acceptance}"
        at = self.acceptances.setdefault(name, self.stage.clock.now())
        self.accepted.add(self.stage.accept(event, acceptance=name, accepted_at=at))

    def redeliver(self, number):
        """SQS delivers at least once: a message is visible again although somebody has it."""
        messages = self.stage.memory.queues[QUEUE]
        if messages:
            message = messages[number % len(messages)]
            self.stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": message.body})

    def invoke(self, crash_in, after):
        self.effects.crash_at = set() if crash_in is None else {len(self.effects.seen) + crash_in}
        self.effects.after = after
        self.effects.restart()
        with suppress(Crash):
            self.stage.invoke()
        self.effects.crash_at = set()
        self.effects.restart()

    def fault(self, ahead):
        self.faults = {len(self.effects.seen) + ahead}

    def schedule(self):
        with suppress(AwsError, NotQueued):
            self.stage.schedule()
            self.stage.resuming.run(until=self.stage.clock.now() + 1)

    def wait(self, seconds):
        self.stage.clock.advance(seconds)

    def replay(self):
        self.stage.replay()

    def pause(self):
        with suppress(AwsError):
            self.stage.tools.pauses.pause(NAME, by="ann", reason="history")

    def resume(self, rate):
        with suppress(AwsError):
            self.stage.tools.pauses.resume(NAME, by="ann", rate=rate)

    def heal(self):
        self.faults.clear()
        self.effects.restart()
        self.resume(100)
        self.stage.resuming.run(until=self.stage.clock.now() + 60)
        self.stage.until_quiet(most=2000)

    def books(self):
        """The books of all hours in which anything was accepted."""
        journal = Table(self.stage.memory, "journal")
        hours = {at // books.HOUR * books.HOUR for at in self.acceptances.values()}
        return [book for hour in hours for book in books.close(journal, hour, [NAME], lambda _: ())]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions, st.lists(answers, min_size=1, max_size=12), st.booleans())
def test_every_accepted_event_is_delivered_or_dead_and_told_of(history, script, with_steps):
    world = History(STEPS if with_steps else [])
    stage = world.stage
    done = {"/entries": {}, "/make": {}}

    def answer(asked):
        given = script.pop(0) if len(script) > 1 else 200
        if given in (200, 201):
            key = asked.headers["idempotency-key"]
            done[asked.path].setdefault(key, []).append(asked.headers["causeway-attempt"])
        return given

    for path in done:
        stage.target.on(path, answer)
    for name, *arguments in history:
        getattr(world, name)(*arguments)
    script[:] = [each for each in script if each != GONE]  # or it would pause what was just resumed
    world.heal()

    delivered, _ = stage.pages()
    letters = {letter["delivery"] for letter in stage.dead_letters()}
    for delivery in world.accepted:
        item = stage.item(delivery)
        assert item["status"] in ("delivered", "dead")
        assert "due_at" not in item
        if item["status"] == "delivered":
            assert delivery in delivered
            assert done["/entries"].get(delivery), "said to be delivered, and the target knows nothing of it"
        else:
            assert item["announced"] is True
            assert delivery in letters or item["ticket"] > "0001"
    for path, successes in done.items():
        extra = sum(len(each) - 1 for each in successes.values())
        assert extra <= world.effects.crashes + sum(name == "fault" for name, *_ in history), (
            f"{path} did something again that neither a crash nor a fault explains"
        )
    assert sum(book.accounted for book in world.books()) == len(world.acceptances)


def test_a_thousand_deliveries_and_a_target_that_refuses_at_random_come_out_even():
    dice = random.Random(1)
    stage = Stage(jitter=0.5)
    stage.target.on("/entries", lambda _: dice.choice([200, 200, 500, 503, 429, 404]))
    deliveries = [stage.accept(f"evt_{number}") for number in range(1000)]
    stage.until_quiet(most=20_000)
    statuses = [stage.item(delivery)["status"] for delivery in deliveries]
    delivered = {delivery for delivery in deliveries if stage.item(delivery)["status"] == "delivered"}
    assert set(statuses) == {"delivered", "dead"}
    assert delivered == set(stage.pages()[0])
    assert {letter["delivery"] for letter in stage.dead_letters()} == set(deliveries) - delivered

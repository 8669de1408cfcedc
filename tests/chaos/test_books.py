"""The books close whatever was cut off, and do not close when deliveries are lost.

Deliveries of all fates (delivered, refused for a while, dead, waiting for long, repeated by the provider, paused) are
carried out while the processor is cut off at random; then the hour's books have to close. Builds that lose deliveries,
each in another way, have to be noticed.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from causeway.aws.client import AwsError
from causeway.aws.table import Table
from causeway.delivery import processor
from causeway.delivery.going_on import message_of
from causeway.delivery.journal import Journal
from causeway.delivery.pages import Pages
from causeway.operations import books
from tests.support.crashes import Crash, Effects
from tests.support.deliveries import QUEUE, Stage, plan_of
from tests.support.logs import line_of

NAME = "orders-to-ledger"
HOUR = 1_699_999_200.0
FATES = [200, 500, 400, "connection", "timeout"]


def a_busy_hour(stage, dice, effects, events=40):
    """What happens in one hour and the two after it; returns what the receiver would have logged."""
    stage.clock.set(HOUR + 5)
    stage.target.on("/entries", lambda _: dice.choice(FATES))
    lines, accepted = [], []
    for number in range(events):
        repeated = accepted and dice.random() < 0.2
        event = dice.choice(accepted) if repeated else f"evt_{number}"
        lines.append(accept(stage, stage.first_message(event, acceptance=f"acceptance-{number}")))
        accepted.append(event)
        if dice.random() < 0.3:
            effects.crash_at = {len(effects.seen) + dice.randrange(30)}
            effects.after = dice.random() < 0.5
            attempt(stage, effects)
        stage.clock.advance(dice.uniform(0, 60))
    effects.crash_at = set()
    until = HOUR + 3 * 3600
    while stage.clock.now() < until:
        while attempt(stage, effects):
            pass
        stage.schedule()
        later = stage.next_thing()
        stage.clock.set(min(until, max(later + 0.001, stage.clock.now() + 1)) if later else until)
    return lines


def attempt(stage, effects):
    effects.restart()
    try:
        return stage.invoke()
    except Crash:
        return True
    finally:
        effects.restart()


def book_of(stage, lines):
    accepted = books.accepted_by(lines, HOUR)
    (book,) = books.close(Table(stage.memory, "journal"), HOUR, [NAME], accepted.__getitem__)
    return book


def accept(stage, *messages):
    """Put messages on the queue; returns the line that says so."""
    stage.send(messages)
    return line_of(messages)


def busy(seed, *, plan=None):
    dice = random.Random(seed)
    effects = Effects()
    stage = Stage(plan_of(errors={"attempts": 4, **(plan or {})}), wrap=effects.wrap)
    lines = a_busy_hour(stage, dice, effects)
    return stage, book_of(stage, lines)


@pytest.mark.parametrize("seed", range(20))
def test_they_close_whatever_was_cut_off(seed):
    _, book = busy(seed)
    assert book.accepted == 40
    assert book.accounted == 40, book
    assert (book.unaccounted, book.surplus, book.lost) == (0, 0, ())


def test_every_fate_is_among_them():
    total = Counter()
    for seed in range(5):
        _, book = busy(seed)
        total.update(
            delivered=book.delivered, waiting=book.waiting, dead=book.dead, duplicates=book.duplicates
        )
    assert min(total[name] for name in ("delivered", "dead", "duplicates")) > 10


def test_a_line_that_was_never_written_is_a_crash_and_harmless():
    stage = Stage()
    stage.clock.set(HOUR + 5)
    stage.accept()
    stage.until_quiet()
    book = book_of(stage, [])
    assert (book.accepted, book.accounted, book.unaccounted, book.surplus) == (0, 1, 0, 1)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_lost_is_named_whatever_else_is_known_that_no_line_says(seed):
    """Messages are lost, and receivers are cut off before their line, in any number, of one integration and hour."""
    dice = random.Random(seed)
    stage = Stage()
    stage.clock.set(HOUR + 5)
    lines, lost, unsaid = [], set(), 0
    for number in range(40):
        event = dice.choice([f"evt_{number}", "evt_0"])  # some are repeats
        message = stage.first_message(event, acceptance=f"acceptance-{number}")
        match dice.choice(["lost", "unsaid", "fine", "fine", "fine"]):
            case "lost" if len(lost) < books.NAMED:
                lines.append(line_of([message]))
                lost.add((message["delivery"], message["acceptance"], event))
            case "unsaid":
                stage.send([message])
                unsaid += 1
            case _:
                lines.append(accept(stage, message))
    stage.until_quiet()
    book = book_of(stage, lines)
    assert set(book.lost) == lost
    assert (book.unaccounted, book.surplus) == (len(lost), unsaid)
    assert book.accepted == 40 - unsaid


def test_more_than_ten_that_are_lost_are_counted_and_ten_of_them_are_named():
    stage = Stage()
    stage.clock.set(HOUR + 5)
    messages = [stage.first_message(f"evt_{number}") for number in range(12)]
    book = book_of(stage, [line_of([each]) for each in messages])
    assert book.unaccounted == 12
    assert [each.event_id for each in book.lost] == [f"evt_{number}" for number in range(10)]


def test_a_line_that_is_read_twice_counts_once_and_one_of_another_hour_not_at_all():
    stage = Stage()
    stage.clock.set(HOUR)
    two = [stage.first_message(event) for event in ("evt_1", "evt_2")]
    again = line_of(two[1:], number=1)  # half of it in another line
    lines = [line_of(two), line_of(two), again, line_of(two, accepted_at=HOUR + 3600), "START x", "7"]
    assert book_of(stage, lines).accepted == 2


def test_what_waits_for_a_pause_is_accounted_for_and_so_are_its_repeats():
    stage = Stage()
    stage.clock.set(HOUR + 5)
    stage.tools.pauses.pause(NAME, by="ann", reason="")
    messages = [stage.first_message(f"evt_{number % 3}", acceptance=str(number)) for number in range(6)]
    lines = [accept(stage, each) for each in messages]
    while stage.invoke():
        pass
    book = book_of(stage, lines)
    assert (book.waiting, book.duplicates, book.unaccounted) == (3, 3, 0)


def test_a_replay_changes_nothing_of_the_sum():
    stage = Stage(plan_of(errors={"keep_events": 1e6}))
    stage.clock.set(HOUR + 5)
    lines = [accept(stage, stage.first_message())]
    stage.until_quiet()
    stage.target.on("/entries", 400)
    item = stage.items()[0]
    stage.tools.queue.send([message_of(item, "0001.000001")])
    stage.until_quiet()
    book = book_of(stage, lines)
    assert (book.delivered, book.dead, book.unaccounted) == (0, 1, 0)


def cut_off(stage, message):
    """An attempt at a message is cut off; whoever looks next finds that its lease has passed."""
    stage.tools.journal.claim(
        message, message["event"], sent_at=stage.clock.now(), lease=stage.clock.now() + 60
    )
    stage.clock.advance(61)


def handle(stage, message):
    """A message comes from the queue, and is dealt with."""
    stage.send([message])
    assert stage.invoke() == {"batchItemFailures": []}


def two_acceptances(stage):
    """Two messages of one delivery, and the lines that say so."""
    stage.clock.set(HOUR + 5)
    messages = [stage.first_message(acceptance=name) for name in ("first", "repeat")]
    return *messages, [line_of([each]) for each in messages]


def test_a_repeat_that_meets_an_attempt_that_was_cut_off_is_a_repeat_all_the_same():
    """And so is one that was listed before, cut off, and comes again: each acceptance counts once."""
    stage = Stage()
    first, repeat, lines = two_acceptances(stage)
    stage.tools.pauses.pause(NAME, by="ann", reason="")
    handle(stage, first)  # waits
    handle(stage, repeat)
    stage.tools.pauses.resume(NAME, by="ann")
    cut_off(stage, first)
    handle(stage, repeat)
    assert stage.item(first["delivery"])["status"] == "running"
    handle(stage, first)
    book = book_of(stage, lines)
    assert (book.accepted, book.delivered, book.duplicates, book.accounted) == (2, 1, 1, 2)


def test_a_repeat_that_was_listed_and_then_took_over_what_it_had_met_counts_once():
    """The provider sent it again, as it did when the queue had been purged; then the first message was found."""
    stage = Stage()
    first, repeat, lines = two_acceptances(stage)
    cut_off(stage, first)
    handle(stage, repeat)
    assert stage.pages() == ([], ["repeat"])
    stage.clock.advance(3600)
    handle(stage, repeat)
    assert stage.item(first["delivery"])["acceptance"] == "repeat"
    assert book_of(stage, lines).unaccounted == 1
    handle(stage, first)
    book = book_of(stage, lines)
    assert (book.accepted, book.delivered, book.duplicates, book.accounted) == (2, 1, 1, 2)


def test_no_repeat_takes_the_place_of_what_waits_without_a_message():
    stage = Stage()
    first, repeat, lines = two_acceptances(stage)
    stage.tools.pauses.pause(NAME, by="ann", reason="")
    handle(stage, first)  # waits
    handle(stage, {**repeat, "ticket": "0000.000002"})
    assert stage.item(first["delivery"])["acceptance"] == "first"
    book = book_of(stage, lines)
    assert (book.waiting, book.duplicates, book.unaccounted) == (1, 1, 0)


def test_nor_that_of_what_is_dead():
    """A dead letter of an acceptance that was forgotten since is moved back to the queue."""
    stage = Stage()
    stage.target.on("/entries", 400)
    first, repeat, lines = two_acceptances(stage)
    handle(stage, repeat)
    handle(stage, {**first, "ticket": "0001.000001"})
    book = book_of(stage, lines)
    assert (book.dead, book.duplicates, book.unaccounted) == (1, 1, 0)


def _nothing(*_, **__):
    return []


def forgets_to_wait(patch):
    """It deletes the message of a refused delivery and writes nothing down."""
    patch.setattr(Journal, "waiting", _nothing)


def says_that_everything_is_done(patch):
    """It never reports a message as failed, and so loses those whose claim failed."""
    honest = processor.process
    calls = iter(range(10**6))

    def failing_claim(self, *arguments, **named):
        if next(calls) % 7 == 0:
            raise AwsError("ThrottlingException", "", 400)
        return claim(self, *arguments, **named)

    claim = Journal.claim
    patch.setattr(Journal, "claim", failing_claim)

    def lying(event, context, tools):
        honest(event, context, tools)
        return {"batchItemFailures": []}

    patch.setattr("tests.support.deliveries.process", lying)


def lists_nothing(patch):
    """It writes no page of what it delivered: nobody could tell it from a loss."""
    patch.setattr(Pages, "write", _nothing)


@pytest.mark.parametrize("broken", [forgets_to_wait, says_that_everything_is_done, lists_nothing])
def test_a_broken_build_is_noticed(broken, monkeypatch):
    broken(monkeypatch)
    retry = {"first": 2000.0, "factor": 1.0, "max": 2000.0}  # such a wait is in the journal only
    stage = Stage(plan_of(errors={"attempts": 4, "retry": retry}))
    lines = a_busy_hour(stage, random.Random(1), Effects())
    book = book_of(stage, lines)
    assert book.unaccounted > 0, book


def test_messages_that_are_lost_on_the_queue_are_noticed():
    stage = Stage()
    stage.clock.set(HOUR + 5)
    lines = [accept(stage, stage.first_message(f"evt_{number}")) for number in range(10)]
    del stage.memory.queues[QUEUE][:3]
    stage.until_quiet()
    assert [each.event_id for each in book_of(stage, lines).lost] == ["evt_0", "evt_1", "evt_2"]


def test_the_last_hour_that_should_close_ended_half_an_hour_ago():
    assert books.last_closed(HOUR + 3600 + 1800) == HOUR
    assert books.last_closed(HOUR + 3600 + 1799) == HOUR - 3600

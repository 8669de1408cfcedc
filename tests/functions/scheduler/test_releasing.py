"""Releasing: what the scheduler puts back on the queue, and how far it goes."""

import json

import pytest

from causeway.delivery import releasing
from causeway.delivery.journal import GRACE
from tests.support.deliveries import QUEUE, Stage

BUSY = (425, {}, {"retry-after": "3600"})
"""Which concerns this delivery, and not its whole system as with 429."""


@pytest.fixture
def stage():
    stage = Stage()
    stage.target.on("/entries", BUSY, 200)
    return stage


def waiting(stage, count):
    stage.target.on("/entries", *[BUSY] * count, 200)
    deliveries = [stage.accept(f"evt_{number}") for number in range(count)]
    while stage.invoke():
        pass
    assert stage.memory.queues[QUEUE] == []
    stage.clock.advance(3700)
    return deliveries


def test_what_is_due_goes_back_with_its_own_ticket_and_without_its_event(stage):
    (delivery,) = waiting(stage, 1)
    assert stage.schedule() == 1
    (sent,) = stage.memory.queues[QUEUE]
    message = json.loads(sent.body)
    assert (message["delivery"], message["ticket"], message["event_at"]) == (
        delivery,
        "0000.000002",
        "journal",
    )
    assert (message["acceptance"], message["integration"], message["system"]) == (
        "one",
        "orders-to-ledger",
        "shop",
    )


def test_it_is_released_once_and_again_only_when_its_message_is_overdue(stage):
    waiting(stage, 1)
    assert stage.schedule() == 1
    stage.clock.advance(60)
    assert stage.schedule() == 0
    stage.memory.queues[QUEUE].clear()  # the message is lost
    stage.clock.advance(GRACE)
    assert stage.schedule() == 1
    stage.until_quiet()
    assert {item["status"] for item in stage.items()} == {"delivered"}


def test_two_messages_of_one_ticket_are_one_attempt(stage):
    waiting(stage, 1)
    stage.schedule()
    stage.clock.advance(GRACE + 1)
    stage.schedule()
    assert len(stage.memory.queues[QUEUE]) == 2
    stage.until_quiet()
    assert len(stage.target.asked) == 2, "the refused one, and one more"


def test_many_are_released_in_batches(stage):
    deliveries = waiting(stage, 65)
    before = stage.memory.count("sqs", "SendMessageBatch")
    assert stage.schedule() == 65
    assert stage.memory.count("sqs", "SendMessageBatch") - before < 30
    stage.until_quiet()
    assert {stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}


def test_near_its_end_it_stops_and_says_so_and_the_next_minute_goes_on(stage, capsys, monkeypatch):
    monkeypatch.setattr(releasing, "CONCURRENCY", 1)
    waiting(stage, 65)
    call = stage.memory.call

    def slow(*arguments):
        stage.clock.advance(1)
        return call(*arguments)

    stage.memory.call = slow
    first = stage.releaser.run(until=stage.clock.now() + 20)
    assert 0 < first < 65
    assert '"level":"WARNING"' in capsys.readouterr().out
    stage.memory.call = call
    assert stage.releaser.run(until=stage.clock.now() + 50) >= 65 - first


def test_what_has_been_claimed_meanwhile_keeps_its_own_time(stage):
    (delivery,) = waiting(stage, 1)
    send = stage.tools.queue.send

    def claimed_first(messages, **named):
        send(messages, **named)
        stage.invoke()

    stage.releaser._queue.send = claimed_first
    stage.schedule()
    assert stage.item(delivery)["status"] == "delivered"
    assert "due_at" not in stage.item(delivery)

"""The stream function carries out what it can at once, and hands everything else to the queue: no shard waits."""

from __future__ import annotations

import base64

import pytest

from causeway.aws.client import AwsError
from causeway.delivery.streaming import LEFT_ALONE
from causeway.queueing.messages import decode
from functions.stream import app
from tests.support.deliveries import QUEUE, Context, Stage, call_of, plan_of
from tests.support.streams import Shard, record_of


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def shard(stage):
    return Shard(stage)


def queued(stage):
    """Messages on the queue, with the seconds until they are visible."""
    return [
        (decode(message.body), round(message.visible_at - stage.clock.now()))
        for message in stage.memory.queues[QUEUE]
    ]


def test_a_batch_is_delivered_with_the_same_journal_as_from_the_queue(stage, shard):
    deliveries = [shard.accept(f"evt_{number}", acceptance=str(number)) for number in range(25)]
    assert shard.invoke() == set()
    assert {asked.headers["idempotency-key"] for asked in stage.target.at("/entries")} == set(deliveries)
    assert {stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}
    assert sorted(stage.pages()[0]) == sorted(deliveries)
    assert stage.memory.queues[QUEUE] == []


def test_a_refusal_goes_on_with_its_next_ticket_on_the_queue(stage, shard):
    stage.target.on("/entries", 500, 200)
    delivery = shard.accept()
    assert shard.invoke() == set()
    ((message, delay),) = queued(stage)
    assert (message["delivery"], message["ticket"]) == (delivery, "0000.000002")
    assert delay == 5
    stage.until_quiet()
    assert stage.item(delivery)["status"] == "delivered"
    assert len(stage.target.at("/entries")) == 2


def test_what_dies_is_dead_as_from_the_queue(stage, shard):
    stage.target.on("/entries", 400)
    delivery = shard.accept()
    assert shard.invoke() == set()
    assert stage.item(delivery)["status"] == "dead"
    assert [letter["delivery"] for letter in stage.dead_letters()] == [delivery]


def test_a_record_that_comes_again_is_delivered_once(stage, shard):
    shard.accept()
    shard.records *= 2
    shard.invoke()
    shard.until_empty()
    stage.until_quiet()
    assert len(stage.target.at("/entries")) == 1


def test_what_has_not_begun_when_the_time_is_up_goes_to_the_queue_as_it_is(stage, shard):
    stage.target.seconds = 9.0
    for number in range(60):
        shard.accept(f"evt_{number}", acceptance=str(number))
    assert shard.invoke() == set()
    assert shard.records == []
    left = queued(stage)
    assert len(left) + len(stage.target.at("/entries")) == 60
    assert {message["ticket"] for message, _ in left} == {"0000.000001"}
    stage.target.seconds = 0.1
    stage.until_quiet()
    assert len(stage.target.at("/entries")) == len(stage.pages()[0]) == 60


def test_a_system_that_was_slow_is_left_to_the_processor_for_a_while(stage, shard):
    stage.target.seconds = 2.0
    shard.accept("evt_1")
    shard.invoke()
    for number in range(2, 30):
        shard.accept(f"evt_{number}", acceptance=str(number))
    begun = stage.clock.now()
    assert shard.invoke() == set()
    assert stage.clock.now() == begun, "the shard did not wait"
    assert len(queued(stage)) == 28
    assert len(stage.target.at("/entries")) == 1
    stage.clock.advance(LEFT_ALONE)
    shard.accept("evt_30", acceptance="30")
    shard.invoke()
    assert len(stage.target.at("/entries")) == 2, "then it is tried again"


def test_a_slow_system_keeps_no_other_one_waiting():
    plan = plan_of()
    other = {
        **plan.integrations["orders-to-ledger"],
        "name": "to-other",
        "target": {"call": call_of(system="other")},
    }
    plan.integrations["to-other"] = other
    plan.systems["other"] = {**plan.systems["ledger"], "name": "other"}
    stage = Stage(plan)
    shard = Shard(stage)
    stage.target.seconds = 2.0
    shard.accept("evt_1")
    shard.invoke()
    stage.target.seconds = 0.1
    shard.accept("evt_2")
    shard.accept("evt_2", integration="to-other", delivery="0" * 32)
    assert shard.invoke() == set()
    assert len(stage.target.at("/entries")) == 2
    assert [message["integration"] for message, _ in queued(stage)] == ["orders-to-ledger"]


def test_what_is_running_elsewhere_is_looked_at_again_when_its_lease_is_over(stage, shard):
    shard.accept()
    stage.memory.tables["journal"].clear()
    message = decode(base64.b64decode(shard.records[0]["kinesis"]["data"]).decode())
    stage.tools.journal.claim(
        message, message["event"], sent_at=stage.clock.now(), lease=stage.clock.now() + 40
    )
    assert shard.invoke() == set()
    ((_, delay),) = queued(stage)
    assert delay == 41
    assert stage.target.asked == []


def test_an_integration_that_is_not_deployed_yet_is_waited_for_on_the_queue(stage, shard):
    shard.accept(integration="not-yet")
    assert shard.invoke() == set()
    ((message, delay),) = queued(stage)
    assert (message["integration"], delay) == ("not-yet", 60)


def test_what_cannot_even_be_handed_over_is_repeated_by_the_shard(stage, shard, monkeypatch):
    shard.accept("evt_1")
    shard.accept("evt_2", acceptance="two", integration="not-yet")
    shard.accept("evt_3", acceptance="three")
    second = shard.records[1]["kinesis"]["sequenceNumber"]

    def refuse(_):
        raise AwsError("AccessDenied", "no", 403)

    with monkeypatch.context() as patch:
        patch.setattr(stage.memory, "_sqs_send_message_batch", refuse)
        assert shard.invoke() == {second}
    assert len(shard.records) == 2
    assert len(stage.target.at("/entries")) == 2
    assert shard.invoke() == set()
    assert len(stage.target.at("/entries")) == 2, "what was done already is not done again"
    assert len(queued(stage)) == 1


def test_a_journal_that_cannot_be_read_sends_its_messages_to_the_queue(stage, shard, monkeypatch):
    shard.accept()

    def refuse(_):
        raise AwsError("ProvisionedThroughputExceededException", "slow down", 400)

    with monkeypatch.context() as patch:
        patch.setattr(stage.memory, "_dynamodb_update_item", refuse)
        assert shard.invoke() == set()
    stage.until_quiet()
    assert len(stage.target.at("/entries")) == 1


@pytest.mark.parametrize("body", ["", "{}", "\x00", '{"format": 1}'])
def test_a_poison_message_lies_with_the_dead_letters_and_hinders_nobody(stage, shard, body):
    shard.put(body)
    shard.accept()
    assert shard.invoke() == set()
    assert [message.body for message in stage.memory.queues["https://sqs/dead-letters"]] == [body]
    assert len(stage.target.at("/entries")) == 1


def test_a_message_of_a_later_version_waits_in_its_shard_for_the_function_that_reads_it(stage, shard):
    shard.put('{"format": 99}')
    assert len(shard.invoke()) == 1
    assert len(shard.records) == 1


def test_the_function_hands_batches_to_it(stage, monkeypatch):
    shard = Shard(stage)
    monkeypatch.setattr(app, "_streaming", lambda: shard.streaming)
    shard.accept()
    assert app.handler({"Records": shard.records}, Context(stage.clock, 1)) == {"batchItemFailures": []}
    assert len(stage.target.at("/entries")) == 1


def test_a_number_is_told_as_lambda_knows_it(stage, shard):
    failed = record_of('{"format": 99}', 7, stage.clock.now())
    response = shard.streaming.carry_out({"Records": [failed]}, Context(stage.clock, 1))
    assert response == {"batchItemFailures": [{"itemIdentifier": failed["kinesis"]["sequenceNumber"]}]}


def test_the_batch_that_meets_a_slow_system_waits_for_its_first_calls_alone(stage, shard):
    stage.target.seconds = 2.0
    for number in range(60):
        shard.accept(f"evt_{number}", acceptance=str(number))
    assert shard.invoke() == set()
    called = len(stage.target.at("/entries"))
    assert called <= 10, "so many are under way at once"
    assert called + len(queued(stage)) == 60
    stage.until_quiet()
    assert len(stage.target.at("/entries")) == len(stage.pages()[0]) == 60

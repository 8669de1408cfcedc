"""What becomes of a message that comes again, that is none, or that cannot end in time."""

import json

import pytest

from causeway.aws.client import AwsError
from causeway.delivery import processor
from tests.support.deliveries import DEAD_LETTERS, NOTHING_FAILED, NOW, QUEUE, Stage, call_of, plan_of


class TestRepeats:
    def test_another_acceptance_of_the_event_is_a_duplicate_and_listed_as_one(self):
        stage = Stage()
        delivery = stage.accept()
        stage.invoke()
        stage.accept(acceptance="two")
        assert stage.invoke() == NOTHING_FAILED
        assert len(stage.target.asked) == 1
        assert stage.pages() == ([delivery], ["two"])

    def test_a_repeat_after_the_item_has_expired_is_delivered_anew(self):
        stage = Stage()
        stage.accept()
        stage.invoke()
        stage.clock.advance(7 * 86400 + 2)
        stage.accept(acceptance="two")
        stage.invoke()
        assert len(stage.target.asked) == 2

    def test_a_redelivered_message_is_listed_again_since_its_page_may_not_have_been_written(self):
        stage = Stage()
        delivery = stage.accept()
        stage.accept()  # the same acceptance twice: what SQS does once in a while
        stage.invoke(limit=1)
        stage.invoke(limit=1)
        assert len(stage.target.asked) == 1
        assert stage.pages() == ([delivery, delivery], [])

    def test_an_attempt_whose_lease_passes_while_its_message_is_refused_does_not_lose_it(self):
        """The claim was too early by a moment; when its answer is there the lease has passed."""
        stage = Stage()
        delivery = stage.accept()
        message = json.loads(stage.memory.queues[QUEUE][0].body)
        stage.tools.journal.claim(
            message, message["event"], sent_at=NOW, lease=NOW + 30
        )  # ... and is cut off
        stage.clock.advance(29.99)
        call = stage.memory.call

        def slow(service, operation, parameters):
            try:
                return call(service, operation, parameters)
            finally:
                if operation == "UpdateItem":
                    stage.clock.advance(0.02)

        stage.memory.call = slow
        stage.invoke()
        stage.memory.call = call
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_message_that_meets_a_running_attempt_comes_back_after_its_lease(self):
        stage = Stage()
        delivery = stage.accept()
        (record,) = stage.memory.receive(QUEUE)
        message = json.loads(record["body"])
        stage.tools.journal.claim(message, message["event"], sent_at=NOW, lease=NOW + 30)
        stage.memory.queues[QUEUE][0].visible_at = NOW
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + 31
        assert stage.target.asked == []
        stage.until_quiet()
        assert stage.item(delivery)["status"] == "delivered"

    def test_a_page_that_could_not_be_written_brings_its_messages_back(self):
        stage = Stage()
        delivery = stage.accept()
        put = stage.tools.table.put

        def refuse(item):
            raise AwsError("InternalServerError", "", 500)

        stage.tools.table.put = refuse
        assert len(stage.invoke()["batchItemFailures"]) == 1
        stage.tools.table.put = put
        stage.until_quiet()
        assert stage.pages() == ([delivery], [])
        assert len(stage.target.asked) == 1


class TestPoison:
    @pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"format": -1}', "null", '{"format": "1"}'])
    def test_what_nobody_could_deliver_goes_to_the_dead_letters_with_a_reason(self, body):
        stage = Stage()
        stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": body})
        assert stage.invoke() == NOTHING_FAILED
        (letter,) = stage.memory.queues[DEAD_LETTERS]
        assert letter.body == body
        assert letter.attributes["reason"]["StringValue"]

    def test_a_ticket_that_is_none_is_poison(self):
        stage = Stage()
        stage.accept(ticket="first")
        stage.invoke()
        assert "not a ticket" in stage.memory.queues[DEAD_LETTERS][0].attributes["reason"]["StringValue"]

    def test_a_message_of_a_later_version_waits_for_it(self):
        stage = Stage()
        stage.accept(format=2)
        assert len(stage.invoke()["batchItemFailures"]) == 1
        assert stage.memory.queues[QUEUE][0].visible_at == NOW + 60
        assert stage.memory.queues[DEAD_LETTERS] == []

    def test_poison_does_not_keep_others_of_its_batch(self):
        stage = Stage()
        stage.memory.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": "poison"})
        delivery = stage.accept()
        assert stage.invoke() == NOTHING_FAILED
        assert stage.item(delivery)["status"] == "delivered"


class TestTheEndOfAnInvocation:
    def test_what_could_not_end_in_time_does_not_begin_and_goes_back_at_once(self, monkeypatch):
        monkeypatch.setattr(processor, "CONCURRENCY", 1)  # so that one waits for the other
        stage = Stage()
        stage.target.seconds = 2.5  # ten of them do not fit in 30 s
        deliveries = [stage.accept(f"evt_{number}") for number in range(10)]
        failures = stage.invoke(timeout=30)["batchItemFailures"]
        begun = len(stage.target.asked)
        assert 0 < begun < 10
        assert len(failures) == 10 - begun
        assert {message.visible_at for message in stage.memory.queues[QUEUE]} <= {
            NOW + 2.5 * n for n in range(10)
        }
        waiting = [item for item in stage.items() if item["status"] != "delivered"]
        assert all(item["ticket"] == "0000.000001" for item in waiting), "not counted as anything"
        stage.until_quiet()
        assert {stage.item(delivery)["status"] for delivery in deliveries} == {"delivered"}
        assert len(stage.target.asked) == 10

    def test_a_call_that_no_invocation_has_time_for_begins_early_in_one(self):
        stage = Stage(plan_of(target=call_of(timeout=600.0)))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"

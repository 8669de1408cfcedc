"""All messages are on the queue, or the caller is told; large events lie in the bucket."""

import pytest

from causeway.aws.client import AwsError
from causeway.queueing import queue as queueing
from causeway.queueing.messages import decode, encode
from causeway.queueing.queue import Queue
from causeway.queueing.sending import NotQueued
from causeway.settings.clock import SettableClock
from tests.support.messages import message
from tests.support.scripted import Scripted, by_sqs


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def make_queue(cloud, clock):
    def make(*script, **changes):
        scripted = Scripted(cloud.aws, *script, refusing=by_sqs)
        return Queue(scripted, url=cloud.deliveries, bucket=cloud.payloads, clock=clock, **changes), scripted

    return make


def by_delivery(messages):
    return sorted(messages, key=lambda each: each["delivery"])


class TestReceiving:
    def test_what_is_received_is_what_lambda_would_hand_over(self, make_queue):
        queue, _ = make_queue()
        queue.send([message(1)])
        (record,) = queue.receive(10, seconds=0)
        assert decode(record["body"]) == message(1)
        assert int(record["attributes"]["SentTimestamp"]) > 0
        assert record["attributes"]["ApproximateReceiveCount"] == "1"
        assert record["messageId"]

    @pytest.mark.parametrize(("most", "expected"), [(3, 3), (40, 10)])
    def test_it_is_no_more_than_was_asked_for_and_than_sqs_gives(self, make_queue, most, expected):
        queue, aws = make_queue()
        queue.send([message(number) for number in range(12)])
        queue.receive(most, seconds=0)
        assert aws.calls[-1]["MaxNumberOfMessages"] == expected

    def test_of_an_empty_queue_it_is_nothing(self, make_queue):
        queue, _ = make_queue()
        assert queue.receive(10, seconds=0) == []

    def test_what_is_deleted_is_gone_and_the_rest_can_come_again(self, make_queue, cloud):
        queue, _ = make_queue()
        queue.send([message(1), message(2)])
        received = queue.receive(10, seconds=0)
        done = [
            each["receiptHandle"] for each in received if decode(each["body"])["integration"].endswith("1")
        ]
        queue.delete(done)
        for each in received:
            if each["receiptHandle"] not in done:
                queue.put_back(each["receiptHandle"], delay=0)
        assert cloud.messages(cloud.deliveries) == [message(2)]

    def test_to_delete_nothing_is_no_call(self, make_queue):
        queue, aws = make_queue()
        queue.delete([])
        assert aws.calls == []


class TestSending:
    def test_all_messages_are_on_the_queue_as_they_were_sent(self, make_queue, cloud):
        queue, _ = make_queue()
        messages = [message(number) for number in range(23)]
        queue.send(messages)
        assert by_delivery(cloud.messages(cloud.deliveries)) == messages

    def test_no_messages_are_no_call(self, make_queue):
        queue, aws = make_queue()
        queue.send([])
        assert aws.calls == []

    def test_the_integration_is_the_group_so_that_queues_are_fair(self, make_queue, cloud):
        queue, _ = make_queue()
        queue.send([message(7)])
        (record,) = cloud.records(cloud.deliveries)
        assert record["attributes"]["MessageGroupId"] == "integration-7"

    def test_a_delayed_message_is_not_received_before(self, make_queue, cloud):
        queue, aws = make_queue()
        queue.send([message()], delay=1.2)
        assert aws.calls[0]["Entries"][0]["DelaySeconds"] == 2
        assert cloud.records(cloud.deliveries) == []

    @pytest.mark.parametrize("delay", [-1, 901])
    def test_a_delay_that_sqs_has_not_is_refused(self, make_queue, delay):
        queue, _ = make_queue()
        with pytest.raises(ValueError, match="0 to 900 s"):
            queue.send([message()], delay=delay)

    def test_what_is_on_the_queue_holds_every_character(self, make_queue, cloud):
        queue, _ = make_queue()
        odd = message(event={"id": "e", "data": "\0\x0b\ufffe\uffff\ud800 ü 🎉"})
        queue.send([odd])
        assert cloud.messages(cloud.deliveries) == [odd]


class TestFailing:
    def test_entries_are_sent_again_until_all_are_there(self, make_queue, cloud, clock):
        busy = {"0": ("InternalError", False), "2": ("ServiceUnavailable", False)}
        queue, aws = make_queue(busy, {"1": ("InternalError", False)})
        messages = [message(number) for number in range(4)]
        start = clock.now()
        queue.send(messages)
        assert by_delivery(cloud.messages(cloud.deliveries)) == messages
        assert [len(call["Entries"]) for call in aws.calls] == [4, 2, 1]
        assert clock.now() - start == pytest.approx(0.3)

    def test_a_batch_that_was_not_taken_is_sent_again(self, make_queue, cloud):
        queue, _ = make_queue(AwsError("ThrottlingException", "", 400), AwsError("NoAnswer", "", 0))
        queue.send([message()])
        assert cloud.messages(cloud.deliveries) == [message()]

    def test_ends_with_the_patience(self, make_queue, clock):
        queue, _ = make_queue(*[{"0": ("InternalError", False)}] * 99, patience=5)
        start = clock.now()
        with pytest.raises(NotQueued, match="1 messages were not taken: InternalError"):
            queue.send([message()])
        assert 1 < clock.now() - start <= 5

    def test_patience_is_for_all_batches_together(self, make_queue, clock):
        script = [{"0": ("InternalError", False)}] * 99
        queue, _ = make_queue(*script, patience=5)
        start = clock.now()
        with pytest.raises(NotQueued):
            queue.send([message(number) for number in range(30)])
        assert clock.now() - start <= 5

    @pytest.mark.parametrize(
        "refusal",
        [AwsError("AccessDeniedException", "no", 403), {"0": ("InvalidMessageContents", True)}],
        ids=repr,
    )
    def test_what_cannot_succeed_is_not_tried_again(self, make_queue, refusal):
        queue, aws = make_queue(refusal)
        with pytest.raises(NotQueued, match=r"AccessDenied|InvalidMessageContents"):
            queue.send([message()])
        assert len(aws.calls) == 1

    def test_an_event_that_cannot_be_stored_is_not_queued(self, cloud, clock):
        queue = Queue(
            cloud.aws, url=cloud.deliveries, bucket="no-such-bucket", claim_check_over=10, clock=clock
        )
        with pytest.raises(NotQueued, match="NoSuchBucket"):
            queue.send([message()])
        assert cloud.messages(cloud.deliveries) == []


class TestClaimCheck:
    LARGE = {"id": "large", "data": "x" * 3000}  # noqa: RUF012 - nobody changes it

    def test_a_large_event_lies_in_the_bucket_and_the_message_points_there(self, make_queue, cloud):
        queue, _ = make_queue(claim_check_over=1000)
        queue.send([message(event=self.LARGE)])
        (received,) = cloud.messages(cloud.deliveries)
        assert "event" not in received
        assert received["event_at"].startswith("s3:events/2023/11/14/acceptance/")
        assert queue.event_of(received) == self.LARGE

    def test_a_small_event_is_in_the_message(self, make_queue, cloud):
        queue, _ = make_queue(claim_check_over=len(encode(message())))
        queue.send([message()])
        (received,) = cloud.messages(cloud.deliveries)
        assert queue.event_of(received) == message()["event"]
        assert objects(cloud) == []

    def test_copies_that_exceed_a_batch_together_share_one_object(self, make_queue, cloud, monkeypatch):
        monkeypatch.setattr(queueing, "BOUNDS", queueing.BOUNDS._replace(together=10_000))
        queue, _ = make_queue()
        queue.send([message(number, event=self.LARGE) for number in range(4)])
        received = cloud.messages(cloud.deliveries)
        assert len(received) == 4
        assert len({each["event_at"] for each in received}) == 1
        assert len(objects(cloud)) == 1

    def test_copies_that_fit_in_a_batch_are_in_their_messages(self, make_queue, cloud, monkeypatch):
        monkeypatch.setattr(queueing, "BOUNDS", queueing.BOUNDS._replace(together=10_000))
        queue, _ = make_queue()
        queue.send([message(number, event=self.LARGE) for number in range(3)])
        assert objects(cloud) == []

    def test_different_events_of_one_acceptance_are_kept_apart(self, make_queue, cloud):
        queue, _ = make_queue(claim_check_over=1000)
        events = [{"id": str(number), "data": "x" * 2000} for number in range(3)]
        queue.send([message(number, event=event) for number, event in enumerate(events)])
        received = by_delivery(cloud.messages(cloud.deliveries))
        assert [queue.event_of(each) for each in received] == events

    def test_the_next_message_of_a_chain_keeps_its_pointer(self, make_queue, cloud):
        queue, _ = make_queue(claim_check_over=10)
        pointing = message(event_at="s3:events/2023/11/14/acceptance/1.json")
        queue.send([pointing])
        assert cloud.messages(cloud.deliveries) == [pointing]
        assert objects(cloud) == []

    def test_an_event_in_the_journal_is_not_here(self, make_queue):
        queue, _ = make_queue()
        assert queue.event_of(message(event_at="journal")) is None

    def test_a_pointer_to_elsewhere_is_refused(self, make_queue):
        queue, _ = make_queue()
        with pytest.raises(ValueError, match="does not point into the bucket"):
            queue.event_of(message(event_at="http://example.com"))


def objects(cloud):
    return cloud.boto("s3").list_objects_v2(Bucket=cloud.payloads).get("Contents", [])


class TestPuttingBack:
    def test_a_message_is_received_again_after_the_delay(self, make_queue, cloud):
        queue, _ = make_queue()
        queue.send([message()])
        (record,) = cloud.records(cloud.deliveries)
        assert cloud.records(cloud.deliveries) == []
        queue.put_back(record["receiptHandle"], delay=0)
        assert len(cloud.records(cloud.deliveries)) == 1

    def test_no_delay_is_longer_than_sqs_allows(self, make_queue, cloud):
        queue, _ = make_queue()
        queue.send([message()])
        (record,) = cloud.records(cloud.deliveries)
        queue.put_back(record["receiptHandle"], delay=100_000)
        assert cloud.records(cloud.deliveries) == []


class TestOrdered:
    """What keeps an order goes to the FIFO queue; everything else as if there were none."""

    @pytest.fixture
    def fifo(self, cloud, clock):
        return Queue(
            cloud.aws,
            url=cloud.deliveries,
            fifo_url=cloud.deliveries_fifo,
            bucket=cloud.payloads,
            clock=clock,
        )

    @staticmethod
    def received(cloud):
        found = cloud.boto("sqs").receive_message(
            QueueUrl=cloud.deliveries_fifo, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return found.get("Messages", [])

    def test_a_message_says_itself_to_which_queue_it_goes(self, fifo, cloud):
        fifo.send([message(1), message(2, order="a" * 32)])
        assert [each["delivery"] for each in cloud.messages(cloud.deliveries)] == [f"{1:032x}"]
        (ordered,) = self.received(cloud)
        assert decode(ordered["Body"])["delivery"] == f"{2:032x}"
        assert ordered["Attributes"]["MessageGroupId"] == "a" * 32

    def test_messages_of_one_order_come_in_the_order_in_which_they_were_sent(self, fifo, cloud):
        fifo.send([message(number, acceptance=f"a{number}", order="a" * 32) for number in range(10)])
        numbers = [int(decode(each["Body"])["delivery"], 16) for each in self.received(cloud)]
        assert numbers == list(range(10))

    def test_a_message_that_was_sent_twice_is_there_once_and_its_next_ticket_as_well(self, fifo, cloud):
        for ticket in ("0000.000001", "0000.000001", "0001.000001"):
            fifo.send([message(1, ticket=ticket, order="a" * 32)])
        tickets = [decode(each["Body"])["ticket"] for each in self.received(cloud)]
        assert tickets == ["0000.000001", "0001.000001"]

    def test_a_delay_is_for_whoever_receives_it_since_such_queues_know_none(self, fifo, cloud):
        fifo.send([message(1, order="a" * 32)], delay=60)
        assert len(self.received(cloud)) == 1

    def test_it_is_put_back_on_the_queue_that_it_came_from(self, fifo, cloud):
        fifo.send([message(1, order="a" * 32)])
        (ordered,) = self.received(cloud)
        fifo.put_back(ordered["ReceiptHandle"], delay=0, fifo=True)
        assert len(self.received(cloud)) == 1

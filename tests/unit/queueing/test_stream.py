"""All messages are on the stream, or the caller is told; large events lie in the bucket."""

import base64

import pytest

from causeway.acceptance.storing import Divided, make_store
from causeway.aws.client import AwsError
from causeway.plan.plan import Plan
from causeway.queueing.messages import decode
from causeway.queueing.queue import Queue
from causeway.queueing.sending import NotQueued
from causeway.queueing.stream import Stream
from causeway.settings.clock import SettableClock
from causeway.settings.environment import Settings
from tests.support.messages import message
from tests.support.receiving import record as plan_record
from tests.support.scripted import Scripted, by_kinesis


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def make_stream(cloud, clock):
    def make(*script, **changes):
        scripted = Scripted(cloud.aws, *script, refusing=by_kinesis)
        return Stream(scripted, name=cloud.stream, bucket=cloud.payloads, clock=clock, **changes), scripted

    return make


def on_the_stream(cloud):
    kinesis = cloud.boto("kinesis")
    (shard,) = kinesis.list_shards(StreamName=cloud.stream)["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName=cloud.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return kinesis.get_records(ShardIterator=iterator)["Records"]


def messages(cloud):
    return [decode(record["Data"].decode()) for record in on_the_stream(cloud)]


def test_all_messages_are_on_the_stream_as_they_were_sent(make_stream, cloud):
    stream, aws = make_stream()
    sent = [message(number) for number in range(23)]
    stream.send(sent)
    assert messages(cloud) == sent
    assert len(aws.calls) == 1


def test_the_delivery_is_the_key_so_that_shards_are_loaded_evenly(make_stream, cloud):
    stream, _ = make_stream()
    stream.send([message(7)])
    assert [record["PartitionKey"] for record in on_the_stream(cloud)] == [f"{7:032x}"]


def test_no_messages_are_no_call(make_stream):
    stream, aws = make_stream()
    stream.send([])
    assert aws.calls == []


def test_records_that_were_not_taken_are_put_again_and_no_others(make_stream, cloud):
    slow = "ProvisionedThroughputExceededException"
    stream, aws = make_stream({1: slow, 3: "InternalFailure"}, {0: slow})
    sent = [message(number) for number in range(5)]
    stream.send(sent)
    assert [len(call["Records"]) for call in aws.calls] == [5, 2, 1]
    assert sorted(each["delivery"] for each in messages(cloud)) == [each["delivery"] for each in sent]


def test_when_patience_is_over_the_caller_is_told_why(make_stream, clock):
    begun = clock.now()
    stream, _ = make_stream(*[{0: "ProvisionedThroughputExceededException"}] * 50, patience=2.0)
    with pytest.raises(NotQueued, match="1 messages were not taken: ProvisionedThroughputExceededException"):
        stream.send([message()])
    assert clock.now() - begun <= 2.0


def test_a_call_that_failed_is_tried_again_unless_it_is_hopeless(make_stream, cloud):
    stream, _ = make_stream(AwsError("InternalFailure", "oops", 500))
    stream.send([message()])
    assert len(messages(cloud)) == 1
    stream, aws = make_stream(AwsError("AccessDeniedException", "no", 400))
    with pytest.raises(NotQueued, match="AccessDeniedException"):
        stream.send([message()])
    assert len(aws.calls) == 1


def test_a_large_event_lies_in_the_bucket_once(make_stream, cloud):
    stream, _ = make_stream(claim_check_over=1000)
    event = {"id": "e", "data": "x" * 2000}
    stream.send([message(1, event=event), message(2, event=event)])
    first, second = messages(cloud)
    assert first["event_at"] == second["event_at"]
    assert Queue(cloud.aws, url="", bucket=cloud.payloads).event_of(first) == event


def test_an_event_that_cannot_be_stored_is_told_before_anything_is_put(make_stream, cloud, monkeypatch):
    stream, aws = make_stream(claim_check_over=10)

    def refuse(*_, **__):
        raise AwsError("NoSuchBucket", "gone", 404)

    monkeypatch.setattr(aws, "put_object", refuse, raising=False)
    with pytest.raises(NotQueued, match="could not be stored"):
        stream.send([message()])
    assert aws.calls == []


class Kept:
    def __init__(self, *, refuses=False):
        self.kept = []
        self.refuses = refuses

    def send(self, sent):
        if self.refuses:
            raise NotQueued("full")
        self.kept += sent


def test_each_integration_has_its_messages_where_its_map_says():
    queue, stream = Kept(), Kept()
    sent = [message(number) for number in (1, 2, 3)]
    Divided(queue=queue, stream=stream, streamed={"integration-1", "integration-3"}).send(sent)
    assert (queue.kept, stream.kept) == ([sent[1]], [sent[0], sent[2]])


@pytest.mark.parametrize("refusing", ["queue", "stream"])
def test_all_are_stored_or_it_fails(refusing):
    stores = {name: Kept(refuses=name == refusing) for name in ("queue", "stream")}
    with pytest.raises(NotQueued):
        Divided(**stores, streamed={"integration-1"}).send([message(1), message(2)])


def store(cloud, clock, *, stream, buffer):
    plan = plan_record()
    if buffer:
        plan["integrations"]["news"]["buffer"] = buffer
    environ = {
        "CAUSEWAY_DELIVERIES_URL": cloud.deliveries,
        "CAUSEWAY_DELIVERIES_FIFO_URL": cloud.deliveries_fifo,
        "CAUSEWAY_PAYLOADS": cloud.payloads,
        "CAUSEWAY_STREAM": stream,
    }
    return make_store(Plan(plan), cloud.aws, Settings.from_env(environ), clock)


def test_what_is_meant_for_a_stream_goes_there(cloud, clock):
    store(cloud, clock, stream=cloud.stream, buffer="stream").send(
        [message(1, integration="news"), message(2, integration="archive")]
    )
    assert [each["integration"] for each in messages(cloud)] == ["news"]
    assert [each["integration"] for each in cloud.messages(cloud.deliveries)] == ["archive"]


def test_without_a_stream_it_goes_to_the_queue_and_that_is_told(cloud, clock, capsys):
    store(cloud, clock, stream="", buffer="stream").send([message(1, integration="news")])
    assert [each["integration"] for each in cloud.messages(cloud.deliveries)] == ["news"]
    assert '"integrations":["news"]' in capsys.readouterr().out


def test_a_map_without_streams_has_a_queue_alone(cloud, clock):
    assert isinstance(store(cloud, clock, stream=cloud.stream, buffer=None), Queue)


def test_what_lambda_hands_out_is_what_was_put(make_stream, cloud):
    stream, aws = make_stream()
    stream.send([message(1, event={"id": "e", "data": "naïve \u2028 \ud83d"})])
    (record,) = aws.calls[0]["Records"]
    assert decode(base64.b64decode(record["Data"]).decode()) == message(
        1, event={"id": "e", "data": "naïve \u2028 \ud83d"}
    )

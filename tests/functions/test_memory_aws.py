"""The AWS in memory behaves as AWS does, as far as deliveries use it: one contract for it and for moto."""

import pytest

from causeway.aws.client import AwsError
from causeway.aws.table import ConditionFailed, Table
from causeway.polling.ticks import PollQueue, make_tick, read_tick
from causeway.queueing.messages import decode
from causeway.queueing.queue import Queue
from causeway.settings.clock import SettableClock, SystemClock
from tests.support.memory_aws import MemoryAws


class Memory:
    def __init__(self):
        self.clock = SettableClock()
        self.aws = MemoryAws(self.clock)
        self.journal, self.deliveries, self.payloads, self.bus = "journal", "https://sqs/q", "payloads", "bus"

        self.polls = "https://sqs/polls.fifo"

    def receive(self, queue=None):
        return self.aws.receive(queue or self.deliveries)


class Moto:
    def __init__(self, cloud):
        self.clock = SystemClock()
        self.aws = cloud.aws
        self.journal, self.deliveries = cloud.journal, cloud.deliveries
        self.payloads, self.bus, self.polls = cloud.payloads, cloud.bus, cloud.polls
        self._cloud = cloud

    def receive(self, queue=None):
        return self._cloud.records(queue or self.deliveries)


@pytest.fixture(params=["memory", "moto"])
def world(request):
    return Memory() if request.param == "memory" else Moto(request.getfixturevalue("cloud"))


@pytest.fixture
def table(world):
    return Table(world.aws, world.journal)


VALUES = {
    "text": '☃ \\ "',
    "whole": 7,
    "fraction": 1700000000.123,
    "yes": True,
    "nothing": None,
    "list": [1, "two", {"three": [3.5]}],
    "object": {"a": {"b": None}},
}


def test_values_come_back_as_they_went(table):
    table.put({"id": "x", "part": "delivery", **VALUES})
    assert table.get("x", "delivery") == {"id": "x", "part": "delivery", **VALUES}


def test_half_a_surrogate_pair_becomes_a_question_mark(table):
    table.put({"id": "x", "part": "delivery", "text": "a\ud83d"})
    assert table.get("x", "delivery")["text"] == "a?"


def test_what_is_not_there_is_none_and_can_be_deleted(table):
    assert table.get("x", "delivery") is None
    table.delete("x", "delivery")


def test_an_update_makes_an_item_and_says_what_was_there(table):
    assert table.update("x", "delivery", values={"status": "running", "n": 1}) is None
    before = table.update(
        "x", "delivery", values={"n": 2}, defaults={"n2": 5, "status": "no"}, remove=("gone", "n3")
    )
    assert before == {"id": "x", "part": "delivery", "status": "running", "n": 1}
    after = {"id": "x", "part": "delivery", "status": "running", "n": 2, "n2": 5}
    assert table.get("x", "delivery") == after
    table.update("x", "delivery", values={"n": 2}, remove=("n2", "status"))
    assert table.get("x", "delivery") == {"id": "x", "part": "delivery", "n": 2}


@pytest.mark.parametrize(
    ("condition", "given", "holds"),
    [
        ("attribute_not_exists(#id)", {}, False),
        ("attribute_not_exists(#other)", {}, True),
        ("#n < :limit", {"limit": 6}, True),
        ("#n < :limit", {"limit": 5}, False),
        ("#n <= :limit", {"limit": 5}, True),
        ("#other < :limit", {"limit": 5}, False),
        ("#ticket <= :t", {"t": "0000.000002"}, True),
        ("#ticket < :t", {"t": "0000."}, False),
        ("#ticket < :t", {"t": "0001."}, True),
        ("#status IN (:a, :b)", {"a": "dead", "b": "waiting"}, True),
        ("#status IN (:a, :b)", {"a": "dead", "b": "gone"}, False),
        ("#status = :a AND (#n = :five OR #n = :six)", {"a": "waiting", "five": 5, "six": 6}, True),
        ("#status = :a OR #n = :five AND #n = :six", {"a": "waiting", "five": 5, "six": 6}, True),
        ("#status <> :a", {"a": "waiting"}, False),
    ],
)
def test_conditions_hold_or_say_what_they_met(table, condition, given, holds):
    item = {"id": "x", "part": "delivery", "n": 5, "ticket": "0000.000002", "status": "waiting"}
    table.put(item)
    if holds:
        assert table.update("x", "delivery", values={"seen": 1}, condition=condition, given=given) == item
        return
    with pytest.raises(ConditionFailed) as failed:
        table.update("x", "delivery", values={"seen": 1}, condition=condition, given=given)
    assert failed.value.item == item == table.get("x", "delivery")


def test_a_condition_on_no_item_meets_none(table):
    with pytest.raises(ConditionFailed) as failed:
        table.update("x", "delivery", values={"n": 1}, condition="#n = :one", given={"one": 1})
    assert failed.value.item is None
    assert table.get("x", "delivery") is None


def test_an_index_has_only_the_items_with_its_keys_lowest_first_and_in_pages(table):
    for number, due in enumerate([30, 10, 20, 99, 15, 25]):
        shard = {"due_shard": "a", "due_at": due}
        table.put({"id": f"x{number}", "part": "delivery", "ticket": "0000.000001", "secret": "s", **shard})
    table.put({"id": "y", "part": "delivery", "due_shard": "b", "due_at": 1})
    table.put({"id": "z", "part": "delivery", "due_at": 1})
    found = list(table.below("due", ("due_shard", "a"), ("due_at", 30), page=2))
    assert [item["due_at"] for item in found] == [10, 15, 20, 25, 30]
    assert {item["ticket"] for item in found} == {"0000.000001"}


def test_a_range_of_an_index_is_read_from_either_end_and_goes_on_after_an_item(table):
    for number, day in enumerate(["03", "01", "02", "05", "04"]):
        place = {"open_shard": "orders#a", "open_at": f"dead#2026-01-{day}"}
        table.put({"id": f"x{number}", "part": "delivery", **place})

    def read(**named):
        bounds = ("open_at", "dead#2026-01-02", "dead#2026-01-04~")
        found = table.between(("open_shard", "orders#a"), bounds, index="open", page=2, **named)
        return [item["open_at"][-2:] for item in found]

    assert read() == ["02", "03", "04"]
    assert read(newest_first=True) == ["04", "03", "02"]
    after = {"id": "x0", "part": "delivery", "open_shard": "orders#a", "open_at": "dead#2026-01-03"}
    assert read(after=after) == ["04"]
    assert read(after=after, newest_first=True) == ["02"]


def test_the_parts_of_an_id_come_in_order(table):
    for part in ("b", "c", "a"):
        table.put({"id": "x", "part": part, "n": 1})
    table.put({"id": "y", "part": "a"})
    assert [item["part"] for item in table.parts("x")] == ["a", "b", "c"]
    assert list(table.parts("z")) == []


def test_several_items_are_got_at_once_as_far_as_they_are_there(table):
    for number in range(120):
        table.put({"id": f"x{number}", "part": "delivery", "n": number, "other": "o"})
    keys = [(f"x{number}", "delivery") for number in range(115, 230)]
    found = sorted(table.get_all(keys, ("n", "expires_at")), key=lambda item: item["n"])
    assert found == [{"id": f"x{number}", "part": "delivery", "n": number} for number in range(115, 120)]
    assert list(table.get_all([], ("n",))) == []


def test_an_object_can_be_deleted_also_when_it_is_not_there(world):
    world.aws.put_object(world.payloads, "a", b"1", content_type="text/plain")
    for _ in range(2):
        world.aws.delete_object(world.payloads, "a")
    with pytest.raises(AwsError):
        world.aws.get_object(world.payloads, "a")


def test_a_fifo_queue_knows_repeats_and_lets_a_group_wait_for_its_first(world):
    queue = PollQueue(world.aws, world.polls)
    first, second, other = (
        make_tick("shop", "orders", 1),
        make_tick("shop", "orders", 2),
        make_tick("shop", "x", 1),
    )
    for tick in (first, first, second, other):
        queue.send(tick)
    queue.send(first, again=True)
    records = {}
    for record in world.receive(world.polls):
        records.setdefault(record["attributes"]["MessageGroupId"], []).append(record)
    assert [read_tick(record["body"]) for record in records["shop/x"]] == [other]
    ticks = [read_tick(record["body"]) for record in records["shop/orders"]]
    assert ticks == [first, second, first][: len(ticks)], "in order, and the repeat is none"
    for record in reversed(records["shop/orders"]):
        queue.put_back(record["receiptHandle"], delay=0)
    assert read_tick(world.receive(world.polls)[0]["body"]) == first


def _message(number, **more):
    return {
        "format": 1,
        "delivery": f"{number:032x}",
        "integration": "orders-to-ledger",
        "system": "shop",
        "ticket": "0000.000001",
        "acceptance": "one",
        "accepted_at": 1.5,
        "event": {"id": "e"},
        **more,
    }


def test_messages_are_received_as_lambda_has_them_and_put_back(world):
    queue = Queue(world.aws, url=world.deliveries, bucket=world.payloads, clock=world.clock)
    messages = [_message(number) for number in range(12)]
    queue.send(messages)
    queue.send([_message(99)], delay=900)
    records = world.receive() + world.receive()
    assert sorted(decode(record["body"])["delivery"] for record in records) == [
        each["delivery"] for each in messages
    ]
    assert world.receive() == []
    first = records[0]
    assert set(first) >= {"messageId", "receiptHandle", "body", "attributes", "eventSourceARN"}
    assert first["attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(first["attributes"]["SentTimestamp"]) / 1000 - world.clock.now()) < 60
    queue.put_back(first["receiptHandle"], delay=0)
    (again,) = world.receive()
    assert again["messageId"] == first["messageId"]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_large_events_go_by_the_bucket(world):
    queue = Queue(world.aws, url=world.deliveries, bucket=world.payloads, clock=world.clock)
    event = {"id": "e", "data": "x" * 300_000}
    queue.send([_message(1, event=event)])
    (record,) = world.receive()
    message = decode(record["body"])
    assert "event" not in message
    assert queue.event_of(message) == event


def test_an_object_that_is_not_there_is_an_error(world):
    with pytest.raises(AwsError) as missing:
        world.aws.get_object(world.payloads, "nowhere")
    assert missing.value.code == "NoSuchKey"


def test_a_queue_is_found_by_its_name(world):
    name = world.deliveries.rpartition("/")[2]
    answer = world.aws.call("sqs", "GetQueueUrl", {"QueueName": name})
    assert answer["QueueUrl"] == world.deliveries


def test_the_bus_takes_events(world):
    entry = {
        "EventBusName": world.bus,
        "Source": "causeway",
        "DetailType": "t",
        "Detail": "{}",
        "Resources": [],
    }
    answer = world.aws.call("events", "PutEvents", {"Entries": [entry]})
    assert answer["FailedEntryCount"] == 0


class TestFifo:
    """Groups are handed out in order, not while one of their messages is in flight, and nothing twice."""

    @pytest.fixture
    def fifo(self, world):
        url = "https://sqs/q.fifo" if isinstance(world, Memory) else world._cloud.deliveries_fifo
        return Fifo(world, url)

    def test_messages_of_a_group_come_in_order_with_rising_sequence_numbers(self, fifo, world):
        fifo.send("ann", *"abc")
        fifo.send("bob", *"xyz")
        records = fifo.receive()
        came = {name: [body for group, body, _ in records if group == name] for name in ("ann", "bob")}
        assert came == {"ann": [*"abc"], "bob": [*"xyz"]}
        numbers = [int(sequence) for group, _, sequence in records if group == "ann"]
        assert numbers == sorted(numbers) or isinstance(world, Moto), "moto's are made up"

    def test_a_group_of_which_one_is_in_flight_is_locked_and_no_other(self, fifo):
        fifo.send("ann", "a")
        assert len(fifo.receive()) == 1
        fifo.send("ann", "b")
        fifo.send("bob", "x")
        assert [body for _, body, _ in fifo.receive()] == ["x"]

    def test_what_was_sent_is_not_sent_again_but_to_another_group(self, fifo):
        fifo.send("ann", "a", "a")
        assert [body for _, body, _ in fifo.receive()] == ["a"]


class Fifo:
    def __init__(self, world, url):
        self.aws, self.url, self.world = world.aws, url, world

    def send(self, group, *bodies):
        for body in bodies:
            message = {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body}
            self.aws.call("sqs", "SendMessage", {"QueueUrl": self.url, **message})

    def receive(self):
        if isinstance(self.world, Memory):
            records = [(each["attributes"], each["body"]) for each in self.aws.receive(self.url)]
        else:
            answer = self.world._cloud.boto("sqs").receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"]
            )
            records = [(each["Attributes"], each["Body"]) for each in answer.get("Messages", [])]
        return [(each["MessageGroupId"], body, each.get("SequenceNumber", "0")) for each, body in records]

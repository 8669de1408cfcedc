"""Targets that are no call: a queue, a bus and a bucket, with the same journal, retries and dead letters."""

from __future__ import annotations

import json
import zlib

import pytest

from causeway.aws.client import AwsError
from causeway.calls.outcome import Refused
from causeway.delivery.targets import place_of
from causeway.delivery.targets.sending import About, Means
from causeway.events.envelope import make_event, scope_of
from tests.support.deliveries import Stage, call_of, plan_of

BODY = {"id": "${id}", "total": "${data.total}"}
QUEUE = {"queue": {"name": "jobs", "body": BODY}}
BUS = {"bus": {"name": "main", "detail_type": "${type}", "body": BODY}}
JSON = {"bucket": {"name": "lake", "key": "orders/${id}.json", "content": "json", "body": BODY}}
LINES = {
    "bucket": {
        "name": "lake",
        "key": "dt=${date(time, '%Y-%m-%d')}/${id}.ndjson.gz",
        "content": "ndjson",
        "body": BODY,
    }
}
KINDS = [
    pytest.param(target, id=f"{kind} {words.get('content', '')}".strip())
    for target in (QUEUE, BUS, JSON, LINES)
    for kind, words in target.items()
]


def stage_of(target, **more):
    return Stage(plan_of(target=target, **more))


def jobs(stage):
    return stage.memory.queues["https://sqs/jobs"]


def lines(stage):
    """Every line of every object, as (key, line)."""
    return [
        (key, json.loads(line))
        for (bucket, key), body in stage.memory.objects.items()
        if bucket == "lake"
        for line in zlib.decompress(body, wbits=31).decode().splitlines()
    ]


def sent(stage):
    """How often something arrived, whatever the kind."""
    objects = [key for key in stage.memory.objects if key[0] == "lake"]
    return len(jobs(stage)) + len(stage.memory.events) + len(objects)


def failing(stage, code, status, *, times=1, at=("sqs SendMessage", "events PutEvents", "s3 PutObject")):
    """Let AWS refuse what is sent to a target so often."""
    left = [times]
    call, put = stage.memory.call, stage.memory.put_object

    def refuse(what, target):
        if what in at and target in ("https://sqs/jobs", "main", "lake") and left[0]:
            left[0] -= 1
            raise AwsError(code, "no", status)

    def failing_call(service, operation, parameters):
        entries = parameters.get("Entries") or [{}]
        refuse(f"{service} {operation}", parameters.get("QueueUrl") or entries[0].get("EventBusName"))
        return call(service, operation, parameters)

    def failing_put(bucket, key, body, *, content_type):
        refuse("s3 PutObject", bucket)
        return put(bucket, key, body, content_type=content_type)

    stage.memory.call, stage.memory.put_object = failing_call, failing_put


class TestWhatArrives:
    def test_a_queue_gets_a_message_with_what_every_call_says_of_itself(self):
        stage = stage_of(QUEUE)
        root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        delivery = stage.accept(trace=root)
        stage.invoke()
        (message,) = jobs(stage)
        assert json.loads(message.body) == {"id": "evt_1", "total": 5}
        assert message.group is None
        assert {name: value["StringValue"] for name, value in message.attributes.items()} == {
            "Idempotency-Key": delivery,
            "Causeway-Event-Id": "evt_1",
            "Causeway-Attempt": "1",
            "traceparent": "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
        }

    def test_a_fifo_queue_is_told_what_is_the_same(self):
        stage = stage_of({"queue": {"name": "jobs.fifo", "body": BODY}})
        sent = []
        call = stage.memory.call
        stage.memory.call = lambda *arguments: sent.append(arguments) or call(*arguments)
        delivery = stage.accept()
        stage.invoke()
        ((_, _, parameters),) = [each for each in sent if each[1] == "SendMessage"]
        assert parameters["MessageGroupId"] == "orders-to-ledger"
        assert parameters["MessageDeduplicationId"] == delivery

    def test_a_queues_url_is_asked_for_once(self):
        stage = stage_of(QUEUE)
        for number in range(3):
            stage.accept(f"evt_{number}")
            stage.invoke()
        assert (len(jobs(stage)), stage.memory.count("sqs", "GetQueueUrl")) == (3, 1)

    def test_a_bus_gets_an_event_that_names_its_delivery(self):
        stage = stage_of(BUS)
        delivery = stage.accept()
        stage.invoke()
        (entry,) = stage.memory.events
        assert json.loads(entry.pop("Detail")) == {"id": "evt_1", "total": 5}
        assert entry == {
            "EventBusName": "main",
            "Source": "causeway.orders-to-ledger",
            "DetailType": "orders/paid",
            "Resources": [f"causeway:delivery:{delivery}"],
        }

    def test_a_bucket_gets_an_object_whose_key_holds_values_url_encoded(self):
        stage = stage_of(JSON)
        stage.accept("a/b ☃")
        stage.invoke()
        ((_, key),) = stage.memory.objects
        assert key == "orders/a%2Fb%20%E2%98%83.json"
        assert json.loads(stage.memory.objects["lake", key]) == {"id": "a/b ☃", "total": 5}

    def test_what_ends_in_gz_is_packed(self):
        stage = stage_of({"bucket": {**JSON["bucket"], "key": "${id}.json.gz"}})
        stage.accept()
        stage.invoke()
        packed = stage.memory.objects["lake", "evt_1.json.gz"]
        assert json.loads(zlib.decompress(packed, wbits=31)) == {"id": "evt_1", "total": 5}

    @pytest.mark.parametrize("target", KINDS)
    def test_what_steps_brought_is_seen(self, target):
        ((kind, words),) = target.items()
        steps = [{"name": "look", "call": call_of("/look", method="GET")}]
        stage = stage_of({kind: {**words, "body": {"found": "${steps.look.body.n}"}}}, steps=steps)
        stage.target.on("/look", (200, {"n": 7}))
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "delivered"
        assert sent(stage) == 1

    @pytest.mark.parametrize("target", [QUEUE, BUS, JSON])
    def test_it_costs_no_more_of_the_journal_than_a_call(self, target):
        stage = stage_of(target)
        stage.accept()
        stage.memory.calls.clear()
        stage.invoke()
        writes = [each for each in stage.memory.calls if each[0] == "dynamodb" and each[1] != "GetItem"]
        assert len(writes) == 3


class TestLines:
    def test_those_of_one_invocation_are_one_object_and_each_names_its_delivery(self):
        stage = stage_of(LINES)
        deliveries = [stage.accept(f"evt_{number}", data={"total": number}) for number in range(10)]
        stage.invoke()
        found = lines(stage)
        assert len({key for key, _ in found}) == len(stage.memory.objects) == 1
        assert [line["_delivery"] for _, line in found] == sorted(deliveries)
        assert sorted(line["total"] for _, line in found) == list(range(10))
        assert stage.memory.count("s3", "PutObject") == 1
        assert sorted(stage.pages()[0]) == sorted(deliveries)

    def test_those_of_other_invocations_are_in_other_objects(self):
        stage = stage_of(LINES)
        for number in range(25):
            stage.accept(f"evt_{number}")
        stage.until_quiet()
        assert (len(stage.memory.objects), len(lines(stage))) == (3, 25)

    def test_what_else_their_keys_say_keeps_them_apart(self):
        key = "${data.region}/${id}.ndjson.gz"
        stage = stage_of({"bucket": {**LINES["bucket"], "key": key}})
        for number in range(6):
            stage.accept(f"evt_{number}", data={"total": 1, "region": f"r{number % 2}"})
        stage.invoke()
        assert sorted(key.partition("/")[0] for _, key in stage.memory.objects) == ["r0", "r1"]

    def test_a_call_of_another_integration_beside_them_is_not_waited_for(self):
        plan = plan_of(target=LINES)
        other = plan_of().integrations["orders-to-ledger"]
        plan.integrations["slow"] = {**other, "name": "slow"}
        stage = Stage(plan)
        stage.target.on("/entries", lambda _: 200 if lines(stage) else 500)
        stage.accept("evt_1")
        stage.accept("evt_2", integration="slow", delivery="f" * 32)
        stage.until_quiet()
        assert stage.item("f" * 32)["status"] == "delivered"
        assert len(lines(stage)) == 1

    def test_one_that_is_refused_before_its_line_does_not_hold_the_others_up(self):
        steps = [{"name": "check", "call": call_of("/check")}]
        stage = stage_of(LINES, steps=steps)
        stage.target.on("/check", 500, 200)
        deliveries = [stage.accept(f"evt_{number}") for number in range(4)]
        stage.invoke()
        statuses = sorted(stage.item(each)["status"] for each in deliveries)
        assert statuses == ["delivered"] * 3 + ["waiting"]
        assert len(lines(stage)) == 3
        stage.until_quiet()
        assert sorted(line["_delivery"] for _, line in lines(stage)) == sorted(deliveries)

    def test_one_whose_line_cannot_be_made_is_dead_alone(self):
        stage = stage_of({"bucket": {**LINES["bucket"], "body": "${data.line}"}})
        bad = stage.accept("bad", data={"line": "a text"})
        good = stage.accept("good", data={"line": {"a": 1}})
        stage.invoke()
        assert (stage.item(bad)["status"], stage.item(bad)["error"]) == ("dead", "mapping")
        assert [line for _, line in lines(stage)] == [{"_delivery": good, "a": 1}]

    def test_an_object_that_is_not_stored_delivers_none_of_its_lines(self):
        stage = stage_of(LINES)
        failing(stage, "SlowDown", 503)
        deliveries = [stage.accept(f"evt_{number}") for number in range(3)]
        stage.invoke()
        assert {stage.item(each)["status"] for each in deliveries} == {"waiting"}
        assert lines(stage) == []
        stage.until_quiet()
        assert {stage.item(each)["status"] for each in deliveries} == {"delivered"}
        assert sorted({line["_delivery"] for _, line in lines(stage)}) == sorted(deliveries)

    def test_an_object_that_is_not_stored_is_no_failure_of_what_another_one_holds(self):
        key = "${data.region}/${id}.ndjson.gz"
        stage = stage_of({"bucket": {**LINES["bucket"], "key": key}})
        failing(stage, "SlowDown", 503)
        deliveries = [
            stage.accept(f"evt_{number}", data={"total": 1, "region": f"r{number % 2}"})
            for number in range(6)
        ]
        stage.invoke()
        assert (
            sorted(stage.item(each)["status"] for each in deliveries) == ["delivered"] * 3 + ["waiting"] * 3
        )
        delivered = {each for each in deliveries if stage.item(each)["status"] == "delivered"}
        assert {line["_delivery"] for _, line in lines(stage)} == delivered

    def test_a_replay_adds_an_object_and_takes_none_away(self):
        stage = stage_of(LINES, errors={"attempts": 1})
        failing(stage, "SlowDown", 503)
        delivery = stage.accept("evt_1")
        stage.invoke()
        assert stage.item(delivery)["status"] == "dead"
        stage.accept("evt_2")
        stage.replay()
        stage.until_quiet()
        assert len({line["_delivery"] for _, line in lines(stage)}) == 2


class TestFailures:
    @pytest.mark.parametrize("target", KINDS)
    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("ServiceUnavailable", 503, "http"),
            ("AccessDeniedException", 400, "http"),
            ("NotConnected", 0, "connection"),
            ("NoAnswer", 0, "timeout"),
        ],
    )
    def test_what_may_be_repaired_is_tried_again(self, target, code, status, error):
        stage = stage_of(target)
        failing(stage, code, status)
        delivery = stage.accept()
        stage.until_quiet()
        first, last = stage.item(delivery)["attempts"]
        assert (first["outcome"], first["error"], first.get("status", 0)) == ("refused", error, status)
        ((kind, words),) = target.items()
        assert first["reason"].startswith(f"{kind} {words['name']}: {code}")
        assert (last["outcome"], sent(stage)) == ("delivered", 1)

    @pytest.mark.parametrize("target", KINDS)
    def test_what_aws_would_never_take_is_dead_at_once(self, target):
        stage = stage_of(target)
        failing(stage, "ValidationException", 400)
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "http")

    @pytest.mark.parametrize("target", KINDS)
    def test_a_body_that_cannot_be_filled_in_is_dead(self, target):
        ((kind, words),) = target.items()
        stage = stage_of({kind: {**words, "body": {"name": "Order ${data.name}"}}})
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("dead", "mapping")

    @pytest.mark.parametrize(
        ("target", "reason"),
        [
            ({"bus": {**BUS["bus"], "body": "${data.total}"}}, "a bus takes an object"),
            (
                {"bus": {**BUS["bus"], "detail_type": "${data.total}"}},
                "must be a text of 1 to 128 characters",
            ),
            ({"bus": {**BUS["bus"], "detail_type": "x" * 129}}, "must be a text of 1 to 128 characters"),
            ({"queue": {**QUEUE["queue"], "body": "${data.gone?}"}}, "nothing is left of the body"),
            ({"bucket": {**JSON["bucket"], "key": "${data.gone}"}}, "null where a text is needed"),
            ({"bucket": {**JSON["bucket"], "key": "a" * 1025}}, "a key has at most 1024 bytes"),
            ({"bucket": {**LINES["bucket"], "key": "all.ndjson"}}, "objects would overwrite each other"),
        ],
    )
    def test_what_cannot_be_sent_says_why(self, target, reason):
        stage = stage_of(target)
        delivery = stage.accept()
        stage.invoke()
        assert stage.item(delivery)["status"] == "dead"
        assert reason in stage.item(delivery)["reason"]

    @pytest.mark.parametrize("target", KINDS)
    def test_a_redacted_value_is_in_no_reason(self, target):
        stage = stage_of(target, shop={"redact": ["data.total"]})
        failing(stage, "Odd secret-value", 503)
        delivery = stage.accept(data={"total": "secret-value"})
        stage.invoke()
        assert "secret-value" not in json.dumps(stage.item(delivery))

    @pytest.mark.parametrize("target", KINDS)
    def test_without_time_for_it_the_message_goes_back_and_nothing_is_sent(self, target):
        stage = stage_of(
            target, steps=[{"name": "look", "call": call_of("/look", method="GET", timeout=1.0)}]
        )
        stage.target.seconds = 52.0
        delivery = stage.accept()
        stage.invoke()
        assert (stage.item(delivery)["status"], stage.item(delivery)["error"]) == ("waiting", "no time")
        assert sent(stage) == 0


class TestAgainstAws:
    """The same against moto, read with AWS's own client."""

    @pytest.fixture
    def means(self, cloud):
        def together(item, effect):
            (failure,) = effect([item])
            if failure:
                raise failure

        return Means(caller=None, aws=cloud.aws, deadline=0.0, together=together)

    SCOPE = scope_of(
        make_event(
            id="e/1", type="orders/paid", source="shop", time="2026-11-22T10:00:00Z", data={"total": 5}
        ),
        {},
        {},
    )
    ABOUT = About("d1", "orders-to-lake", {"Idempotency-Key": "d1"})

    def send(self, target, means):
        place = place_of(target)
        return place.kind.send(place.words, self.SCOPE, self.ABOUT, means)

    def test_a_queue(self, cloud, means):
        url = cloud.make_queue("jobs")
        words = {"name": f"{cloud.stack}-jobs", "body": BODY}
        assert self.send({"queue": words}, means).status == 200
        received = cloud.boto("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        (message,) = received["Messages"]
        assert json.loads(message["Body"]) == {"id": "e/1", "total": 5}
        assert message["MessageAttributes"]["Idempotency-Key"]["StringValue"] == "d1"

    def test_a_fifo_queue_takes_the_same_delivery_once(self, cloud, means):
        url = cloud.make_queue("jobs.fifo", {"FifoQueue": "true"})
        for _ in range(2):
            self.send({"queue": {"name": f"{cloud.stack}-jobs.fifo", "body": BODY}}, means)
        assert len(cloud.records(url)) == 1

    def test_a_queue_that_is_not_there_may_be_made_yet(self, means):
        with pytest.raises(Refused) as refused:
            self.send({"queue": {"name": "nowhere", "body": BODY}}, means)
        assert (refused.value.kind, refused.value.retry) == ("http", True)

    def test_a_message_that_is_too_large_is_refused_for_good(self, cloud, means):
        cloud.make_queue("jobs")
        with pytest.raises(Refused) as refused:
            self.send({"queue": {"name": f"{cloud.stack}-jobs", "body": "x" * 1_100_000}}, means)
        assert not refused.value.retry

    def test_a_bus(self, cloud, means):
        heard = cloud.heard
        self.send({"bus": {"name": cloud.bus, "detail_type": "${type}", "body": BODY}}, means)
        (record,) = cloud.records(heard)
        event = json.loads(record["body"])
        assert (event["detail-type"], event["source"]) == ("orders/paid", "causeway.orders-to-lake")
        assert (event["detail"], event["resources"]) == ({"id": "e/1", "total": 5}, ["causeway:delivery:d1"])

    @pytest.mark.parametrize("content", ["json", "ndjson"])
    def test_a_bucket(self, cloud, means, content):
        words = {"name": cloud.payloads, "key": "dt=${date(time, '%Y-%m-%d')}/${id}.gz", "content": content}
        self.send({"bucket": {**words, "body": BODY}}, means)
        s3 = cloud.boto("s3")
        (found,) = s3.list_objects_v2(Bucket=cloud.payloads)["Contents"]
        body = s3.get_object(Bucket=cloud.payloads, Key=found["Key"])["Body"].read()
        line = json.loads(zlib.decompress(body, wbits=31))
        if content == "json":
            assert (found["Key"], line) == ("dt=2026-11-22/e%2F1.gz", {"id": "e/1", "total": 5})
        else:
            assert line == {"_delivery": "d1", "id": "e/1", "total": 5}

    def test_a_bucket_that_is_not_there_may_be_made_yet(self, means):
        with pytest.raises(Refused) as refused:
            self.send({"bucket": {"name": "nowhere", "key": "a", "content": "json", "body": BODY}}, means)
        assert (refused.value.kind, refused.value.retry) == ("http", True)

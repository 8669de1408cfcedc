"""Targets that are no call: a queue, a bus and a bucket, with the same journal, retries and dead letters."""

from __future__ import annotations

import json
import zlib

import pytest

from tests.support.deliveries import Stage, call_of, plan_of
from tests.support.targets import BODY, BUS, JSON, KINDS, LINES, QUEUE, failing, jobs, lines, sent, stage_of


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
